package shipway_test

import (
	"errors"
	"fmt"
	"strings"

	"github.com/shipway/shipway/sdk/go/shipway"
	"github.com/shipway/shipway/sdk/go/shipwaytest"
)

var makefile = shipway.Plugin{
	Manifest: shipway.Manifest{
		Name:    "makefile",
		Version: "1.0.0",
		Summary: "Runs the target release of the Makefile.",
		Requests: []shipway.Request{{
			Capability: shipway.CapabilityFiles,
			Targets:    []string{"Makefile"},
			Reason:     "To see whether it has a target release.",
		}},
	},
	ReleaseSource: shipway.ReleaseSourceFunc(collect),
}

func collect(host *shipway.Host, _ shipway.Deployment) (*shipway.Collected, error) {
	text, err := host.ReadText("Makefile")
	if errors.Is(err, shipway.NotFound) {
		return nil, nil
	}
	if err != nil || !strings.Contains(text, "\nrelease:") {
		return nil, err
	}
	return &shipway.Collected{
		Commands: []shipway.Command{{Run: shipway.Argv{"make", "release"}}},
	}, nil
}

func init() { shipway.Export(makefile) }

// A release source and its test in memory.
func Example() {
	host := &shipwaytest.Host{
		Plugin: makefile,
		Files:  map[string]string{"Makefile": "all: build\nrelease: all\n"},
	}
	collected, err := host.Collect()
	fmt.Println(collected.Commands[0].Run, err)
	// Output: make release <nil>
}
