package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/shipway/shipway/sdk/go/shipway"
)

// collect takes the release commands from the Releasefile and from every file
// in Releasefile.d.
func collect(host *shipway.Host, _ shipway.Deployment) (*shipway.Collected, error) {
	collected := &shipway.Collected{}
	first := host.SettingOr("file", "Releasefile")
	text, err := host.ReadText(first)
	switch {
	case errors.Is(err, shipway.NotFound):
		collected.Warnings = append(collected.Warnings, "there is no "+first)
	case err != nil:
		return nil, err
	default:
		addLines(collected, first, text)
	}

	more, err := host.FindFiles("Releasefile.d/*")
	if err != nil {
		return nil, err
	}
	for _, file := range more {
		text, err := host.ReadText(file)
		if err != nil {
			return nil, err
		}
		addLines(collected, file, text)
	}
	return collected, nil
}

// addLines adds the commands of one file, and says which lines are none.
func addLines(collected *shipway.Collected, file, text string) {
	for index, line := range strings.Split(text, "\n") {
		line = trim(strings.TrimSuffix(line, "\r"))
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		provenance := shipway.Provenance{File: file, Place: fmt.Sprintf("line %d", index+1)}
		command, ok := parseLine(line)
		if !ok {
			collected.Skipped = append(collected.Skipped, shipway.Skipped{
				What:       line,
				Reason:     "a line is LABEL: COMMAND",
				Provenance: provenance,
			})
			continue
		}
		command.Provenance = provenance
		collected.Commands = append(collected.Commands, command)
	}
}

// parseLine reads LABEL: COMMAND.
func parseLine(line string) (shipway.Command, bool) {
	label, run, found := strings.Cut(line, ":")
	phase, label := parseLabel(trim(label))
	run = trim(run)
	if !found || label == "" || run == "" {
		return shipway.Command{}, false
	}
	return shipway.Command{
		Label:      label,
		Run:        parseRun(run),
		Phase:      phase,
		Entrypoint: shipway.EntrypointKeep,
	}, true
}

// parseLabel takes the phase off the front of a label.
func parseLabel(label string) (shipway.Phase, string) {
	for _, phase := range []shipway.Phase{shipway.PhaseGate, shipway.PhaseAfter, shipway.PhaseFailed} {
		if rest, found := strings.CutPrefix(label, string(phase)+" "); found {
			return phase, trim(rest)
		}
	}
	return shipway.PhaseRelease, label
}

func parseRun(command string) shipway.Invocation {
	if words, found := strings.CutPrefix(command, "exec "); found {
		return shipway.Argv(strings.FieldsFunc(words, func(r rune) bool { return r == ' ' }))
	}
	return shipway.Shell(command)
}

func trim(text string) string { return strings.Trim(text, " \t") }
