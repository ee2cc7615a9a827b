package shipwaytest

import (
	"fmt"
	"slices"

	"github.com/shipway/shipway/sdk/go/shipway"
)

// Host is a host in memory for one plugin. Its zero value has no files and no
// settings, there is no image yet, and no host answers. It keeps no time and
// no limits of number; what else the engine's host promises it keeps.
type Host struct {
	Plugin shipway.Plugin

	// Deployment is what the calls are about: [Deployment] unless set.
	Deployment *shipway.Deployment
	// Files are the commit's files, by path.
	Files map[string]string
	// Settings are the plugin's settings. The value of one that the manifest
	// calls secret never reaches the plugin: it gets secret:NAME.
	Settings map[string]string
	// Variables are those of the environment.
	Variables map[string]string
	// Endpoints are the candidate's.
	Endpoints []shipway.Endpoint
	// Image answers commands in the image, and in the candidate. While it is
	// nil there is no image.
	Image func(Command) (*shipway.Output, error)
	// HTTP answers requests. While it is nil nobody does.
	HTTP func(shipway.HTTPRequest) (*shipway.HTTPResponse, error)

	// Requests are the requests that were sent, in order.
	Requests []shipway.HTTPRequest
	// Commands are the commands that were run, in order.
	Commands []Command
	// Log are the lines that were logged, in order.
	Log []Line
}

// Command is one command that the plugin ran.
type Command struct {
	// Process is the process type of the candidate, or empty for the image.
	Process   string
	Argv      []string
	Variables shipway.Attributes
}

// Line is one line that the plugin wrote to the log.
type Line struct {
	Level   shipway.Level
	Message string
}

// Deployment is a deployment to call a plugin with.
func Deployment() shipway.Deployment {
	return shipway.Deployment{
		ID:          "0198c0de-0000-7000-8000-000000000001",
		App:         "shop",
		Environment: "live",
		Commit:      "4f2a0c1e9b7d5a3f8e6c4b2a0d9f7e5c3b1a0f2e",
		Reference:   "main",
	}
}

// Event is an event of [Deployment] to call a notifier with.
func Event(kind, summary string) shipway.Event {
	return shipway.Event{
		ID:         "0198c0de-0000-7000-8000-000000000002",
		Sequence:   1,
		Time:       "2026-11-22T10:00:00Z",
		Kind:       kind,
		Deployment: Deployment(),
		Summary:    summary,
		Data:       "{}",
	}
}

// Response is an answer with a status and a body.
func Response(status uint16, body string) *shipway.HTTPResponse {
	return &shipway.HTTPResponse{Status: status, Body: []byte(body)}
}

// Collect asks the plugin's release source. Every error is a
// [*shipway.Failure], as it reaches the engine.
func (h *Host) Collect() (*shipway.Collected, error) {
	return h.Plugin.Collect(h.host(), h.deployment())
}

// Deliver gives the plugin's notifier an event. Every error is a
// [*shipway.Failure], as it reaches the engine.
func (h *Host) Deliver(event shipway.Event) error {
	return h.Plugin.Deliver(h.host(), event)
}

// RunSelfTest runs the plugin's self-test. Every error is a
// [*shipway.Failure], as it reaches the engine.
func (h *Host) RunSelfTest() (*shipway.Report, error) {
	return h.Plugin.RunSelfTest(h.host(), h.deployment())
}

func (h *Host) host() *shipway.Host {
	return shipway.NewHost(calls{h})
}

func (h *Host) deployment() shipway.Deployment {
	if h.Deployment != nil {
		return *h.Deployment
	}
	return Deployment()
}

// calls are the host's functions, out of the sight of tests.
type calls struct{ *Host }

const (
	fileBytes  = 1 << 20
	foundPaths = 1000
)

func (c calls) Setting(name string) (string, bool) {
	value, set := c.Settings[name]
	isSecret := slices.ContainsFunc(c.Plugin.Manifest.Settings, func(setting shipway.Setting) bool {
		return setting.Name == name && setting.Secret
	})
	if set && isSecret {
		return "secret:" + name, true
	}
	return value, set
}

func (c calls) Variable(name string) (string, bool, error) {
	if !slices.Contains(c.targets(shipway.CapabilityVariables), name) {
		return "", false, denied("the manifest does not request the variable %s", name)
	}
	value, set := c.Variables[name]
	return value, set, nil
}

func (c calls) Log(level shipway.Level, message string) {
	c.Host.Log = append(c.Host.Log, Line{level, message})
}

func (c calls) ReadFile(path string) ([]byte, error) {
	if err := c.mayRead(path); err != nil {
		return nil, err
	}
	content, found := c.Files[path]
	if !found {
		return nil, shipway.Failuref(shipway.NotFound, "there is no %s", path)
	}
	if len(content) > fileBytes {
		return nil, shipway.Failuref(shipway.TooLarge, "%s is over 1 MiB", path)
	}
	return []byte(content), nil
}

func (c calls) FindFiles(glob string) ([]string, error) {
	if !validGlob(glob) {
		return nil, shipway.Failuref(shipway.Invalid, "%s is no glob", glob)
	}
	var found []string
	for path := range c.Files {
		if matches(glob, path) && c.mayRead(path) == nil {
			found = append(found, path)
		}
	}
	if len(found) > foundPaths {
		return nil, shipway.Failuref(shipway.Limit, "%s matches over %d paths", glob, foundPaths)
	}
	slices.Sort(found)
	return found, nil
}

func (c calls) RunImage(argv []string, variables shipway.Attributes) (*shipway.Output, error) {
	if !c.asks(shipway.CapabilityImage) {
		return nil, denied("the manifest does not request image")
	}
	return c.run(Command{Argv: argv, Variables: variables})
}

func (c calls) Exec(process string, argv []string) (*shipway.Output, error) {
	if !c.asks(shipway.CapabilityExec) {
		return nil, denied("the manifest does not request exec")
	}
	there := slices.ContainsFunc(c.Host.Endpoints, func(endpoint shipway.Endpoint) bool {
		return endpoint.Process == process
	})
	if !there {
		return nil, shipway.Failuref(shipway.NotFound, "the candidate has no process %s", process)
	}
	return c.run(Command{Process: process, Argv: argv})
}

func (c calls) run(command Command) (*shipway.Output, error) {
	c.Commands = append(c.Commands, command)
	if c.Image == nil {
		return nil, shipway.Failuref(shipway.Unavailable, "there is no image yet")
	}
	return c.Image(command)
}

func (c calls) Send(request shipway.HTTPRequest) (*shipway.HTTPResponse, error) {
	if err := c.maySend(request); err != nil {
		return nil, err
	}
	c.Requests = append(c.Requests, request)
	if c.HTTP == nil {
		failure := shipway.Failuref(shipway.Unavailable, "%s does not answer", request.URL)
		failure.Retryable = true
		return nil, failure
	}
	return c.HTTP(request)
}

func (c calls) Endpoints() []shipway.Endpoint {
	return slices.Clone(c.Host.Endpoints)
}

func denied(format string, arguments ...any) error {
	return &shipway.Failure{Code: shipway.Denied, Message: fmt.Sprintf(format, arguments...)}
}

var _ shipway.Calls = calls{}
