//! `image`: the probe, one bounded command in the image that was built.

use std::sync::Arc;
use std::time::{Duration, Instant};

use shipway_core::ports::plugins::ImageProbe;
use shipway_core::ports::runtime::{ProbeOutput, RuntimeError};

use super::{Code, failure};
use crate::bindings::image::{Host, Output};
use crate::bindings::model::Failure;
use crate::sandbox::Sandbox;

/// The runtime ends a probe after 60 s; this is for a runtime that does not.
const LONGEST: Duration = Duration::from_secs(65);
const MOST_ARGUMENTS: usize = 128;
/// Bytes of arguments and variables.
const LONGEST_COMMAND: usize = 64 << 10;
/// Bytes of each stream.
const STREAM_LIMIT: usize = 1 << 20;

type Variables = Vec<(String, String)>;

impl Host for Sandbox {
    async fn run(
        &mut self,
        argv: Vec<String>,
        variables: Variables,
    ) -> wasmtime::Result<Result<Output, Failure>> {
        let size = size(&argv, &variables);
        self.hand_over(size)?;
        Ok(match self.may_run(&argv, size) {
            Ok(probe) => self.probe(probe, argv, variables).await,
            Err(refused) => Err(refused),
        })
    }
}

impl Sandbox {
    fn may_run(&mut self, argv: &[String], size: usize) -> Result<Arc<dyn ImageProbe>, Failure> {
        if let Err(denied) = self.scene.rights.image() {
            return Err(self.refuse(denied));
        }
        let nul = argv.iter().any(|argument| argument.contains('\0'));
        if argv.is_empty() || argv.len() > MOST_ARGUMENTS || size > LONGEST_COMMAND || nul {
            let message = "a probe has 1 to 128 arguments, at most 64 KiB in all, without NUL";
            return Err(failure(Code::Invalid, message));
        }
        self.image_runs += 1;
        if self.image_runs > self.limits.image_runs {
            let message = format!(
                "a call may probe the image {} times",
                self.limits.image_runs
            );
            return Err(failure(Code::Limit, message));
        }
        let none = || failure(Code::Unavailable, "there is no image yet");
        self.scene.image.clone().ok_or_else(none)
    }

    /// The probe's time is not the plugin's: a container has to start.
    async fn probe(
        &mut self,
        probe: Arc<dyn ImageProbe>,
        argv: Vec<String>,
        variables: Variables,
    ) -> Result<Output, Failure> {
        let began = Instant::now();
        self.grace.add(LONGEST);
        let outcome = tokio::time::timeout(LONGEST, probe.run(argv, variables)).await;
        self.grace
            .take_back(LONGEST.saturating_sub(began.elapsed()));
        match outcome {
            Ok(Ok(output)) => Ok(bounded(output)),
            Ok(Err(error)) => Err(refused(&error)),
            Err(_) => Err(failure(Code::Timeout, "the probe took longer than 60 s")),
        }
    }
}

fn size(argv: &[String], variables: &Variables) -> usize {
    let arguments: usize = argv.iter().map(String::len).sum();
    let variables: usize = variables
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    arguments + variables
}

fn bounded(mut output: ProbeOutput) -> Output {
    let cut = output.stdout.len() > STREAM_LIMIT || output.stderr.len() > STREAM_LIMIT;
    output.stdout.truncate(STREAM_LIMIT);
    output.stderr.truncate(STREAM_LIMIT);
    Output {
        exit_code: output.exit_code,
        stdout: output.stdout,
        stderr: output.stderr,
        truncated: output.truncated || cut,
    }
}

fn refused(error: &RuntimeError) -> Failure {
    let code = match error {
        RuntimeError::Timeout { .. } => Code::Timeout,
        _ => Code::Unavailable,
    };
    failure(code, error.to_string())
}
