//! One bounded command inside an instance: the container's own user, variables,
//! limits and network, and no privileges more.
//!
//! An engine lets nobody signal what it runs inside a container. So the command
//! runs beside a watcher (`driver`) that ends its whole group when its input
//! ends: at the timeout, when nobody waits any more, and when this process dies.
//! An image without `/bin/sh` can have no watcher; there a command that takes
//! too long goes on, within the container's limits, until the instance is stopped.

use std::pin::Pin;
use std::time::{Duration, Instant};

use bollard::Docker;
use bollard::container::LogOutput;
use bollard::errors::Error;
use bollard::exec::StartExecResults;
use bollard::models::ExecConfig;
use futures::{Stream, StreamExt};
use shipway_core::ports::runtime::{ExecRequest, ProbeOutput, RuntimeError};
use tokio::io::{AsyncWrite, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use super::driver;
use super::engine::{CALL, Engine};
use super::failure::{cannot_execute, explain, message, within};
use super::output::{self, NOT_FOUND, not_found};

/// What the engine writes in place of the output of a program that it could not
/// start, with the exit status 126 or 127.
const REFUSED: &[u8] = b"OCI runtime exec failed";
/// How long a command that was ended may take to be gone, and the engine to
/// know how one ended.
const ENDING: Duration = Duration::from_secs(5);
const LOOK: Duration = Duration::from_millis(20);

pub async fn exec(engine: &Engine, request: &ExecRequest) -> Result<ProbeOutput, RuntimeError> {
    if request.argv.is_empty() {
        return Err(RuntimeError::Other {
            what: doing(request),
            source: "there is no program to run".into(),
        });
    }
    let docker = engine.docker().await?;
    let watched = run(docker, request, driver::watched(&request.argv)).await?;
    if !is_refused(&watched) {
        return Ok(watched);
    }
    let bare = run(docker, request, request.argv.clone()).await?;
    if is_refused(&bare) {
        let said = String::from_utf8_lossy(&bare.stdout);
        return Ok(not_found(said.trim(), request.limit));
    }
    Ok(bare)
}

async fn run(
    docker: &Docker,
    request: &ExecRequest,
    words: Vec<String>,
) -> Result<ProbeOutput, RuntimeError> {
    let (id, mut attached) = match start(docker, request, words).await {
        Ok(started) => started,
        Err(error) if cannot_execute(&error) => {
            return Ok(not_found(&message(&error), request.limit));
        }
        Err(error) => return Err(explain(doing(request), CALL, error)),
    };
    let listening = output::collect(&mut attached.output, request.limit);
    let Ok(heard) = timeout(request.timeout, listening).await else {
        attached.end(&request.instance.id).await;
        return Err(RuntimeError::Timeout {
            what: format!("the command {:?}", request.argv.first()),
            seconds: request.timeout.as_secs(),
        });
    };
    let mut kept = heard.map_err(|error| explain("read a command's output", CALL, error))?;
    kept.exit_code = exit_code(docker, &id, request).await?;
    Ok(kept)
}

/// A command that somebody listens to. Dropping it ends the command.
struct Attached {
    output: Pin<Box<dyn Stream<Item = Result<LogOutput, Error>> + Send>>,
    input: Pin<Box<dyn AsyncWrite + Send>>,
}

impl Attached {
    /// Tells the watcher, and waits until nothing writes any more.
    async fn end(mut self, instance: &str) {
        let ending = async {
            self.input.shutdown().await?;
            while self.output.next().await.is_some() {}
            std::io::Result::Ok(())
        };
        if !matches!(timeout(ENDING, ending).await, Ok(Ok(()))) {
            tracing::warn!(
                instance,
                "a command that took too long may go on until the instance is stopped"
            );
        }
    }
}

async fn start(
    docker: &Docker,
    request: &ExecRequest,
    words: Vec<String>,
) -> Result<(String, Attached), Error> {
    let config = ExecConfig {
        attach_stdin: Some(true),
        attach_stdout: Some(true),
        attach_stderr: Some(true),
        tty: Some(false),
        privileged: Some(false),
        cmd: Some(words),
        ..ExecConfig::default()
    };
    let creating = docker.create_exec(&request.instance.id, config);
    let id = within(CALL, creating).await?.id;
    match within(CALL, docker.start_exec(&id, None)).await? {
        StartExecResults::Attached { output, input } => Ok((id, Attached { output, input })),
        StartExecResults::Detached => Err(Error::IOError {
            err: std::io::Error::other("the engine did not attach us"),
        }),
    }
}

/// The engine may know a moment later than the output's end.
async fn exit_code(docker: &Docker, id: &str, request: &ExecRequest) -> Result<i32, RuntimeError> {
    let until = Instant::now() + ENDING;
    while Instant::now() < until {
        let found = within(CALL, docker.inspect_exec(id))
            .await
            .map_err(|error| explain(doing(request), CALL, error))?;
        if let (Some(false), Some(code)) = (found.running, found.exit_code) {
            return Ok(i32::try_from(code).unwrap_or(NOT_FOUND));
        }
        sleep(LOOK).await;
    }
    Err(RuntimeError::Timeout {
        what: "the engine's answer how a command ended".to_owned(),
        seconds: ENDING.as_secs(),
    })
}

/// Whether the program could not be started. The container's own program could
/// say the same; it would be started once more, and nothing else.
fn is_refused(output: &ProbeOutput) -> bool {
    let said = &output.stdout;
    let known = said
        .get(..said.len().min(REFUSED.len()))
        .unwrap_or_default();
    matches!(output.exit_code, 126 | NOT_FOUND) && !said.is_empty() && REFUSED.starts_with(known)
}

fn doing(request: &ExecRequest) -> String {
    format!(
        "run a command in the {} instance {}",
        request.instance.process, request.instance.id
    )
}
