package shipway

import (
	"errors"
	"fmt"
)

// Code is what kind of failure it is. The set is open: a plugin may have words
// of its own, and must expect words it does not know.
//
// A code is an error too, so that errors.Is(err, shipway.NotFound) asks
// whether a failure is of this kind.
type Code string

const (
	// Denied: the plugin did not ask for it, or was not granted it.
	Denied Code = "denied"
	// NotFound: it is not there.
	NotFound Code = "not-found"
	// TooLarge: it is larger than what is handed over.
	TooLarge Code = "too-large"
	// Limit: too many calls or results.
	Limit Code = "limit"
	// Timeout: it took too long.
	Timeout Code = "timeout"
	// Invalid: something given to the plugin, such as a setting, is wrong.
	Invalid Code = "invalid"
	// Unavailable: something that is needed does not answer, or is not there
	// yet.
	Unavailable Code = "unavailable"
	// Failed is the code of an error that has none, and of a panic.
	Failed Code = "failed"
)

// Error is the word itself.
func (c Code) Error() string { return string(c) }

// Failure is why something could not be done: a code for programs, a sentence
// for people, and whether the same call may succeed later.
//
// Every failure of the host is a *Failure. An error that a plugin returns and
// that wraps one keeps its code and retryable, with the words of the whole
// error:
//
//	return fmt.Errorf("the notes of the release: %w", err)
type Failure struct {
	Code Code
	// Message is one sentence for a person: what happened and what to do,
	// without a secret in it.
	Message    string
	Retryable  bool
	Attributes Attributes
}

// Failuref makes a failure that the same call would meet again.
func Failuref(code Code, format string, arguments ...any) *Failure {
	return &Failure{Code: code, Message: fmt.Sprintf(format, arguments...)}
}

// Error is the message.
func (f *Failure) Error() string { return f.Message }

// Is tells whether the target is the failure's code.
func (f *Failure) Is(target error) bool {
	code, ok := target.(Code)
	return ok && code == f.Code
}

// CodeOf is the code of an error: that of the [Failure] in it, or [Failed].
func CodeOf(err error) Code {
	return asFailure(err).Code
}

// asFailure makes a failure of any error.
func asFailure(err error) *Failure {
	var failure *Failure
	if !errors.As(err, &failure) || failure == nil {
		return &Failure{Code: Failed, Message: err.Error()}
	}
	if whole := err.Error(); whole != failure.Message {
		wrapped := *failure
		wrapped.Message = whole
		return &wrapped
	}
	return failure
}
