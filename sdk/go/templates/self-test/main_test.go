package main

import (
	"strings"
	"testing"

	"github.com/shipway/shipway/sdk/go/shipway"
	"github.com/shipway/shipway/sdk/go/shipwaytest"
)

var web = []shipway.Endpoint{{Process: "web", URL: "http://10.0.0.2:8000"}}

func TestEveryPathIsAskedFor(t *testing.T) {
	host := &shipwaytest.Host{
		Plugin:    plugin,
		Endpoints: web,
		Settings:  map[string]string{"paths": "/ /gone /broken"},
		HTTP: func(request shipway.HTTPRequest) (*shipway.HTTPResponse, error) {
			switch {
			case strings.HasSuffix(request.URL, "/gone"):
				return shipwaytest.Response(404, ""), nil
			case strings.HasSuffix(request.URL, "/broken"):
				return shipwaytest.Response(500, ""), nil
			}
			return shipwaytest.Response(200, "hello"), nil
		},
	}
	report, err := host.RunSelfTest()
	if err != nil {
		t.Fatal(err)
	}
	for index, want := range []shipway.Outcome{shipway.Pass, shipway.Warn, shipway.Fail} {
		if got := report.Checks[index]; got.Outcome != want {
			t.Errorf("%s: %v, want %v", got.Name, got.Outcome, want)
		}
	}
}

func TestAnInstanceThatDoesNotAnswerFails(t *testing.T) {
	report, err := (&shipwaytest.Host{Plugin: plugin, Endpoints: web}).RunSelfTest()
	if err != nil || report.Checks[0].Outcome != shipway.Fail {
		t.Errorf("got %+v, %v", report, err)
	}
}

func TestCases(t *testing.T) {
	shipwaytest.Cases(t, "build/{{name}}.wasm", "tests/*.toml")
}
