//! A program that the engine itself waits for: a build or a probe. It is ended with its whole group, also when nobody waits any more.

use std::io;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use futures::future::join;
use nix::sys::signal::Signal;
use shipway_core::journal::Exit;
use shipway_core::ports::{LineEnd, Stream};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Child;
use tokio::sync::Notify;

use super::cgroup::Group;
use super::child::exit_of;
use super::identity::{ProcessId, signal_group};
use crate::lines::each_line;

/// How long a program may take to end after SIGTERM.
pub const GRACE: Duration = Duration::from_secs(10);
/// How long output is still read after a program has ended: something that
/// escaped may hold its pipes open.
const DRAIN: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub struct Running {
    child: Child,
    leader: i32,
    group: Group,
}

impl Running {
    pub fn start(command: Command, group: Group) -> io::Result<Self> {
        let child = tokio::process::Command::from(command).spawn()?;
        // A child that was not waited for always has its pid.
        let leader = child.id().and_then(|pid| i32::try_from(pid).ok());
        Ok(Self {
            child,
            leader: leader.unwrap_or(0),
            group,
        })
    }

    /// For a record from which it is found again after a crash.
    pub fn id(&self) -> Option<ProcessId> {
        self.child.id().and_then(ProcessId::of)
    }

    /// Waits for its end or for a reason to end it, whichever is first; then
    /// nothing of its group is left.
    async fn until(&mut self, stop: impl Future<Output = Exit>) -> io::Result<Exit> {
        let exit = tokio::select! {
            biased;
            status = self.child.wait() => exit_of(status?),
            exit = stop => {
                self.end().await?;
                exit
            }
        };
        self.kill_rest();
        Ok(exit)
    }

    async fn end(&mut self) -> io::Result<ExitStatus> {
        signal_group(self.leader, Signal::SIGTERM);
        if let Ok(status) = tokio::time::timeout(GRACE, self.child.wait()).await {
            return status;
        }
        signal_group(self.leader, Signal::SIGKILL);
        self.child.wait().await
    }

    fn kill_rest(&self) {
        signal_group(self.leader, Signal::SIGKILL);
        self.group.kill();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Reaped or not: without an id the child was waited for.
        if self.child.id().is_some() {
            self.kill_rest();
        }
    }
}

impl Running {
    /// Gives each line of both outputs to `take` until the program has ended,
    /// by itself or for the reason to stop it.
    pub async fn lines_until(
        &mut self,
        take: impl Fn(Stream, &str, LineEnd),
        stop: impl Future<Output = Exit>,
    ) -> io::Result<Exit> {
        let (stdout, stderr) = (self.child.stdout.take(), self.child.stderr.take());
        let out = async {
            if let Some(from) = stdout {
                each_line(from, |line, end| take(Stream::Stdout, line, end)).await;
            }
        };
        let err = async {
            if let Some(from) = stderr {
                each_line(from, |line, end| take(Stream::Stderr, line, end)).await;
            }
        };
        self.reading_until(join(out, err), stop).await
    }

    /// Reads the first `limit` bytes of each output. More is read and thrown
    /// away, so that the program does not hang on a full pipe.
    pub async fn bytes_until(
        &mut self,
        limit: usize,
        stop: impl Future<Output = Exit>,
    ) -> io::Result<(Exit, Kept, Kept)> {
        let (mut out, mut err) = (Kept::default(), Kept::default());
        let (stdout, stderr) = (self.child.stdout.take(), self.child.stderr.take());
        let reading = join(out.fill(stdout, limit), err.fill(stderr, limit));
        let exit = self.reading_until(reading, stop).await?;
        Ok((exit, out, err))
    }

    async fn reading_until(
        &mut self,
        reading: impl Future<Output = ((), ())>,
        stop: impl Future<Output = Exit>,
    ) -> io::Result<Exit> {
        let ended = Notify::new();
        let ending = async {
            let exit = self.until(stop).await;
            ended.notify_one();
            exit
        };
        let a_little_longer = async {
            ended.notified().await;
            tokio::time::sleep(DRAIN).await;
        };
        let reading = async {
            tokio::select! {
                biased;
                _ = reading => {}
                () = a_little_longer => {}
            }
        };
        tokio::join!(ending, reading).0
    }
}

/// The beginning of an output.
#[derive(Debug, Default)]
pub struct Kept {
    pub bytes: Vec<u8>,
    pub truncated: bool,
}

impl Kept {
    async fn fill(&mut self, from: Option<impl AsyncRead + Unpin>, limit: usize) {
        let Some(mut from) = from else { return };
        let mut buffer = vec![0; 8 * 1024];
        while let Ok(count @ 1..) = from.read(&mut buffer).await {
            let room = limit.saturating_sub(self.bytes.len());
            let kept = buffer.get(..count.min(room)).unwrap_or_default();
            self.bytes.extend_from_slice(kept);
            self.truncated |= count > room;
        }
    }
}

/// Never ends but with this reason, after this time.
pub async fn time_out(after: Duration) -> Exit {
    tokio::time::sleep(after).await;
    timed_out(after)
}

pub fn timed_out(after: Duration) -> Exit {
    Exit::TimedOut {
        after_seconds: u32::try_from(after.as_secs()).unwrap_or(u32::MAX),
    }
}
