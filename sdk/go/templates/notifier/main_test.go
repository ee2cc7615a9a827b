package main

import (
	"errors"
	"testing"

	"github.com/shipway/shipway/sdk/go/shipway"
	"github.com/shipway/shipway/sdk/go/shipwaytest"
)

// receiver is a host whose receiver answers with this status.
func receiver(status uint16) *shipwaytest.Host {
	return &shipwaytest.Host{
		Plugin:   plugin,
		Settings: map[string]string{"url": "https://hooks.example.test/in", "token": "s3cret"},
		HTTP: func(shipway.HTTPRequest) (*shipway.HTTPResponse, error) {
			return shipwaytest.Response(status, ""), nil
		},
	}
}

func TestAnEndingIsSentWithTheToken(t *testing.T) {
	host := receiver(204)
	if err := host.Deliver(shipwaytest.Event("deployment.ended", "shop/live: succeeded")); err != nil {
		t.Fatal(err)
	}
	// Not the token: the host puts it in on the way out.
	if got, _ := host.Requests[0].Headers.Get("authorization"); got != "Bearer secret:token" {
		t.Errorf("got %q", got)
	}
}

func TestOtherEventsAreNotSent(t *testing.T) {
	host := receiver(204)
	if err := host.Deliver(shipwaytest.Event("deployment.queued", "")); err != nil || len(host.Requests) != 0 {
		t.Errorf("got %v and %v", err, host.Requests)
	}
}

func TestAReceiverInTroubleIsAskedAgainLater(t *testing.T) {
	err := receiver(503).Deliver(shipwaytest.Event("deployment.ended", ""))
	var failure *shipway.Failure
	if !errors.As(err, &failure) || !failure.Retryable {
		t.Errorf("got %v", err)
	}
}

func TestCases(t *testing.T) {
	shipwaytest.Cases(t, "build/{{name}}.wasm", "tests/*.toml")
}
