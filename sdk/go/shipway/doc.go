// Package shipway is for writing Shipway plugins in Go: a plugin is a
// [Plugin] that is given to [Export].
//
//	package main
//
//	import "github.com/shipway/shipway/sdk/go/shipway"
//
//	var plugin = shipway.Plugin{
//		Manifest: shipway.Manifest{
//			Name:    "makefile",
//			Version: "1.0.0",
//			Summary: "Runs the target release of the Makefile.",
//			Requests: []shipway.Request{{
//				Capability: shipway.CapabilityFiles,
//				Targets:    []string{"Makefile"},
//				Reason:     "To see whether it has a target release.",
//			}},
//		},
//		ReleaseSource: shipway.ReleaseSourceFunc(collect),
//	}
//
//	func collect(host *shipway.Host, _ shipway.Deployment) (*shipway.Collected, error) {
//		text, err := host.ReadText("Makefile")
//		if errors.Is(err, shipway.NotFound) {
//			return nil, nil
//		}
//		if err != nil {
//			return nil, err
//		}
//		…
//	}
//
//	func init() { shipway.Export(plugin) }
//
//	func main() {}
//
// What a plugin is: [Plugin], its [Manifest], and the three roles
// [ReleaseSource], [Notifier] and [SelfTest]. What it may ask the host: the
// methods of [Host], and nothing else. How it says that something could not be
// done: any error; a [Failure] says more. How it is tested: package
// shipwaytest.
//
// A plugin never sees a secret, never reaches a file, a host or an image that
// it did not ask for in its manifest, and keeps nothing between two calls: each
// call has a fresh sandbox. main is never run; what the plugin needs before the
// first call stands in init. A panic ends the call with a failure; os.Exit, a
// panic in another goroutine and a deadlock end it with a trap.
package shipway
