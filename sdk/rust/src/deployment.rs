//! What a call is about.

/// Name and value pairs, in no promised order. What later versions of the
/// contract add travels here; ignore names you do not know.
pub type Attributes = Vec<(String, String)>;

/// The deployment a call belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Deployment {
    /// UUID, the same in every event and log line.
    pub id: String,
    pub app: String,
    pub environment: String,
    /// The full commit id. Empty while the commit is not resolved yet.
    pub commit: String,
    /// What was asked for: a branch, a tag or a commit.
    pub reference: String,
    pub attributes: Attributes,
}
