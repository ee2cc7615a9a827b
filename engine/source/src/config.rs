use std::path::PathBuf;
use std::time::Duration;

/// Where mirrors and working directories are kept, and what a repository may
/// take.
#[derive(Debug, Clone)]
pub struct GitConfig {
    /// Holds `mirrors/` and `work/`. It belongs to one engine.
    pub state_dir: PathBuf,
    /// For everything a checkout does, waiting for its turn included. 10 min
    /// unless set.
    pub timeout: Duration,
    /// For a connection to a Git host. 10 s unless set. This and the next are
    /// settings of libgit2 for the whole process: the newest source's hold.
    pub connect_timeout: Duration,
    /// For each answer of a Git host. 30 s unless set.
    pub answer_timeout: Duration,
    /// Bytes that one fetch may bring. 4 GiB unless set.
    pub transfer_limit: u64,
    /// Bytes of the files of a commit, submodules included. 8 GiB unless set.
    pub tree_limit: u64,
}

impl GitConfig {
    pub fn new(state_dir: impl Into<PathBuf>) -> Self {
        Self {
            state_dir: state_dir.into(),
            timeout: Duration::from_secs(10 * 60),
            connect_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(30),
            transfer_limit: 4 << 30,
            tree_limit: 8 << 30,
        }
    }
}
