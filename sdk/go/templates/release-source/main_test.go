package main

import (
	"testing"

	"github.com/shipway/shipway/sdk/go/shipwaytest"
)

func TestTargetsRunInTheirOrder(t *testing.T) {
	host := &shipwaytest.Host{
		Plugin: plugin,
		Files: map[string]string{
			"Makefile": "all: build\n\nrelease-migrate: build\n\t./migrate\nrelease-warm:\n\trelease-no: x\n",
		},
	}
	collected, err := host.Collect()
	if err != nil {
		t.Fatal(err)
	}
	if len(collected.Commands) != 2 || collected.Commands[1].Run.String() != "make release-warm" {
		t.Errorf("got %+v", collected.Commands)
	}
}

func TestCases(t *testing.T) {
	shipwaytest.Cases(t, "build/{{name}}.wasm", "tests/*.toml")
}
