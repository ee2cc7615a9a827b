//! Follows a command from its supervisor's records: passes on what it has
//! written, from the beginning or after the lines that are stored already, and
//! tells how it ended. It makes no difference which engine started the command.

use std::future::pending;
use std::path::{Path, PathBuf};
use std::pin::{Pin, pin};
use std::time::Duration;

use nix::sys::signal::Signal;
use shipway_core::journal::Exit;
use shipway_core::ports::runtime::CommandWatcher;
use shipway_core::ports::{LineEnd, Stream};
use tokio::fs::File;
use tokio::io::AsyncReadExt;

use super::identity::ProcessId;
use super::running::GRACE;
use crate::lines::{Lines, Stored};
use crate::supervise::output::{self, Frames};
use crate::supervise::spec::{Begun, Ended};

/// How often one looks where nothing rings, above all whether the supervisor is
/// there still.
const LOOK: Duration = if cfg!(target_os = "linux") {
    Duration::from_millis(250)
} else {
    Duration::from_millis(20)
};
/// How much longer than the grace a supervisor may take to end a command.
const STOP: Duration = Duration::from_secs(10);
/// Bytes of the record that are read at once.
const PIECE: usize = 64 * 1024;

/// One command whose supervisor has taken it on.
pub struct Following<'a> {
    pub folder: &'a Path,
    pub index: usize,
    pub stored: Stored,
    pub watcher: &'a dyn CommandWatcher,
}

impl Following<'_> {
    /// None if nobody can tell how it ended.
    pub async fn to_the_end(&self) -> std::io::Result<Option<Ended>> {
        let Some(Begun { supervisor }) = Begun::read(self.folder) else {
            return Ok(None);
        };
        let mut passing_on = pin!(self.pass_on(&supervisor));
        tokio::select! {
            biased;
            ended = &mut passing_on => return ended,
            () = self.watcher.cancelled() => {}
        }
        supervisor.signal(Signal::SIGUSR1);
        self.cancelled(&supervisor, passing_on).await
    }

    /// Should the supervisor not do it, what it leaves ends with the run.
    async fn cancelled(
        &self,
        supervisor: &ProcessId,
        passing_on: Pin<&mut impl Future<Output = std::io::Result<Option<Ended>>>>,
    ) -> std::io::Result<Option<Ended>> {
        if let Ok(ended) = tokio::time::timeout(GRACE + STOP, passing_on).await {
            return ended;
        }
        let written = Ended::read(self.folder);
        supervisor.signal(Signal::SIGKILL);
        let (exit, millis) = (Exit::Cancelled, 0);
        Ok(Some(written.unwrap_or(Ended { exit, millis })))
    }

    async fn pass_on(&self, supervisor: &ProcessId) -> std::io::Result<Option<Ended>> {
        let mut bell = Bell::open(output::bell(self.folder));
        let mut tail = Tail::open(self).await?;
        loop {
            // In this order: what ended has written its end, and before that
            // the last of its output.
            let is_running = supervisor.is_running();
            let ended = Ended::read(self.folder);
            tail.pass_on().await?;
            if ended.is_some() || !is_running {
                tail.finish().await;
                return Ok(ended);
            }
            bell.heard().await;
        }
    }
}

/// The command's output, as far as it was read.
struct Tail<'a> {
    following: &'a Following<'a>,
    file: File,
    buffer: Vec<u8>,
    frames: Frames,
    stdout: Lines,
    stderr: Lines,
    stored: Stored,
}

impl<'a> Tail<'a> {
    async fn open(following: &'a Following<'a>) -> std::io::Result<Self> {
        Ok(Self {
            file: File::open(output::path(following.folder)).await?,
            buffer: vec![0; PIECE],
            frames: Frames::default(),
            stdout: Lines::default(),
            stderr: Lines::default(),
            stored: following.stored,
            following,
        })
    }

    /// All that is there now.
    async fn pass_on(&mut self) -> std::io::Result<()> {
        loop {
            let count = self.file.read(&mut self.buffer).await?;
            if count == 0 {
                return Ok(());
            }
            let mut heard = Vec::new();
            let (stdout, stderr) = (&mut self.stdout, &mut self.stderr);
            let bytes = self.buffer.get(..count).unwrap_or_default();
            self.frames.push(bytes, |from, frame| {
                let lines = match from {
                    Stream::Stderr => &mut *stderr,
                    Stream::Stdout | Stream::Engine => &mut *stdout,
                };
                lines.push(frame, &mut |line, end| {
                    heard.push((from, line.to_owned(), end))
                });
            });
            self.tell(heard).await;
        }
    }

    async fn finish(&mut self) {
        let mut heard = Vec::new();
        self.stdout
            .finish(&mut |line, end| heard.push((Stream::Stdout, line.to_owned(), end)));
        self.stderr
            .finish(&mut |line, end| heard.push((Stream::Stderr, line.to_owned(), end)));
        self.tell(heard).await;
    }

    async fn tell(&mut self, heard: Vec<(Stream, String, LineEnd)>) {
        for (from, line, end) in heard {
            if !self.stored.takes(from) {
                let Following { index, watcher, .. } = self.following;
                watcher.output(*index, from, &line, end).await;
            }
        }
    }
}

/// Rung by the supervisor for each piece that it has written.
struct Bell {
    #[cfg(target_os = "linux")]
    pipe: Option<tokio::net::unix::pipe::Receiver>,
}

impl Bell {
    #[cfg(target_os = "linux")]
    fn open(path: PathBuf) -> Self {
        let mut options = tokio::net::unix::pipe::OpenOptions::new();
        // For both, so that it does not read as ended while nobody writes.
        let pipe = options.read_write(true).open_receiver(path).ok();
        Self { pipe }
    }

    #[cfg(not(target_os = "linux"))]
    fn open(_path: PathBuf) -> Self {
        Self {}
    }

    async fn heard(&mut self) {
        tokio::select! {
            () = self.rung() => {}
            () = tokio::time::sleep(LOOK) => {}
        }
    }

    #[cfg(target_os = "linux")]
    async fn rung(&mut self) {
        let Some(pipe) = &self.pipe else {
            return pending().await;
        };
        let mut rings = [0; 1024];
        loop {
            if pipe.readable().await.is_err() {
                return pending().await;
            }
            match pipe.try_read(&mut rings) {
                Ok(1..) => return,
                Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                Ok(0) | Err(_) => return pending().await,
            }
        }
    }

    #[cfg(not(target_os = "linux"))]
    async fn rung(&mut self) {
        pending().await
    }
}
