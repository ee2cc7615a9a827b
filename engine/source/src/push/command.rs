//! `git receive-pack`, with nobody's configuration and a clean environment.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use async_trait::async_trait;
use shipway_core::ports::pushes::{Chunks, PushError};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::{failed, hook, packet};

/// For the list of references; there are few.
const ADVERTISE_PATIENCE: Duration = Duration::from_secs(20);
const LONGEST_ADVERTISEMENT: u64 = 16 << 20;
/// A pusher who sends nothing for so long is gone.
const SENDING_PATIENCE: Duration = Duration::from_secs(60);
/// How much of Git's own complaints is kept.
const LONGEST_COMPLAINT: u64 = 8 << 10;
const CHUNK: usize = 16 << 10;

#[derive(Debug)]
pub struct ReceivePack {
    pub path: PathBuf,
    pub hooks: PathBuf,
    pub namespace: String,
    pub push_limit: u64,
}

impl ReceivePack {
    pub async fn advertise(&self) -> Result<Vec<u8>, PushError> {
        let mut child = self
            .command()
            .args(["--stateless-rpc", "--advertise-refs"])
            .arg(&self.path)
            .stdin(Stdio::null())
            .spawn()
            .map_err(not_started)?;
        complain_of(&mut child);
        let mut answer = b"001f# service=git-receive-pack\n".to_vec();
        answer.extend(packet::FLUSH);
        let stdout = child.stdout.take();
        let read = async {
            if let Some(stdout) = stdout {
                let mut limited = stdout.take(LONGEST_ADVERTISEMENT);
                limited.read_to_end(&mut answer).await?;
            }
            child.wait().await
        };
        let what = "ask git for its references";
        match tokio::time::timeout(ADVERTISE_PATIENCE, read).await {
            Ok(Ok(status)) if status.success() => Ok(answer),
            Ok(Ok(status)) => Err(failed(what, format!("git ended with {status}"))),
            Ok(Err(error)) => Err(failed(what, error)),
            Err(_) => Err(failed(what, "it took too long")),
        }
    }

    /// Starts it; what is sent is passed on by a task of its own.
    pub fn start(
        &self,
        address: &Path,
        ticket: &str,
        sent: Box<dyn Chunks>,
    ) -> Result<Child, PushError> {
        let mut child = self
            .command()
            .arg("--stateless-rpc")
            .arg(&self.path)
            .env(hook::ADDRESS, address)
            .env(hook::TICKET, ticket)
            .stdin(Stdio::piped())
            .spawn()
            .map_err(not_started)?;
        complain_of(&mut child);
        if let Some(stdin) = child.stdin.take() {
            tokio::spawn(pass_on(sent, stdin));
        }
        Ok(child)
    }

    fn command(&self) -> Command {
        let mut command = Command::new("git");
        let path = std::env::var_os("PATH").unwrap_or_default();
        let hooks = format!("core.hooksPath={}", self.hooks.display());
        let limit = format!("receive.maxInputSize={}", self.push_limit);
        for setting in [
            hooks.as_str(),
            limit.as_str(),
            // Every reference is the hook's to decide.
            "receive.procReceiveRefs=refs",
            "transfer.fsckObjects=true",
            "receive.unpackLimit=1",
            "receive.advertisePushOptions=false",
        ] {
            command.args(["-c", setting]);
        }
        command
            .arg("receive-pack")
            .env_clear()
            .env("PATH", path)
            .env("HOME", &self.hooks)
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_NAMESPACE", &self.namespace)
            .current_dir(&self.path)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .kill_on_drop(true);
        command
    }
}

fn not_started(error: std::io::Error) -> PushError {
    match error.kind() {
        std::io::ErrorKind::NotFound => PushError::NoGit,
        _ => failed("start git", error),
    }
}

/// What Git itself complains of is for the engine's log: the pusher is told
/// through the conversation.
fn complain_of(child: &mut Child) {
    let Some(stderr) = child.stderr.take() else {
        return;
    };
    tokio::spawn(async move {
        let mut text = Vec::new();
        let mut limited = stderr.take(LONGEST_COMPLAINT);
        let read = limited.read_to_end(&mut text).await;
        let text = String::from_utf8_lossy(&text);
        if read.is_ok() && !text.trim().is_empty() {
            tracing::warn!(text = text.trim(), "git complained about a push");
        }
        // Who cannot write would stop.
        let mut rest = limited.into_inner();
        let _ = tokio::io::copy(&mut rest, &mut tokio::io::sink()).await;
    });
}

/// Dropped, its end tells Git that nothing more comes.
async fn pass_on(mut sent: Box<dyn Chunks>, mut to: ChildStdin) {
    while let Ok(Some(Ok(bytes))) = tokio::time::timeout(SENDING_PATIENCE, sent.next()).await {
        if to.write_all(&bytes).await.is_err() {
            return;
        }
    }
}

/// What Git answers, to its end. Dropped, Git is stopped; a deployment is not.
pub struct Answer<K> {
    child: Child,
    stdout: Option<ChildStdout>,
    /// Held until the answer is over.
    _kept: K,
}

impl<K> Answer<K> {
    pub fn new(mut child: Child, kept: K) -> Self {
        Self {
            stdout: child.stdout.take(),
            child,
            _kept: kept,
        }
    }
}

#[async_trait]
impl<K: Send> Chunks for Answer<K> {
    async fn next(&mut self) -> Option<std::io::Result<Vec<u8>>> {
        let stdout = self.stdout.as_mut()?;
        let mut chunk = vec![0; CHUNK];
        match stdout.read(&mut chunk).await {
            Ok(0) => {
                self.stdout = None;
                let _ = self.child.wait().await;
                None
            }
            Ok(length) => {
                chunk.truncate(length);
                Some(Ok(chunk))
            }
            Err(error) => Some(Err(error)),
        }
    }
}
