package shipway

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
)

// Headers are header names and values, in order. A name may stand more than
// once.
type Headers [][2]string

// Get gives the first value of a name, in whatever case.
func (h Headers) Get(name string) (string, bool) {
	for _, header := range h {
		if strings.EqualFold(header[0], name) {
			return header[1], true
		}
	}
	return "", false
}

// HTTPRequest is one request to a granted host.
type HTTPRequest struct {
	Method  string
	URL     string
	Headers Headers
	// Body is at most 1 MiB.
	Body []byte
	// Timeout is 10 s unless set; at most 60 s. It counts in whole
	// milliseconds.
	Timeout    time.Duration
	Attributes Attributes
}

// JSONRequest makes a request whose body is a value as JSON, with its content
// type. Fields of a struct stand in their order.
func JSONRequest(method, url string, value any) (HTTPRequest, error) {
	var body bytes.Buffer
	encoder := json.NewEncoder(&body)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		return HTTPRequest{}, fmt.Errorf("the body of %s %s: %w", method, url, err)
	}
	return HTTPRequest{
		Method:  method,
		URL:     url,
		Headers: Headers{{"content-type", "application/json"}},
		Body:    bytes.TrimSuffix(body.Bytes(), []byte("\n")),
	}, nil
}

// HTTPResponse is what a host answered.
type HTTPResponse struct {
	Status  uint16
	Headers Headers
	// Body is at most 1 MiB; of more the request fails with [TooLarge].
	Body       []byte
	Attributes Attributes
}

// OK tells whether the status is 200 to 299.
func (r *HTTPResponse) OK() bool { return r.Status/100 == 2 }
