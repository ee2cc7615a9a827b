//! Starts a supervisor, hands it its job and waits for its answer.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use shipway_core::ports::runtime::RuntimeError;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::process::Child;

use super::ProcessRuntime;
use super::child::Scratch;
use super::state::failed;
use crate::supervise::spec::{CommandSpec, Job, Spec};

const SUPERVISOR_LOG: &str = "supervisor.log";
/// How long a supervisor may take to start an instance.
const START: Duration = Duration::from_secs(20);

/// Starts the supervisor of an instance and waits until it has started that.
pub async fn launch(runtime: &ProcessRuntime, spec: Spec) -> Result<(), RuntimeError> {
    let what = "start the supervisor of an instance";
    let image_home = spec.program.folder.with_file_name("home");
    Scratch::make(&spec.folder, Some(&image_home)).map_err(|error| failed(what, error))?;
    start(runtime, &Job::Instance(spec), what).await
}

/// Starts the supervisor of a command and waits until it, or one that was
/// started before it, has taken the command on.
pub async fn launch_command(
    runtime: &ProcessRuntime,
    spec: CommandSpec,
) -> Result<(), RuntimeError> {
    let what = "start the supervisor of a command";
    start(runtime, &Job::Command(spec), what).await
}

async fn start(runtime: &ProcessRuntime, job: &Job, what: &str) -> Result<(), RuntimeError> {
    let folder = job.folder();
    let mut supervisor = spawn(runtime, folder).map_err(|error| failed(what, error))?;
    let told = tokio::time::timeout(START, tell(&mut supervisor, job)).await;
    // Reaps it whenever it ends; the supervisor itself does not depend on us.
    tokio::spawn(async move { supervisor.wait().await });
    match told {
        Ok(Ok(0)) | Err(_) => Err(RuntimeError::Other {
            what: what.to_owned(),
            source: last_words(folder).into(),
        }),
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(failed(what, error)),
    }
}

fn spawn(runtime: &ProcessRuntime, folder: &Path) -> std::io::Result<Child> {
    let (program, arguments) = runtime
        .config
        .supervisor
        .split_first()
        .ok_or_else(|| std::io::Error::other("no supervisor is configured"))?;
    tokio::process::Command::new(program)
        .args(arguments)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(File::create(folder.join(SUPERVISOR_LOG))?)
        .spawn()
}

/// Sends the job and reads the one line that answers it.
async fn tell(supervisor: &mut Child, job: &Job) -> std::io::Result<usize> {
    let text = serde_json::to_vec(job)?;
    if let Some(mut stdin) = supervisor.stdin.take() {
        let sent = async {
            stdin.write_all(&text).await?;
            stdin.shutdown().await
        };
        match sent.await {
            // It ended before it read: its last words say why.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(0),
            sent => sent?,
        }
    }
    let mut line = String::new();
    match supervisor.stdout.take() {
        Some(stdout) => BufReader::new(stdout).read_line(&mut line).await,
        None => Ok(0),
    }
}

fn last_words(folder: &Path) -> String {
    let said = fs::read_to_string(folder.join(SUPERVISOR_LOG)).unwrap_or_default();
    match said.lines().last() {
        Some(line) => line.to_owned(),
        None => "it said nothing; is `shipway supervise` there?".to_owned(),
    }
}
