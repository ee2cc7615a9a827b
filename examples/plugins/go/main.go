// The example of the author's guide: a plugin with all three roles.
package main

import "github.com/shipway/shipway/sdk/go/shipway"

var plugin = shipway.Plugin{
	Manifest: shipway.Manifest{
		Name:    "example",
		Version: "1.0.0",
		Summary: "The example of the author's guide, in every language.",
		Settings: []shipway.Setting{
			{Name: "file", Summary: "Where the release commands stand; Releasefile unless set."},
			{Name: "url", Summary: "Where endings are sent."},
			{
				Name:    "token",
				Summary: "Sent as a bearer token.",
				Secret:  true,
				Places:  []string{"header:authorization"},
			},
			{Name: "path", Summary: "What is asked of the new version; / unless set."},
			{Name: "text", Summary: "What the page must contain."},
		},
		Requests: []shipway.Request{
			{
				Capability: shipway.CapabilityFiles,
				Targets:    []string{"Releasefile", "Releasefile.d/*"},
				Reason:     "The release commands stand in these files.",
			},
			{
				Capability: shipway.CapabilityHTTP,
				Targets:    []string{"POST setting:url"},
				Reason:     "Endings are sent to this address.",
			},
		},
	},
	ReleaseSource: shipway.ReleaseSourceFunc(collect),
	Notifier:      shipway.NotifierFunc(deliver),
	SelfTest:      shipway.SelfTestFunc(test),
}

func init() { shipway.Export(plugin) }

func main() {}
