// {{title}}: asks every web instance of the new version for some pages.
package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/shipway/shipway/sdk/go/shipway"
)

var plugin = shipway.Plugin{
	// The candidate's own endpoints are granted without asking.
	Manifest: shipway.Manifest{
		Name:    "{{name}}",
		Version: "0.1.0",
		Summary: "Asks every web instance of the new version for some pages.",
		Settings: []shipway.Setting{
			{Name: "paths", Summary: "What is asked for, separated by spaces; / unless set."},
		},
	},
	SelfTest: shipway.SelfTestFunc(run),
}

// A component has no main: what it is stands in init.
func init() { shipway.Export(plugin) }

func main() {}

func run(host *shipway.Host, _ shipway.Deployment) (*shipway.Report, error) {
	report := &shipway.Report{}
	paths := strings.Fields(host.SettingOr("paths", "/"))
	for _, endpoint := range host.Endpoints() {
		if endpoint.Process != "web" {
			continue
		}
		for _, path := range paths {
			report.Checks = append(report.Checks, visit(host, endpoint, path))
		}
	}
	return report, nil
}

// visit asks one instance for one page. Only Fail fails the deployment, and
// then the old version stays.
func visit(host *shipway.Host, endpoint shipway.Endpoint, path string) shipway.Check {
	check := shipway.Check{Name: "GET " + path, Outcome: shipway.Pass}
	begun := time.Now()
	page, err := host.Send(endpoint.Get(path))
	check.Duration = time.Since(begun)
	if err != nil {
		check.Outcome, check.Message = shipway.Fail, err.Error()
		return check
	}
	check.Message = fmt.Sprintf("answered %d", page.Status)
	switch {
	case page.Status >= 500:
		check.Outcome = shipway.Fail
	case page.Status >= 400:
		check.Outcome = shipway.Warn
	}
	return check
}
