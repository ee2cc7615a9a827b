package shipway

import "github.com/shipway/shipway/sdk/go/internal/abi"

// The contract's records as the host writes them, in the order of their
// fields in the WIT text.

func readAttributes(r *abi.Reader) Attributes {
	return abi.ReadList(r, readPair)
}

func readPair(r *abi.Reader) [2]string {
	return [2]string{r.String(), r.String()}
}

func readStrings(r *abi.Reader) []string {
	return abi.ReadList(r, (*abi.Reader).String)
}

func readDeployment(r *abi.Reader) Deployment {
	return Deployment{
		ID:          r.String(),
		App:         r.String(),
		Environment: r.String(),
		Commit:      r.String(),
		Reference:   r.String(),
		Attributes:  readAttributes(r),
	}
}

func readEvent(r *abi.Reader) Event {
	return Event{
		ID:         r.String(),
		Sequence:   r.Uint64(),
		Time:       r.String(),
		Kind:       r.String(),
		Deployment: readDeployment(r),
		Summary:    r.String(),
		Data:       r.String(),
		Attributes: readAttributes(r),
	}
}

// readResult reads result<T, failure>.
func readResult[T any](r *abi.Reader, read func(*abi.Reader) T) (T, error) {
	failed := r.Bool()
	r.Align(4)
	if failed {
		var none T
		return none, readFailure(r)
	}
	return read(r), nil
}

func readFailure(r *abi.Reader) *Failure {
	return &Failure{
		Code:       Code(r.String()),
		Message:    r.String(),
		Retryable:  r.Bool(),
		Attributes: readAttributes(r),
	}
}

// optional is an option<string>.
type optional struct {
	value string
	set   bool
}

func readOptional(r *abi.Reader) optional {
	if !r.Bool() {
		return optional{}
	}
	return optional{r.String(), true}
}

func readOutput(r *abi.Reader) *Output {
	return &Output{
		ExitCode:   int(r.Int32()),
		Stdout:     r.Bytes(),
		Stderr:     r.Bytes(),
		Truncated:  r.Bool(),
		Attributes: readAttributes(r),
	}
}

func readResponse(r *abi.Reader) *HTTPResponse {
	return &HTTPResponse{
		Status:     r.Uint16(),
		Headers:    Headers(readAttributes(r)),
		Body:       r.Bytes(),
		Attributes: readAttributes(r),
	}
}

func readEndpoint(r *abi.Reader) Endpoint {
	return Endpoint{
		Process:    r.String(),
		URL:        r.String(),
		Host:       r.String(),
		Attributes: readAttributes(r),
	}
}
