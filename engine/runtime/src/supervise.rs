//! A supervisor: the small process above each instance and each release command
//! of the process runtime. It outlives the engine, keeps the instance's log,
//! starts it again when it ends, and stops it when told to. What one above a
//! command does is in `supervise/command.rs`; the rest of this page is about
//! instances.
//!
//! The engine starts it as the hidden verb `supervise`, gives it a spec on
//! its standard input (so that no secret is on the disk), and reads one line
//! from its standard output when the instance has started. After that they
//! share the instance's folder only: the supervisor writes its status, the
//! engine asks it to stop with SIGTERM.
//!
//! An instance that ends before it was ever up is not started again: the engine
//! finds it exited. It was up when the engine has said so (in the instance's
//! folder too), or, should the engine have ended before it could, when it has
//! run for 180 s. From then on it is started again after 2 s, then twice as long
//! each time, at most 60 s.

use std::io::{self, Read, Write};
use std::process::ExitCode;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use shipway_core::journal::Exit;

mod app;
mod command;
mod log;
pub(crate) mod output;
mod signals;
pub(crate) mod spec;

use app::App;
use log::Log;
pub(crate) use log::last_lines;
use spec::{Job, Spec, State, Status, Up};

/// A spec is never larger.
const LARGEST_SPEC: u64 = 64 * 1024 * 1024;
/// How often the instance is looked at, in case a signal was missed.
const LOOK: Duration = Duration::from_secs(5);
/// What has run this long was up: the health rule takes less.
const UP_AT_LEAST: Duration = Duration::from_secs(180);
/// The pause before an instance is started again; doubled with each early end.
const FIRST_PAUSE: Duration = Duration::from_secs(2);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// An instance that was up this long ended for a new reason.
const LONG_RUN: Duration = Duration::from_secs(60);

/// Runs a supervisor to its end. Call it before any other thread is started:
/// it blocks signals for the whole process.
pub fn run() -> ExitCode {
    let done = signals::listen().and_then(|signals| {
        let job = read_job()?;
        become_leader();
        match job {
            Job::Instance(spec) => {
                let log = Log::open(&spec.folder, spec.log_bytes)?;
                Supervisor::new(spec, log, signals)?.run()
            }
            Job::Command(spec) => command::run(&spec, &signals),
        }
    });
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nobody may be there to read it any more.
            let _ = writeln!(io::stderr(), "the supervisor ended: {error}");
            ExitCode::FAILURE
        }
    }
}

fn read_job() -> io::Result<Job> {
    let mut text = Vec::new();
    io::stdin().take(LARGEST_SPEC).read_to_end(&mut text)?;
    serde_json::from_slice(&text).map_err(|_| {
        // The parser's own message could hold a part of a secret.
        io::Error::new(io::ErrorKind::InvalidData, "the engine sent no whole spec")
    })
}

/// Leaves the engine's session, and takes in the children of its children.
fn become_leader() {
    // Fails only for who leads already.
    let _ = nix::unistd::setsid();
    #[cfg(target_os = "linux")]
    let _ = nix::sys::prctl::set_child_subreaper(true);
}

struct Supervisor {
    spec: Spec,
    log: Log,
    signals: Receiver<Signal>,
    status: Status,
    early_ends: u32,
}

enum End {
    Stopped,
    Exited(Exit, Duration),
}

impl Supervisor {
    fn new(spec: Spec, log: Log, signals: Receiver<Signal>) -> io::Result<Self> {
        for note in &spec.notes {
            log.line(note.as_bytes());
        }
        Ok(Self {
            status: Status::starting()?,
            spec,
            log,
            signals,
            early_ends: 0,
        })
    }

    fn run(mut self) -> io::Result<()> {
        let mut first = true;
        loop {
            let end = self.run_once(first)?;
            let End::Exited(exit, ran) = end else {
                return self.note(State::Stopped);
            };
            let noted = self.note(State::Exited { exit });
            if first && noted.is_ok() {
                tell_engine(exit);
            }
            first = false;
            if !self.was_up(ran) {
                return noted;
            }
            // A full disk must not end the supervisor of what serves.
            self.log_restart(exit);
            if self.pause(ran) {
                return self.note(State::Stopped);
            }
            if !self.spec.folder.exists() {
                // Taken away behind our back: nobody could find it again.
                return Ok(());
            }
            self.status.restarts += 1;
        }
    }

    fn run_once(&mut self, first: bool) -> io::Result<End> {
        let mut app = match App::start(&self.spec.program, &self.spec.folder, &self.log) {
            Ok(app) => app,
            Err(error) => {
                self.log
                    .line(format!("could not be started: {error}").as_bytes());
                return Ok(End::Exited(Exit::NotStarted, Duration::ZERO));
            }
        };
        let noted = self.note(State::Running { process: app.id() });
        if first {
            if let Err(error) = noted {
                // Nobody could ever find it again.
                app.kill();
                return Err(error);
            }
            tell_engine("started");
        }
        Ok(self.watch(app))
    }

    /// Until it ends, or we are told to stop it.
    fn watch(&mut self, mut app: App) -> End {
        loop {
            if asks_to_stop(self.signals.recv_timeout(LOOK)) {
                app.end(spec::grace(&self.spec.folder), &self.signals);
                return End::Stopped;
            }
            if let Some(exit) = app.reap() {
                app.kill();
                return End::Exited(exit, app.ran());
            }
        }
    }

    /// To be asked after the exit was noted: an engine that says too late that
    /// the instance is up then sees the exit, and that nothing comes of it.
    fn was_up(&mut self, ran: Duration) -> bool {
        if self.status.up == Up::Once {
            return true;
        }
        if ran < UP_AT_LEAST && !spec::is_proven(&self.spec.folder) {
            return false;
        }
        self.status.up = Up::Once;
        // On a full disk only the status on disk is behind.
        let _ = self.status.write(&self.spec.folder);
        true
    }

    /// Waits before the next start; tells whether we were told to stop.
    fn pause(&mut self, ran: Duration) -> bool {
        if ran >= LONG_RUN {
            self.early_ends = 0;
        }
        let factor = 2_u32.saturating_pow(self.early_ends);
        self.early_ends += 1;
        let until = Instant::now() + FIRST_PAUSE.saturating_mul(factor).min(LONGEST_PAUSE);
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return false;
            }
            if asks_to_stop(self.signals.recv_timeout(left)) {
                return true;
            }
        }
    }

    fn log_restart(&self, exit: Exit) {
        let line = format!("the instance {exit}; it is started again");
        self.log.line(line.as_bytes());
    }

    fn note(&mut self, state: State) -> io::Result<()> {
        self.status.state = state;
        self.status.write(&self.spec.folder)
    }
}

fn asks_to_stop(heard: Result<Signal, RecvTimeoutError>) -> bool {
    match heard {
        Ok(signal) => matches!(signal, Signal::SIGTERM | Signal::SIGINT),
        Err(RecvTimeoutError::Timeout) => false,
        // Without the listener nobody could stop us.
        Err(RecvTimeoutError::Disconnected) => true,
    }
}

/// One line, when the first start is over. The engine may be gone by then.
fn tell_engine(what: impl std::fmt::Display) {
    let _ = writeln!(io::stdout(), "{what}");
}
