//! The image probe: one bounded command in the image that was built, without
//! network and without the environment's variables.

use std::borrow::Cow;

use crate::failure::Failure;
use crate::host;

/// What a command in the image wrote and how it ended.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    pub exit_code: i32,
    /// At most 1 MiB of each stream.
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    /// Whether a stream was longer than that.
    pub truncated: bool,
}

impl Output {
    /// What a command that succeeded wrote.
    pub fn success(stdout: impl Into<Vec<u8>>) -> Self {
        Self {
            stdout: stdout.into(),
            ..Self::default()
        }
    }

    /// What a command that failed wrote to its standard error.
    pub fn failure(exit_code: i32, stderr: impl Into<Vec<u8>>) -> Self {
        Self {
            exit_code,
            stderr: stderr.into(),
            ..Self::default()
        }
    }

    pub fn stdout_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.stdout)
    }

    pub fn stderr_text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.stderr)
    }
}

/// Runs `argv` in the image's working directory with these variables and no
/// others but the image's own, for at most 60 s.
///
/// # Errors
/// `unavailable` when there is no image yet, as in a plan made before the
/// first build; `denied`, `timeout`. A command that ends with a code other
/// than zero is no error of this function.
pub fn run(argv: &[&str], variables: &[(&str, &str)]) -> Result<Output, Failure> {
    host::run_image(argv, variables)
}
