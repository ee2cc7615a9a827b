package shipway

// Notifier is the role of a notifier: it tells others what happens in
// deployments.
type Notifier interface {
	// Deliver delivers one event. It may come again with the same id, after an
	// error or a crash, and never changes the deployment's result. A [Failure]
	// that is Retryable asks for another try later; any other error gives this
	// event up.
	Deliver(host *Host, event Event) error
}

// NotifierFunc makes a notifier of a function.
type NotifierFunc func(host *Host, event Event) error

// Deliver calls the function.
func (f NotifierFunc) Deliver(host *Host, event Event) error {
	return f(host, event)
}

// Event is one line of a deployment's journal, as others see it.
type Event struct {
	// ID is the same in every retry, so that a receiver can drop repeats.
	ID string
	// Sequence is the event's number in its deployment, from 1, without a gap.
	Sequence uint64
	// Time is RFC 3339, UTC.
	Time string
	// Kind is deployment.queued, step.started, step.succeeded,
	// deployment.ended and so on. The list grows: expect words you do not
	// know.
	Kind       string
	Deployment Deployment
	// Summary is one sentence for a person.
	Summary string
	// Data is the event's own data as JSON, as in the API.
	Data       string
	Attributes Attributes
}
