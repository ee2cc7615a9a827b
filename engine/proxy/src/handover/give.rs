//! The running proxy's side of a hand-over.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};
use tokio::time::timeout;

use crate::control::Control;
use crate::handover::line::{self, Offer, Program, VARIABLE, Word};

/// Why a restart did not come about. The proxy that was asked serves on.
#[derive(Debug, thiserror::Error)]
pub enum HandOverError {
    #[error(
        "this proxy does not know how it was started, so it cannot restart itself; stop it and start it"
    )]
    NoProgram,
    #[error("{} could not be started; the proxy that runs serves on", program.display())]
    Start { program: PathBuf, source: io::Error },
    #[error("the new proxy could not be spoken to; the one that runs serves on")]
    Line { source: io::Error },
    #[error(
        "the new proxy was not ready within {} s and was stopped; the one that runs serves on",
        limit.as_secs()
    )]
    TimedOut { limit: Duration },
    #[error(
        "the new proxy ended at once ({status}), its log says why; the one that runs serves on"
    )]
    Ended { status: ExitStatus },
    #[error("the new proxy did not start: {why}; the one that runs serves on")]
    Refused { why: String },
    #[error("the proxy stops, or restarts already")]
    Leaving,
}

/// The proxy that has taken over.
#[derive(Debug)]
pub(crate) struct Successor {
    pub pid: u32,
    /// It asks on this, as on the admin socket, in HTTP/2. Closed when it is
    /// gone.
    pub line: UnixStream,
}

/// Starts the program and hands over. When this returns, another proxy
/// accepts connections and has the routes; if it fails, nothing has changed.
/// May be dropped at any moment, which stops the new proxy.
pub(crate) async fn hand_over(
    program: &Program,
    offer: Offer,
    sockets: &[BorrowedFd<'_>],
    control: &Control,
    limit: Duration,
) -> Result<Successor, HandOverError> {
    let mut starting = Starting::spawn(program, limit)?;
    starting.offer(offer, sockets).await?;
    starting.hear(|word| matches!(word, Word::Prepared)).await?;
    // No route changes from here until the new proxy leads, or has failed.
    let frozen = control.freeze().await;
    if let Err(error) = starting.go().await {
        // Gone before a route can change here again.
        starting.stop().await;
        return Err(error);
    }
    frozen.hand_over();
    starting.succeeded()
}

/// A new proxy that does not serve yet; killed if it is given up.
struct Starting {
    child: Option<Child>,
    pid: u32,
    line: Option<UnixStream>,
    limit: Duration,
}

impl Starting {
    fn spawn(program: &Program, limit: Duration) -> Result<Self, HandOverError> {
        let failed = |source| HandOverError::Start {
            program: program.path.clone(),
            source,
        };
        let (ours, theirs) = std::os::unix::net::UnixStream::pair().map_err(failed)?;
        ours.set_nonblocking(true).map_err(failed)?;
        let line = UnixStream::from_std(ours).map_err(failed)?;
        let child = Command::new(&program.path)
            .args(&program.arguments)
            .env(VARIABLE, "1")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .spawn()
            .map_err(failed)?;
        Ok(Self {
            pid: child.id().unwrap_or_default(),
            child: Some(child),
            line: Some(line),
            limit,
        })
    }

    async fn offer(
        &mut self,
        offer: Offer,
        sockets: &[BorrowedFd<'_>],
    ) -> Result<(), HandOverError> {
        self.say(&Word::Offer(offer)).await?;
        let limit = self.limit;
        let line = self.line()?;
        let sending = async {
            let mut rest = sockets;
            while !rest.is_empty() {
                let send = || line::send_batch(line.as_fd(), rest);
                rest = line.async_io(Interest::WRITABLE, send).await?;
            }
            Ok(())
        };
        let sent = timeout(limit, sending).await;
        self.explain(sent).await
    }

    async fn say(&mut self, word: &Word) -> Result<(), HandOverError> {
        let limit = self.limit;
        let line = self.line()?;
        let saying = async { line.write_all(&line::encode(word)?).await };
        let said = timeout(limit, saying).await;
        self.explain(said).await
    }

    async fn hear(&mut self, expected: impl Fn(&Word) -> bool) -> Result<(), HandOverError> {
        let limit = self.limit;
        let line = self.line()?;
        let hearing = async {
            let mut prefix = [0; 4];
            line.read_exact(&mut prefix).await?;
            let mut text = vec![0; line::length_of(prefix)?];
            line.read_exact(&mut text).await?;
            Ok(serde_json::from_slice::<Word>(&text)?)
        };
        let heard = timeout(limit, hearing).await;
        match self.explain(heard).await? {
            Word::Failed { why } => Err(HandOverError::Refused { why }),
            word if expected(&word) => Ok(()),
            word => {
                let source = io::Error::other(format!("it said {word:?} out of turn"));
                Err(HandOverError::Line { source })
            }
        }
    }

    async fn go(&mut self) -> Result<(), HandOverError> {
        self.say(&Word::Go).await?;
        self.hear(|word| matches!(word, Word::Serving)).await?;
        self.say(&Word::Lead).await
    }

    async fn stop(&mut self) {
        if let Some(mut child) = self.child.take()
            && let Err(error) = child.kill().await
        {
            tracing::warn!(%error, pid = self.pid, "the new proxy could not be stopped");
        }
    }

    fn line(&mut self) -> Result<&mut UnixStream, HandOverError> {
        self.line.as_mut().ok_or(HandOverError::Leaving)
    }

    /// A line that broke has a cause: mostly the new proxy has ended.
    async fn explain<T>(
        &mut self,
        outcome: Result<io::Result<T>, tokio::time::error::Elapsed>,
    ) -> Result<T, HandOverError> {
        let source = match outcome {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(source)) => source,
            Err(_) => return Err(HandOverError::TimedOut { limit: self.limit }),
        };
        let Some(child) = &mut self.child else {
            return Err(HandOverError::Line { source });
        };
        match timeout(self.limit, child.wait()).await {
            Ok(Ok(status)) => Err(HandOverError::Ended { status }),
            _ => Err(HandOverError::Line { source }),
        }
    }

    fn succeeded(mut self) -> Result<Successor, HandOverError> {
        let line = self.line.take().ok_or(HandOverError::Leaving)?;
        // Not killed from here on. When it ends before this process does, it
        // is reaped in the background.
        drop(self.child.take());
        let pid = self.pid;
        Ok(Successor { pid, line })
    }
}

impl Drop for Starting {
    fn drop(&mut self) {
        if let Some(child) = &mut self.child
            && let Err(error) = child.start_kill()
        {
            tracing::debug!(%error, "the new proxy had ended before it was stopped");
        }
    }
}
