//! What a probe of the image and a command in the candidate share: form,
//! limits, time.

use std::time::{Duration, Instant};

use shipway_core::ports::runtime::{ProbeOutput, RuntimeError};

use super::{Code, failure};
use crate::bindings::model::{Failure, Output};
use crate::clock::Grace;
use crate::sandbox::Sandbox;

const MOST_ARGUMENTS: usize = 128;
/// Bytes of arguments and variables.
const LONGEST_COMMAND: usize = 64 << 10;
/// Bytes of each stream.
const STREAM_LIMIT: usize = 1 << 20;

impl Sandbox {
    /// Probes and commands of a call count together.
    pub(super) fn count_command(&mut self) -> Result<(), Failure> {
        self.commands += 1;
        match self.commands > self.limits.commands {
            true => {
                let message = format!("a call may run {} commands", self.limits.commands);
                Err(failure(Code::Limit, message))
            }
            false => Ok(()),
        }
    }
}

/// Whether a command can be run at all.
pub(super) fn is_fit(argv: &[String], variables: &[(String, String)]) -> Result<(), Failure> {
    let nul = argv.iter().any(|argument| argument.contains('\0'));
    let size = size(argv, variables);
    match argv.is_empty() || argv.len() > MOST_ARGUMENTS || size > LONGEST_COMMAND || nul {
        true => Err(failure(
            Code::Invalid,
            "a command has 1 to 128 arguments, at most 64 KiB in all, without NUL",
        )),
        false => Ok(()),
    }
}

pub(super) fn size(argv: &[String], variables: &[(String, String)]) -> usize {
    let arguments: usize = argv.iter().map(String::len).sum();
    let variables: usize = variables
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    arguments + variables
}

/// The command's time is not the plugin's: a container has to start.
pub(super) async fn in_time<T>(
    longest: Duration,
    grace: &Grace,
    work: impl Future<Output = T>,
) -> Result<T, Failure> {
    let began = Instant::now();
    grace.add(longest);
    let outcome = tokio::time::timeout(longest, work).await;
    grace.take_back(longest.saturating_sub(began.elapsed()));
    outcome.map_err(|_| failure(Code::Timeout, "the command took longer than 60 s"))
}

pub(super) fn bounded(mut output: ProbeOutput) -> Output {
    let cut = output.stdout.len() > STREAM_LIMIT || output.stderr.len() > STREAM_LIMIT;
    output.stdout.truncate(STREAM_LIMIT);
    output.stderr.truncate(STREAM_LIMIT);
    Output {
        exit_code: output.exit_code,
        stdout: output.stdout,
        stderr: output.stderr,
        truncated: output.truncated || cut,
        attributes: Vec::new(),
    }
}

pub(super) fn refused(error: &RuntimeError) -> Failure {
    let code = match error {
        RuntimeError::Timeout { .. } => Code::Timeout,
        _ => Code::Unavailable,
    };
    failure(code, error.to_string())
}
