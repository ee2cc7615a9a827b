module example.com/example

go 1.25

require github.com/shipway/shipway/sdk/go v0.0.0

replace github.com/shipway/shipway/sdk/go => ../../../sdk/go
