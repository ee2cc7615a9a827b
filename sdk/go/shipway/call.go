package shipway

import (
	"fmt"
	"path/filepath"
	"runtime"
	"strings"
)

// Collect asks the plugin's release source, as the engine does: whatever goes
// wrong is a [*Failure].
func (p Plugin) Collect(host *Host, deployment Deployment) (*Collected, error) {
	if p.ReleaseSource == nil {
		return nil, noRole("release source")
	}
	return guarded(host, func() (*Collected, error) {
		return p.ReleaseSource.Collect(host, deployment)
	})
}

// Deliver gives the plugin's notifier an event, as the engine does: whatever
// goes wrong is a [*Failure].
func (p Plugin) Deliver(host *Host, event Event) error {
	if p.Notifier == nil {
		return noRole("notifier")
	}
	_, err := guarded(host, func() (*struct{}, error) {
		return nil, p.Notifier.Deliver(host, event)
	})
	return err
}

// RunSelfTest runs the plugin's self-test, as the engine does: whatever goes
// wrong is a [*Failure].
func (p Plugin) RunSelfTest(host *Host, deployment Deployment) (*Report, error) {
	if p.SelfTest == nil {
		return nil, noRole("self-test")
	}
	return guarded(host, func() (*Report, error) {
		return p.SelfTest.Run(host, deployment)
	})
}

// guarded turns every error, and a panic, into a failure, and a nil result
// into an empty one.
func guarded[T any](host *Host, call func() (*T, error)) (result *T, err error) {
	defer func() {
		if reason := recover(); reason != nil {
			result, err = nil, panicked(host, reason)
		}
	}()
	result, err = call()
	if err != nil {
		return nil, asFailure(err)
	}
	if result == nil {
		result = new(T)
	}
	return result, nil
}

// panicked logs where the panic was, for the plugin's author.
func panicked(host *Host, reason any) *Failure {
	for _, frame := range framesOfPanic() {
		host.Debugf("panic in %s, %s:%d", frame.Function, filepath.Base(frame.File), frame.Line)
	}
	return &Failure{Code: Failed, Message: fmt.Sprintf("panic: %v", reason)}
}

// framesOfPanic are the plugin's calls that led to the panic, the innermost
// first, without what recovers and without those of the runtime and the SDK.
func framesOfPanic() []runtime.Frame {
	pcs := make([]uintptr, 64)
	frames := runtime.CallersFrames(pcs[:runtime.Callers(1, pcs)])
	var found []runtime.Frame
	panicked := false
	for frame, more := frames.Next(); more; frame, more = frames.Next() {
		switch {
		case frame.Function == "runtime.gopanic":
			panicked = true
		case strings.HasSuffix(frame.Function, "shipway.guarded[...]"):
			return found
		case panicked && !isOurs(frame.Function):
			found = append(found, frame)
		}
	}
	return found
}

func isOurs(function string) bool {
	return strings.HasPrefix(function, "runtime.") ||
		strings.HasPrefix(function, "github.com/shipway/shipway/sdk/go/shipway.")
}

func noRole(role string) *Failure {
	return Failuref(Failed, "the plugin has no %s: give one to shipway.Export, "+
		"or take the role out of shipway-plugin.toml", role)
}
