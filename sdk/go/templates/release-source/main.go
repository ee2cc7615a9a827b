// {{title}}: runs the targets of the Makefile whose names begin with release-.
package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/shipway/shipway/sdk/go/shipway"
)

const makefile = "Makefile"

var plugin = shipway.Plugin{
	Manifest: shipway.Manifest{
		Name:    "{{name}}",
		Version: "0.1.0",
		Summary: "Runs the targets of the Makefile whose names begin with release-.",
		// The operator grants this, or does not: a request is never a grant.
		Requests: []shipway.Request{{
			Capability: shipway.CapabilityFiles,
			Targets:    []string{makefile},
			Reason:     "The targets stand in this file.",
		}},
	},
	ReleaseSource: shipway.ReleaseSourceFunc(collect),
}

// A component has no main: what it is stands in init.
func init() { shipway.Export(plugin) }

func main() {}

func collect(host *shipway.Host, _ shipway.Deployment) (*shipway.Collected, error) {
	text, err := host.ReadText(makefile)
	if errors.Is(err, shipway.NotFound) {
		return nil, nil // No command at all is a good answer.
	}
	if err != nil {
		return nil, err
	}
	collected := &shipway.Collected{}
	for index, line := range strings.Split(text, "\n") {
		target, found := targetOf(line)
		if !found {
			continue
		}
		at := shipway.Provenance{File: makefile, Place: fmt.Sprintf("line %d", index+1)}
		if strings.Contains(target, "%") {
			// What is left out is said, so that nobody wonders.
			collected.Skipped = append(collected.Skipped, shipway.Skipped{
				What: target, Reason: "it is a pattern and no target", Provenance: at,
			})
			continue
		}
		collected.Commands = append(collected.Commands, shipway.Command{
			Run: shipway.Argv{"make", target}, Provenance: at,
		})
	}
	return collected, nil
}

// targetOf is the name of the release target that a line begins, if it does.
func targetOf(line string) (string, bool) {
	name, rest, found := strings.Cut(line, ":")
	isRule := found && !strings.HasPrefix(rest, "=") && !strings.HasPrefix(line, "\t")
	name = strings.TrimSpace(name)
	return name, isRule && strings.HasPrefix(name, "release-")
}
