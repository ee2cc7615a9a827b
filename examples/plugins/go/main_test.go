package main

import (
	"errors"
	"slices"
	"testing"

	"github.com/shipway/shipway/sdk/go/shipway"
	"github.com/shipway/shipway/sdk/go/shipwaytest"
)

func TestLinesAreLabelAndCommand(t *testing.T) {
	for line, want := range map[string]shipway.Command{
		"Migrate: ./migrate":   {Label: "Migrate", Phase: shipway.PhaseRelease, Run: shipway.Shell("./migrate")},
		"gate  Ask:a:b":        {Label: "Ask", Phase: shipway.PhaseGate, Run: shipway.Shell("a:b")},
		"gate: x":              {Label: "gate", Phase: shipway.PhaseRelease, Run: shipway.Shell("x")},
		"after A:\texec  a  b": {Label: "A", Phase: shipway.PhaseAfter, Run: shipway.Argv{"a", "b"}},
		"failed A: executive":  {Label: "A", Phase: shipway.PhaseFailed, Run: shipway.Shell("executive")},
	} {
		got, ok := parseLine(line)
		if !ok || got.Label != want.Label || got.Phase != want.Phase || got.Run.String() != want.Run.String() {
			t.Errorf("%q: got %+v, %v", line, got, ok)
		}
	}
	for _, line := range []string{"nothing", ": x", "x:", ":"} {
		if got, ok := parseLine(line); ok {
			t.Errorf("%q: got %+v", line, got)
		}
	}
}

func TestFilesAreReadInTheirOrder(t *testing.T) {
	host := &shipwaytest.Host{Plugin: plugin, Files: map[string]string{
		"Releasefile": "# first\n a: 1 \r\nodd\n", "Releasefile.d/b": "c: 3", "Releasefile.d/a": "b: 2\n",
	}}
	collected, err := host.Collect()
	if err != nil {
		t.Fatal(err)
	}
	var places []string
	for _, command := range collected.Commands {
		places = append(places, command.Label+" "+command.Provenance.File+" "+command.Provenance.Place)
	}
	want := []string{"a Releasefile line 2", "b Releasefile.d/a line 1", "c Releasefile.d/b line 1"}
	if !slices.Equal(places, want) || len(collected.Skipped) != 1 {
		t.Errorf("got %q, skipped %+v", places, collected.Skipped)
	}
}

func TestTheFirstFileMayBeMissingAndNoOther(t *testing.T) {
	host := &shipwaytest.Host{Plugin: plugin}
	if collected, err := host.Collect(); err != nil || !slices.Equal(collected.Warnings, []string{"there is no Releasefile"}) {
		t.Errorf("got %+v, %v", collected, err)
	}
	host.Settings = map[string]string{"file": "other"}
	if _, err := host.Collect(); !errors.Is(err, shipway.Denied) {
		t.Errorf("got %v", err)
	}
	host = &shipwaytest.Host{Plugin: plugin, Files: map[string]string{"Releasefile": "\xff"}}
	if _, err := host.Collect(); !errors.Is(err, shipway.Invalid) || err.Error() != "Releasefile is not text" {
		t.Errorf("got %v", err)
	}
}

func TestTheReceiverDecidesWhetherToTryAgain(t *testing.T) {
	for status, want := range map[uint16]shipway.Failure{
		429: {Code: "unavailable", Message: "the receiver answered 429", Retryable: true},
		503: {Code: "unavailable", Message: "the receiver answered 503", Retryable: true},
		302: {Code: "refused", Message: "the receiver answered 302"},
	} {
		host := &shipwaytest.Host{
			Plugin:   plugin,
			Settings: map[string]string{"url": "https://hooks.example.test/in", "token": "x"},
			HTTP: func(shipway.HTTPRequest) (*shipway.HTTPResponse, error) {
				return shipwaytest.Response(status, ""), nil
			},
		}
		var got *shipway.Failure
		err := host.Deliver(shipwaytest.Event("deployment.ended", "done"))
		if !errors.As(err, &got) || got.Code != want.Code || got.Message != want.Message || got.Retryable != want.Retryable {
			t.Errorf("%d: got %+v", status, err)
		}
		body := `{"id":"0198c0de-0000-7000-8000-000000000002","app":"shop","environment":"live","text":"done"}`
		if string(host.Requests[0].Body) != body {
			t.Errorf("sent %s", host.Requests[0].Body)
		}
	}
}

func TestAnInstanceThatDoesNotAnswerFails(t *testing.T) {
	host := &shipwaytest.Host{Plugin: plugin, Endpoints: []shipway.Endpoint{
		{Process: "worker", URL: "http://10.0.0.1:80"}, {Process: "web", URL: "http://10.0.0.2:80"},
	}}
	report, err := host.RunSelfTest()
	if err != nil || len(report.Checks) != 1 || report.Checks[0].Outcome != shipway.Fail || report.Checks[0].Message != "unavailable" {
		t.Errorf("got %+v, %v", report, err)
	}
}

func TestCases(t *testing.T) {
	shipwaytest.Cases(t, "build/go.wasm", "tests/*.toml")
}
