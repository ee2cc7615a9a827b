//! The app's own process, with all its children.

use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use shipway_core::journal::Exit;
use shipway_core::ports::Stream;

use crate::process::cgroup::Group;
use crate::process::child::Program;
use crate::process::identity::{ProcessId, group_exists, signal_group};
use crate::process::stray;

/// How often a group that was told to stop is looked at.
const LOOK: Duration = Duration::from_millis(20);
/// How long the last lines of a process that has ended are waited for.
const DRAIN: Duration = Duration::from_secs(2);
/// How long a killed process may take to be gone.
const KILL: Duration = Duration::from_secs(5);

pub struct App {
    leader: i32,
    id: Option<ProcessId>,
    began: Instant,
    exit: Option<Exit>,
    group: Group,
    folder: std::path::PathBuf,
    /// Closed when both outputs are.
    outputs: Receiver<()>,
}

/// Takes what a program prints.
pub trait Taker {
    /// Reads on a thread of its own until the output is closed; then drops
    /// `closing`.
    fn follow(
        &self,
        from: Stream,
        output: impl Read + Send + 'static,
        closing: Sender<()>,
    ) -> io::Result<()>;
}

impl App {
    /// `folder` is named by the variables of all its programs.
    pub fn start(program: &Program, folder: &Path, taker: &impl Taker) -> io::Result<Self> {
        let mut child = program.command()?.spawn()?;
        let (closing, outputs) = channel();
        let mut app = Self {
            leader: i32::try_from(child.id()).unwrap_or(0),
            id: ProcessId::of(child.id()),
            began: Instant::now(),
            exit: None,
            group: program.group.clone(),
            folder: folder.to_owned(),
            outputs,
        };
        let stdout = child
            .stdout
            .take()
            .map(|from| taker.follow(Stream::Stdout, from, closing.clone()));
        let stderr = child
            .stderr
            .take()
            .map(|from| taker.follow(Stream::Stderr, from, closing));
        match [stdout, stderr].into_iter().flatten().collect() {
            Ok(()) => Ok(app),
            Err(error) => {
                // Unheard it would hang on a full pipe.
                app.kill();
                Err(error)
            }
        }
    }

    pub fn id(&self) -> Option<ProcessId> {
        self.id.clone()
    }

    pub fn ran(&self) -> Duration {
        self.began.elapsed()
    }

    /// Reaps every child that has ended, also those of others that were left
    /// to us, and tells how the app ended if it has.
    pub fn reap(&mut self) -> Option<Exit> {
        loop {
            let (pid, exit) = match waitpid(None, Some(WaitPidFlag::WNOHANG)) {
                Ok(WaitStatus::Exited(pid, code)) => (pid, Exit::Code { code }),
                Ok(WaitStatus::Signaled(pid, signal, _)) => {
                    let signal = signal as i32;
                    (pid, Exit::Signal { signal })
                }
                _ => return self.exit,
            };
            if pid.as_raw() == self.leader {
                self.exit = Some(exit);
            }
        }
    }

    /// SIGTERM to the whole group, which may take `grace` to end; then SIGKILL.
    pub fn end(&mut self, grace: Duration, signals: &Receiver<Signal>) {
        let until = Instant::now() + grace;
        signal_group(self.leader, Signal::SIGTERM);
        while Instant::now() < until {
            self.reap();
            if !group_exists(self.leader) {
                break;
            }
            wait_a_moment(signals);
        }
        self.kill();
    }

    /// Leaves nothing of it, and takes its last lines.
    pub fn kill(&mut self) {
        signal_group(self.leader, Signal::SIGKILL);
        self.group.kill();
        if !self.group.is_some() {
            stray::kill_those_in(&self.folder);
        }
        let until = Instant::now() + KILL;
        while self.reap().is_none() && Instant::now() < until {
            std::thread::sleep(LOOK);
        }
        let _ = self.outputs.recv_timeout(DRAIN);
    }
}

/// A child's end comes as a signal and wakes us early.
fn wait_a_moment(signals: &Receiver<Signal>) {
    if let Err(RecvTimeoutError::Disconnected) = signals.recv_timeout(LOOK) {
        std::thread::sleep(LOOK);
    }
}
