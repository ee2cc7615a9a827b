package shipway

// Attributes are name and value pairs, in no promised order. What later
// versions of the contract add travels here; ignore names you do not know.
type Attributes [][2]string

// Get gives the first value of a name.
func (a Attributes) Get(name string) (string, bool) {
	for _, pair := range a {
		if pair[0] == name {
			return pair[1], true
		}
	}
	return "", false
}

// Deployment is the deployment a call belongs to.
type Deployment struct {
	// ID is a UUID, the same in every event and log line.
	ID          string
	App         string
	Environment string
	// Commit is the full commit id. Empty while the commit is not resolved.
	Commit string
	// Reference is what was asked for: a branch, a tag or a commit.
	Reference  string
	Attributes Attributes
}

// Provenance is where something was found, so that a person can go there.
type Provenance struct {
	// File is a path in the repository, or empty when it was not a file.
	File string
	// Place is the place in it: "line 3", "MIGRATION_COMMANDS[0]".
	Place string
}
