module github.com/shipway/shipway/sdk/go

go 1.25
