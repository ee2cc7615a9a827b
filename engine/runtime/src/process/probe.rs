//! One bounded command in an image, for a plugin that wants to know something
//! only the app's own code can tell.

use shipway_core::environment::Limits;
use shipway_core::journal::Exit;
use shipway_core::ports::runtime::{ProbeOutput, ProbeRequest, RuntimeError};
use shipway_core::secret::Secret;

use super::ProcessRuntime;
use super::child::{Program, base_variables};
use super::images::{ImageFolder, resolve};
use super::isolation;
use super::run::Run;
use super::running::{Kept, Running, time_out};
use super::state::failed;

/// Memory that a probe may take, where the machine can keep it to that.
const LIMITS: Limits = Limits {
    memory_mib: Some(1024),
    cpu_millis: None,
};
/// What a shell says of a program that is not there.
const NOT_FOUND: i32 = 127;
/// What a shell adds to the number of the signal that ended a program.
const SIGNALLED: i32 = 128;

pub async fn run(
    runtime: &ProcessRuntime,
    request: &ProbeRequest,
) -> Result<ProbeOutput, RuntimeError> {
    let image = resolve(&runtime.state, &request.image)?;
    let run = Run::open(
        &runtime.state,
        runtime.cgroups(),
        request.deployment,
        LIMITS,
        Some(&image.home()),
    )?;
    let output = run_in(runtime, request, &image, &run).await;
    run.close().await;
    output
}

async fn run_in(
    runtime: &ProcessRuntime,
    request: &ProbeRequest,
    image: &ImageFolder,
    run: &Run,
) -> Result<ProbeOutput, RuntimeError> {
    let isolation = isolation::prepare(run.folder())?;
    let program = program(runtime, request, image, run);
    let started = program
        .isolated_command(isolation)
        .and_then(|command| Running::start(command, run.group.clone()));
    let mut running = match started {
        Ok(running) => running,
        Err(error) => return Ok(not_started(&program, &error)),
    };
    run.note(running.id())?;
    let (exit, stdout, stderr) = running
        .bytes_until(request.limit, time_out(request.timeout))
        .await
        .map_err(|error| failed("wait for the probe", error))?;
    output(exit, stdout, stderr).ok_or_else(|| RuntimeError::Timeout {
        what: "the probe".to_owned(),
        seconds: request.timeout.as_secs(),
    })
}

/// What a program left that ended by itself.
pub fn output(exit: Exit, stdout: Kept, stderr: Kept) -> Option<ProbeOutput> {
    let exit_code = match exit {
        Exit::Code { code } => code,
        Exit::Signal { signal } => SIGNALLED + signal,
        Exit::TimedOut { .. } | Exit::NotStarted | Exit::Cancelled | Exit::Interrupted => {
            return None;
        }
    };
    Some(ProbeOutput {
        exit_code,
        truncated: stdout.truncated || stderr.truncated,
        stdout: stdout.bytes,
        stderr: stderr.bytes,
    })
}

fn program(
    runtime: &ProcessRuntime,
    request: &ProbeRequest,
    image: &ImageFolder,
    run: &Run,
) -> Program {
    let scratch = &run.scratch;
    let asked = request.variables.iter();
    Program {
        argv: request.argv.clone(),
        folder: image.app(),
        variables: base_variables(runtime.search_path(), &scratch.home, &scratch.temporary)
            .into_iter()
            .chain(asked.map(|(name, value)| (name.clone(), Secret::new(value.clone()))))
            .collect(),
        group: run.group.clone(),
    }
}

/// What a shell would leave of a program that is not there.
pub fn not_started(program: &Program, error: &std::io::Error) -> ProbeOutput {
    let name = program.argv.first().map_or("", String::as_str);
    ProbeOutput {
        exit_code: NOT_FOUND,
        stdout: Vec::new(),
        stderr: format!("{name}: {error}\n").into_bytes(),
        truncated: false,
    }
}
