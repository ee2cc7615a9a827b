package main

import "github.com/shipway/shipway/sdk/go/shipway"

// message is what the receiver gets.
type message struct {
	ID          string `json:"id"`
	App         string `json:"app"`
	Environment string `json:"environment"`
	Text        string `json:"text"`
}

// deliver sends the ending of a deployment.
func deliver(host *shipway.Host, event shipway.Event) error {
	if event.Kind != "deployment.ended" {
		host.Debugf("%s is not sent", event.Kind)
		return nil
	}
	url, err := host.RequireSetting("url")
	if err != nil {
		return err
	}
	request, err := shipway.JSONRequest("POST", url, message{
		ID:          event.ID,
		App:         event.Deployment.App,
		Environment: event.Deployment.Environment,
		Text:        event.Summary,
	})
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
	if !response.OK() {
		return refused(response.Status)
	}
	host.Infof("sent to %s", url)
	return nil
}

// refused says whether it is worth to try again.
func refused(status uint16) error {
	retryable := status == 429 || status/100 == 5
	code := shipway.Code("refused")
	if retryable {
		code = shipway.Unavailable
	}
	failure := shipway.Failuref(code, "the receiver answered %d", status)
	failure.Retryable = retryable
	return failure
}
