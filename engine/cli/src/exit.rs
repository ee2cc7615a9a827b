//! What the exit code says.

use std::process::ExitCode;

const EXIT_CODES: &str = "Exit codes:
  0    succeeded
  1    failed
  2    wrong usage
  3    cancelled, or superseded by a newer deployment
  4    the API refused, could not be reached, or broke off
  130  detached with Ctrl-C or by a signal; the deployment goes on";

/// Examples, then what the exit code of a verb that follows says.
pub fn with_exit_codes(examples: &str) -> String {
    format!("{examples}\n\n{EXIT_CODES}")
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    Success,
    /// The deployment failed.
    Failed,
    Usage,
    /// The deployment was cancelled or superseded.
    Stopped,
    /// The API, the way to it, or this machine.
    Trouble,
    /// Ctrl-C while following.
    Detached,
}

impl From<()> for Exit {
    fn from((): ()) -> Self {
        Self::Success
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Success => 0,
            Exit::Failed => 1,
            Exit::Usage => 2,
            Exit::Stopped => 3,
            Exit::Trouble => 4,
            Exit::Detached => 130,
        })
    }
}
