//! Starts a supervisor, hands it its spec and waits for its answer.

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
use crate::supervise::spec::Spec;

const SUPERVISOR_LOG: &str = "supervisor.log";
/// How long a supervisor may take to start an instance.
const START: Duration = Duration::from_secs(20);

/// Starts a supervisor and waits until it has started the instance.
pub async fn launch(runtime: &ProcessRuntime, spec: &Spec) -> Result<(), RuntimeError> {
    let what = "start the supervisor of an instance";
    let image_home = spec.program.folder.with_file_name("home");
    Scratch::make(&spec.folder, Some(&image_home)).map_err(|error| failed(what, error))?;
    let mut supervisor = spawn(runtime, spec).map_err(|error| failed(what, error))?;
    let told = tokio::time::timeout(START, tell(&mut supervisor, spec)).await;
    // Reaps it whenever it ends; the supervisor itself does not depend on us.
    tokio::spawn(async move { supervisor.wait().await });
    match told {
        Ok(Ok(0)) | Err(_) => Err(RuntimeError::Other {
            what: what.to_owned(),
            source: last_words(&spec.folder).into(),
        }),
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(failed(what, error)),
    }
}

fn spawn(runtime: &ProcessRuntime, spec: &Spec) -> std::io::Result<Child> {
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
        .stderr(File::create(spec.folder.join(SUPERVISOR_LOG))?)
        .spawn()
}

/// Sends the spec and reads the one line that answers it.
async fn tell(supervisor: &mut Child, spec: &Spec) -> std::io::Result<usize> {
    let text = serde_json::to_vec(spec)?;
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
