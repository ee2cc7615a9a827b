//! A thousand watchers are a thousand sockets, and the usual soft limit is as
//! many files.

use nix::sys::resource::{Resource, getrlimit, setrlimit};

/// Enough for all; more would slow down programs that close every file that
/// there could be. What the engine starts has the same limit.
const ENOUGH: u64 = 65_536;

/// As many open files as this user may have, up to enough.
pub fn raise_limit() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(soft, hard)| {
        let wanted = hard.min(ENOUGH).max(soft);
        setrlimit(Resource::RLIMIT_NOFILE, wanted, hard)
    });
    if let Err(error) = raised {
        tracing::warn!(%error, "the limit of open files could not be raised");
    }
}
