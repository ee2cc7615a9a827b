// Package shipwaytest tests plugins.
//
// [Host] is a host in memory, so that a whole plugin runs in go test. As the
// engine's host does, it grants what the manifest asks for and denies
// everything else, so a request that the manifest forgets fails the test:
//
//	host := &shipwaytest.Host{
//		Plugin: plugin,
//		Files:  map[string]string{"Releasefile": "Migrate: ./migrate\n"},
//	}
//	collected, err := host.Collect()
//
// [Cases] runs the plugin's component in the production sandbox, with the case
// files that shipway plugin test reads.
package shipwaytest
