package shipway

// Plugin is a plugin: who it is, and the roles it has. A role that it does not
// have is nil. The roles that are built stand in shipway-plugin.toml.
type Plugin struct {
	Manifest      Manifest
	ReleaseSource ReleaseSource
	Notifier      Notifier
	SelfTest      SelfTest
}

// Manifest says who a plugin is, what it can be set to, and what it asks for.
// It is read when the plugin is installed, with nothing granted.
type Manifest struct {
	// Name has lower-case letters, digits and dashes, at most 63.
	Name string
	// Version is a semantic version.
	Version string
	// Summary is one sentence for a person.
	Summary    string
	Settings   []Setting
	Requests   []Request
	Attributes Attributes
}

// Setting is one setting that a plugin reads with [Host.Setting].
type Setting struct {
	Name string
	// Summary says what it does, and what holds when it is not set.
	Summary  string
	Required bool
	// Secret settings reach the plugin as an opaque placeholder; the host puts
	// the value in on the way out, to the hosts that it is granted for.
	Secret bool
	// Places are where in a request the plugin puts a secret: header:NAME,
	// path, query, body, or url for a URL that is secret as a whole. Anywhere
	// else the placeholder is refused.
	Places     []string
	Attributes Attributes
}

// Request is one capability that a plugin asks for. A request is never a
// grant.
type Request struct {
	Capability Capability
	// Targets are globs for files, names for variables, and for HTTP
	// scheme://host[:port] or setting:NAME for the origin of the URL in that
	// setting, each perhaps after its methods: POST,PUT https://example.com.
	Targets []string
	// Reason is one sentence that an operator reads before granting.
	Reason     string
	Attributes Attributes
}

// Capability is what a plugin can ask for.
type Capability string

const (
	// CapabilityFiles is to read files of the commit.
	CapabilityFiles Capability = "files"
	// CapabilityVariables is to read plain variables of the environment.
	CapabilityVariables Capability = "variables"
	// CapabilityImage is to run a bounded command in the built image.
	CapabilityImage Capability = "image"
	// CapabilityHTTP is to send requests.
	CapabilityHTTP Capability = "http"
	// CapabilityExec is to run a bounded command in the candidate, in a
	// self-test.
	CapabilityExec Capability = "exec"
)
