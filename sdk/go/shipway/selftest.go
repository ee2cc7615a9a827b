package shipway

import "time"

// SelfTest is the role of a self-test: it tests the new version before it is
// routed.
type SelfTest interface {
	// Run tests the candidate, whose addresses [Host.Endpoints] tells. An
	// error means that it could not be tested; a test that it does not pass is
	// a [Check] with [Fail].
	Run(host *Host, deployment Deployment) (*Report, error)
}

// SelfTestFunc makes a self-test of a function.
type SelfTestFunc func(host *Host, deployment Deployment) (*Report, error)

// Run calls the function.
func (f SelfTestFunc) Run(host *Host, deployment Deployment) (*Report, error) {
	return f(host, deployment)
}

// Report is what a self-test found.
type Report struct {
	Checks     []Check
	Attributes Attributes
}

// Check is one named check.
type Check struct {
	Name    string
	Outcome Outcome
	// Message is what was seen, in one sentence.
	Message string
	// Duration counts in whole milliseconds.
	Duration   time.Duration
	Attributes Attributes
}

// Outcome is how a check ended. Only [Fail] fails the deployment.
type Outcome uint8

// The outcomes, closed for good, in the contract's order.
const (
	Pass Outcome = iota
	Warn
	Fail
	Skip
)

var outcomes = [...]string{"pass", "warn", "fail", "skip"}

// String is the word of the contract.
func (o Outcome) String() string {
	if int(o) < len(outcomes) {
		return outcomes[o]
	}
	return "unknown"
}
