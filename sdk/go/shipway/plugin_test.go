package shipway_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/shipway/shipway/sdk/go/shipway"
	"github.com/shipway/shipway/sdk/go/shipwaytest"
)

func deliver(t *testing.T, notifier shipway.NotifierFunc) (*shipwaytest.Host, *shipway.Failure) {
	t.Helper()
	host := &shipwaytest.Host{Plugin: shipway.Plugin{Notifier: notifier}}
	err := host.Deliver(shipwaytest.Event("deployment.ended", "shop/live: succeeded"))
	var failure *shipway.Failure
	if err != nil && !errors.As(err, &failure) {
		t.Fatalf("%v is no failure", err)
	}
	return host, failure
}

func TestAnErrorWithoutACodeIsCalledFailed(t *testing.T) {
	_, failure := deliver(t, func(*shipway.Host, shipway.Event) error {
		return errors.New("the moon is full")
	})
	if failure.Code != shipway.Failed || failure.Message != "the moon is full" || failure.Retryable {
		t.Errorf("got %+v", failure)
	}
}

func TestAWrappedFailureKeepsItsCode(t *testing.T) {
	cause := &shipway.Failure{Code: shipway.Timeout, Message: "too slow", Retryable: true}
	_, failure := deliver(t, func(*shipway.Host, shipway.Event) error {
		return fmt.Errorf("asking the moon: %w", cause)
	})
	if failure.Code != shipway.Timeout || failure.Message != "asking the moon: too slow" || !failure.Retryable {
		t.Errorf("got %+v", failure)
	}
	if cause.Message != "too slow" {
		t.Error("the cause was changed")
	}
}

func TestAPanicIsAFailureAndTheLogSaysWhere(t *testing.T) {
	host, failure := deliver(t, func(*shipway.Host, shipway.Event) error {
		var none []int
		_ = none[len(none)]
		return nil
	})
	if failure.Code != shipway.Failed || !strings.Contains(failure.Message, "index out of range") {
		t.Errorf("got %+v", failure)
	}
	if len(host.Log) == 0 || !strings.Contains(host.Log[0].Message, "plugin_test.go:") {
		t.Errorf("the log is %v", host.Log)
	}
	for _, line := range host.Log {
		if strings.Contains(line.Message, "runtime.") || strings.Contains(line.Message, "shipway.Notifier") {
			t.Errorf("not the plugin's: %s", line.Message)
		}
	}
}

func TestARoleThatIsMissingSaysWhatToDo(t *testing.T) {
	host := &shipwaytest.Host{}
	_, err := host.Collect()
	if shipway.CodeOf(err) != shipway.Failed || !strings.Contains(err.Error(), "shipway.Export") {
		t.Errorf("got %v", err)
	}
}

func TestNothingCollectedIsAGoodAnswer(t *testing.T) {
	host := &shipwaytest.Host{Plugin: shipway.Plugin{
		ReleaseSource: shipway.ReleaseSourceFunc(func(*shipway.Host, shipway.Deployment) (*shipway.Collected, error) {
			return nil, nil
		}),
	}}
	collected, err := host.Collect()
	if err != nil || collected == nil || len(collected.Commands) != 0 {
		t.Errorf("got %+v, %v", collected, err)
	}
}

func TestAFailureIsItsCode(t *testing.T) {
	var err error = shipway.Failuref(shipway.NotFound, "there is no %s", "x")
	if !errors.Is(err, shipway.NotFound) || errors.Is(err, shipway.Denied) {
		t.Error("errors.Is does not look at the code")
	}
	if err.Error() != "there is no x" {
		t.Errorf("got %q", err)
	}
}

func TestALongCommandMakesAShortLabel(t *testing.T) {
	label := shipway.Shell(strings.Repeat("ü", 300)).String()
	if len([]rune(label)) != 100 || !strings.HasSuffix(label, "…") {
		t.Errorf("got %q", label)
	}
	if got := (shipway.Argv{"make", "a b"}).String(); got != "make a b" {
		t.Errorf("got %q", got)
	}
}

func TestJSONStandsInTheOrderOfTheFields(t *testing.T) {
	request, err := shipway.JSONRequest("POST", "https://a.test", struct {
		B string `json:"b"`
		A int    `json:"a"`
	}{"<&>", 1})
	if err != nil || string(request.Body) != `{"b":"<&>","a":1}` {
		t.Errorf("got %s, %v", request.Body, err)
	}
	if value, _ := request.Headers.Get("Content-Type"); value != "application/json" {
		t.Errorf("got %q", value)
	}
}

func TestAnEndpointIsAskedUnderTheAppsDomain(t *testing.T) {
	request := shipway.Endpoint{URL: "http://10.0.0.1:80/", Host: "shop.test"}.Get("/up")
	if host, _ := request.Headers.Get("Host"); request.URL != "http://10.0.0.1:80/up" || host != "shop.test" {
		t.Errorf("got %+v", request)
	}
	if request := (shipway.Endpoint{URL: "http://10.0.0.1:80"}).Get("/"); request.Headers != nil {
		t.Errorf("got %+v", request)
	}
}
