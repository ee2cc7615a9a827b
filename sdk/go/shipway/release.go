package shipway

import (
	"strings"
	"time"
)

// ReleaseSource is the role of a release source: it answers which commands an
// app wants to have run when it is deployed.
type ReleaseSource interface {
	// Collect gives the release commands that the commit asks for. No command
	// at all, or nil, is a good answer and not an error. An error fails the
	// deployment, since an app that misses a release command is worse than one
	// that is late.
	Collect(host *Host, deployment Deployment) (*Collected, error)
}

// ReleaseSourceFunc makes a release source of a function.
type ReleaseSourceFunc func(host *Host, deployment Deployment) (*Collected, error)

// Collect calls the function.
func (f ReleaseSourceFunc) Collect(host *Host, deployment Deployment) (*Collected, error) {
	return f(host, deployment)
}

// Collected is what a release source found.
type Collected struct {
	// Commands stand in the order in which they run.
	Commands []Command
	// Skipped is what the source saw and did not take.
	Skipped []Skipped
	// Warnings are what a person should know: a fallback that was taken, a
	// doubt.
	Warnings   []string
	Attributes Attributes
}

// Command is one command to run once per deployment. Only Run must be set.
type Command struct {
	// Label is what people read in plan and log: the command itself unless
	// set. The host adds the plugin's name where two are the same.
	Label string
	Run   Invocation
	// Phase is [PhaseRelease] unless set.
	Phase Phase
	// Entrypoint is [EntrypointBypass] unless set, as for the commands of an
	// app's own settings.
	Entrypoint Entrypoint
	// Timeout is 30 minutes unless set. It counts in whole seconds, at least
	// one.
	Timeout time.Duration
	// When is [WhenAlways] unless set.
	When When
	// Undo takes the command back, run in the new image, in reverse order. Nil
	// when nothing does.
	Undo       Invocation
	Provenance Provenance
	Attributes Attributes
}

// Invocation is how a command is run: a [Shell] or an [Argv], and nothing
// else.
type Invocation interface {
	// String is the command on one line, shortened where it is long.
	String() string

	invocation()
}

// Shell is one string for sh -c, byte for byte as its author wrote it.
type Shell string

// Argv is a program and its arguments, without a shell.
type Argv []string

func (Shell) invocation() {}
func (Argv) invocation()  {}

func (s Shell) String() string { return readable(strings.Fields(string(s))) }
func (a Argv) String() string  { return readable(a) }

// labelRunes is the longest label that is made from a command.
const labelRunes = 100

func readable(words []string) string {
	line := []rune(strings.Join(words, " "))
	if len(line) <= labelRunes {
		return string(line)
	}
	return string(line[:labelRunes-1]) + "…"
}

// Phase is when in a deployment a command runs.
type Phase string

const (
	// PhaseRelease: the image is built, the new version not started.
	PhaseRelease Phase = "release"
	// PhaseGate: the new version is up and healthy, not yet routed.
	PhaseGate Phase = "gate"
	// PhaseAfter: the new version is routed.
	PhaseAfter Phase = "after"
	// PhaseFailed: the deployment failed.
	PhaseFailed Phase = "failed"
)

// Entrypoint is whether the image's entrypoint stays in front of a command.
type Entrypoint string

const (
	// EntrypointKeep runs a command through the image's entrypoint.
	EntrypointKeep Entrypoint = "keep"
	// EntrypointBypass runs a command without it.
	EntrypointBypass Entrypoint = "bypass"
)

// When is at which deployments a command runs.
type When string

const (
	// WhenAlways: at every deployment.
	WhenAlways When = "always"
	// WhenFirstDeploy: only while the environment has never had a successful
	// deployment.
	WhenFirstDeploy When = "first-deploy"
	// WhenOnce: once per environment, image and command.
	WhenOnce When = "once"
)

// Skipped is something that a source saw and did not take.
type Skipped struct {
	What string
	// Reason is why, in one sentence.
	Reason     string
	Provenance Provenance
	Attributes Attributes
}
