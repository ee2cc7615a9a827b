//! One bounded command inside an instance: its folder, variables, home and
//! limits. It has a run of its own, so that it is found and ended after a crash,
//! and its cgroup is within the instance's, so that it ends with the instance.

use std::future::pending;

use shipway_core::ports::runtime::{
    ExecRequest, InstanceStatus, ProbeOutput, RuntimeError, Variables,
};

use super::ProcessRuntime;
use super::child::Program;
use super::images::resolve;
use super::instances::{self, Place};
use super::probe::{not_started, output};
use super::run::Run;
use super::running::Running;
use super::state::failed;

pub async fn exec(
    runtime: &ProcessRuntime,
    request: &ExecRequest,
) -> Result<ProbeOutput, RuntimeError> {
    let place = running_place(runtime, request)?;
    let run = Run::inside(&runtime.state, request.deployment, &place.record.group)?;
    let output = run_in(runtime, request, &place, &run).await;
    run.close().await;
    output
}

fn running_place(runtime: &ProcessRuntime, request: &ExecRequest) -> Result<Place, RuntimeError> {
    let why = match instances::place(&runtime.state, &request.instance) {
        Some(place) => match place.status() {
            InstanceStatus::Running(_) => return Ok(place),
            InstanceStatus::Exited(exit) => format!("the instance {exit}"),
            InstanceStatus::Gone => "the instance is gone".to_owned(),
        },
        None => "the instance is gone".to_owned(),
    };
    Err(RuntimeError::Other {
        what: doing(request),
        source: why.into(),
    })
}

async fn run_in(
    runtime: &ProcessRuntime,
    request: &ExecRequest,
    place: &Place,
    run: &Run,
) -> Result<ProbeOutput, RuntimeError> {
    let program = Program {
        argv: request.argv.clone(),
        folder: resolve(&runtime.state, &request.image)?.app(),
        variables: variables(runtime, request, place)?,
        group: run.group.clone(),
    };
    let command = program
        .command()
        .map_err(|error| failed(doing(request), error))?;
    let mut running = match Running::start(command, run.group.clone()) {
        Ok(running) => running,
        Err(error) => return Ok(not_started(&program, &error)),
    };
    run.note(running.id())?;
    let timed_out = || RuntimeError::Timeout {
        what: format!("the command {:?}", request.argv.first()),
        seconds: request.timeout.as_secs(),
    };
    // What is not waited for any more is killed with its group.
    let waiting = running.bytes_until(request.limit, pending());
    let (exit, stdout, stderr) = tokio::time::timeout(request.timeout, waiting)
        .await
        .map_err(|_elapsed| timed_out())?
        .map_err(|error| failed("wait for the command", error))?;
    output(exit, stdout, stderr).ok_or_else(timed_out)
}

fn variables(
    runtime: &ProcessRuntime,
    request: &ExecRequest,
    place: &Place,
) -> Result<Variables, RuntimeError> {
    instances::variables(runtime, &place.record, &request.variables, &place.folder)
}

fn doing(request: &ExecRequest) -> String {
    format!(
        "run a command in the {} instance {}",
        request.instance.process, request.instance.id
    )
}
