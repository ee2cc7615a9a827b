package shipway

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Host is what a plugin may ask for. Every error of its methods is a
// [*Failure]; what the plugin did not ask for in its manifest, or was not
// granted, is [Denied].
type Host struct {
	calls Calls
}

// Calls are the host's functions as the contract has them. A component gets
// them from the engine; package shipwaytest has them in memory.
type Calls interface {
	Setting(name string) (value string, set bool)
	Variable(name string) (value string, set bool, err error)
	Log(level Level, message string)
	ReadFile(path string) ([]byte, error)
	FindFiles(glob string) ([]string, error)
	RunImage(argv []string, variables Attributes) (*Output, error)
	Send(request HTTPRequest) (*HTTPResponse, error)
	Endpoints() []Endpoint
	Exec(process string, argv []string) (*Output, error)
}

// NewHost makes a host of its functions, for tests.
func NewHost(calls Calls) *Host { return &Host{calls} }

// Setting gives the value of a setting, if it has one that is not blank. A
// secret comes as a placeholder: the host puts the value in when the
// placeholder leaves in a request, at a place that the manifest names.
func (h *Host) Setting(name string) (value string, set bool) {
	value, set = h.calls.Setting(name)
	if strings.TrimSpace(value) == "" {
		return "", false
	}
	return value, set
}

// SettingOr gives the value of a setting, or another when it is not set.
func (h *Host) SettingOr(name, otherwise string) string {
	if value, set := h.Setting(name); set {
		return value
	}
	return otherwise
}

// RequireSetting gives the value of a setting that the plugin cannot do
// without. It fails with [Invalid] when the setting is not set.
func (h *Host) RequireSetting(name string) (string, error) {
	if value, set := h.Setting(name); set {
		return value, nil
	}
	return "", Failuref(Invalid, "the setting %s is not set", name)
}

// Variable gives a variable of the environment that is deployed, if it is set.
// It fails with [Denied] when the variable is not granted by name or is
// secret.
func (h *Host) Variable(name string) (value string, set bool, err error) {
	return h.calls.Variable(name)
}

// ReadFile gives the bytes of one file of the commit. Paths are relative, with
// slashes; .git, .env files and links that leave the tree are never readable.
// It fails with [NotFound], [Denied], or [TooLarge] over 1 MiB.
func (h *Host) ReadFile(path string) ([]byte, error) {
	return h.calls.ReadFile(path)
}

// ReadText gives the text of one file of the commit, byte for byte. It fails
// as ReadFile does, and with [Invalid] when the file is not UTF-8.
func (h *Host) ReadText(path string) (string, error) {
	content, err := h.calls.ReadFile(path)
	if err != nil {
		return "", err
	}
	if !utf8.Valid(content) {
		return "", Failuref(Invalid, "%s is not text", path)
	}
	return string(content), nil
}

// FindFiles gives the paths of the commit's files that match a glob, sorted. *
// and ? stay within one name, ** goes through folders. It fails with [Limit]
// for more than 1,000.
func (h *Host) FindFiles(glob string) ([]string, error) {
	return h.calls.FindFiles(glob)
}

// RunImage runs a command in the image that was built, in its working
// directory, without network, with these variables and no others but the
// image's own, for at most 60 s. It fails with [Unavailable] when there is no
// image yet, as in a plan made before the first build. An exit code other than
// zero is no error.
func (h *Host) RunImage(argv []string, variables Attributes) (*Output, error) {
	return h.calls.RunImage(argv, variables)
}

// Send sends a request to a granted host. In a self-test the candidate's
// endpoints are granted without asking. Redirects are returned, never
// followed. A status of any kind is no error.
func (h *Host) Send(request HTTPRequest) (*HTTPResponse, error) {
	return h.calls.Send(request)
}

// Endpoints gives every port of every new instance, grouped by process type.
// Empty outside of self-tests.
func (h *Host) Endpoints() []Endpoint {
	return h.calls.Endpoints()
}

// Exec runs a command inside one new instance of this process type, with the
// app's own environment, for at most 60 s, in self-tests. It fails with
// [NotFound] when there is no such process type. An exit code other than zero
// is no error.
func (h *Host) Exec(process string, argv ...string) (*Output, error) {
	return h.calls.Exec(process, argv)
}

// Debugf writes a line for those who look closely. The lines stand in the
// deployment's log under the plugin's name, without control characters; what
// passes the host's limit is dropped, and the log says so once.
func (h *Host) Debugf(format string, arguments ...any) { h.logf(LevelDebug, format, arguments) }

// Infof writes a line for everybody.
func (h *Host) Infof(format string, arguments ...any) { h.logf(LevelInfo, format, arguments) }

// Warnf writes a line about something that may be wrong.
func (h *Host) Warnf(format string, arguments ...any) { h.logf(LevelWarn, format, arguments) }

// Errorf writes a line about something that is wrong.
func (h *Host) Errorf(format string, arguments ...any) { h.logf(LevelError, format, arguments) }

func (h *Host) logf(level Level, format string, arguments []any) {
	h.calls.Log(level, fmt.Sprintf(format, arguments...))
}

// Level is how important a line of the log is.
type Level uint8

// The levels, in the contract's order.
const (
	LevelDebug Level = iota
	LevelInfo
	LevelWarn
	LevelError
)

var levels = [...]string{"debug", "info", "warn", "error"}

// String is the word of the contract.
func (l Level) String() string {
	if int(l) < len(levels) {
		return levels[l]
	}
	return "unknown"
}

// Output is what a command that the host ran for the plugin left.
type Output struct {
	ExitCode int
	// Stdout and Stderr are at most 1 MiB each.
	Stdout []byte
	Stderr []byte
	// Truncated tells whether a stream was longer.
	Truncated  bool
	Attributes Attributes
}

// Endpoint is one address of the candidate.
type Endpoint struct {
	// Process is the process type: web and so on.
	Process string
	// URL is http://ADDRESS:PORT, private to the engine's machine.
	URL string
	// Host is the domain to send as Host, or empty.
	Host       string
	Attributes Attributes
}

// Get makes a request to a path on this endpoint, under the app's own domain.
// The path begins with a slash.
func (e Endpoint) Get(path string) HTTPRequest {
	request := HTTPRequest{Method: "GET", URL: strings.TrimSuffix(e.URL, "/") + path}
	if e.Host != "" {
		request.Headers = Headers{{"host", e.Host}}
	}
	return request
}
