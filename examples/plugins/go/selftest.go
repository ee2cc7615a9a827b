package main

import (
	"fmt"
	"strings"

	"github.com/shipway/shipway/sdk/go/shipway"
)

// test asks every new instance of web for a page.
func test(host *shipway.Host, _ shipway.Deployment) (*shipway.Report, error) {
	report := &shipway.Report{}
	for _, endpoint := range host.Endpoints() {
		if endpoint.Process == "web" {
			report.Checks = append(report.Checks, check(host, endpoint))
		}
	}
	if len(report.Checks) == 0 {
		report.Checks = []shipway.Check{{
			Name:    "web",
			Outcome: shipway.Skip,
			Message: "there is no web process",
		}}
	}
	return report, nil
}

func check(host *shipway.Host, endpoint shipway.Endpoint) shipway.Check {
	path := host.SettingOr("path", "/")
	outcome, message := ask(host, endpoint.Get(path))
	return shipway.Check{Name: "GET " + path, Outcome: outcome, Message: message}
}

func ask(host *shipway.Host, request shipway.HTTPRequest) (shipway.Outcome, string) {
	response, err := host.Send(request)
	if err != nil {
		return shipway.Fail, string(shipway.CodeOf(err))
	}
	answered := fmt.Sprintf("answered %d", response.Status)
	if response.Status < 200 || response.Status > 399 {
		return shipway.Fail, answered
	}
	if text, set := host.Setting("text"); set && !strings.Contains(string(response.Body), text) {
		return shipway.Fail, "the page does not contain " + text
	}
	return shipway.Pass, answered
}
