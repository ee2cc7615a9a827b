// {{title}}: posts how each deployment ended to a web address.
package main

import "github.com/shipway/shipway/sdk/go/shipway"

var plugin = shipway.Plugin{
	Manifest: shipway.Manifest{
		Name:    "{{name}}",
		Version: "0.1.0",
		Summary: "Posts how each deployment ended to a web address.",
		Settings: []shipway.Setting{
			{Name: "url", Summary: "Where endings are sent.", Required: true},
			{
				Name:    "token",
				Summary: "Sent as a bearer token, if it is set.",
				// The plugin only ever sees a placeholder. The host puts the
				// value in on the way out, and nowhere but in this header.
				Secret: true,
				Places: []string{"header:authorization"},
			},
		},
		// The operator grants this, or does not: a request is never a grant.
		Requests: []shipway.Request{{
			Capability: shipway.CapabilityHTTP,
			Targets:    []string{"POST setting:url"},
			Reason:     "Endings are sent to this address.",
		}},
	},
	Notifier: shipway.NotifierFunc(deliver),
}

// A component has no main: what it is stands in init.
func init() { shipway.Export(plugin) }

func main() {}

// message is what the receiver gets.
type message struct {
	// The same when an event comes again: a receiver can drop repeats.
	ID   string `json:"id"`
	App  string `json:"app"`
	Text string `json:"text"`
}

func deliver(host *shipway.Host, event shipway.Event) error {
	// There are many kinds of events, and later versions bring more.
	if event.Kind != "deployment.ended" {
		return nil
	}
	url, err := host.RequireSetting("url")
	if err != nil {
		return err
	}
	request, err := shipway.JSONRequest("POST", url, message{event.ID, event.Deployment.App, event.Summary})
	if err != nil {
		return err
	}
	if token, set := host.Setting("token"); set {
		request.Headers = append(request.Headers, [2]string{"authorization", "Bearer " + token})
	}
	response, err := host.Send(request)
	if err != nil {
		return err
	}
	if response.OK() {
		host.Infof("told the receiver about %s", event.Deployment.App)
		return nil
	}
	// A failure that is retryable is delivered again, later.
	failure := shipway.Failuref("refused", "the receiver answered %d", response.Status)
	failure.Retryable = response.Status == 429 || response.Status >= 500
	return failure
}
