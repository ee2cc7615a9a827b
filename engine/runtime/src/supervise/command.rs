//! Above one release command: it outlives the engine, keeps all that the
//! command writes, ends it at its time limit or when it is cancelled, and writes
//! down how it ended.
//!
//! Of several supervisors that were told to run the same command, as after a
//! crash in the middle of telling, only the one that claims it first does.

use std::io;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use shipway_core::journal::Exit;
use shipway_core::ports::Stream;

use super::app::App;
use super::output::Recorder;
use super::spec::{Begun, Claim, CommandSpec, Ended, write_process};
use super::tell_engine;
use crate::process::running::{GRACE, timed_out};

/// How often the command is looked at, in case a signal was missed.
const LOOK: Duration = Duration::from_secs(1);

pub fn run(spec: &CommandSpec, signals: &Receiver<Signal>) -> io::Result<()> {
    let output = Recorder::open(&spec.folder, spec.output_bytes)?;
    if Begun::claim(&spec.folder)? == Claim::Taken {
        tell_engine("another supervisor has it");
        return Ok(());
    }
    tell_engine("begun");
    let began = Instant::now();
    let exit = attend(spec, &output, signals)?;
    let millis = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    let written = Ended { exit, millis }.write(&spec.folder);
    output.ring();
    written
}

fn attend(spec: &CommandSpec, output: &Recorder, signals: &Receiver<Signal>) -> io::Result<Exit> {
    let mut app = match App::start(&spec.program, &spec.run, output) {
        Ok(app) => app,
        Err(error) => {
            let name = spec.program.argv.first().map_or("", String::as_str);
            let line = format!("{name} could not be started: {error}\n");
            output.write(Stream::Stderr, line.as_bytes());
            return Ok(Exit::NotStarted);
        }
    };
    if let Err(error) = write_process(&spec.folder, app.id()) {
        // Nobody could ever find it again.
        app.kill();
        return Err(error);
    }
    Ok(watch(&mut app, spec.timeout, signals))
}

/// Until it has ended; then nothing of it is left.
fn watch(app: &mut App, timeout: Duration, signals: &Receiver<Signal>) -> Exit {
    let until = Instant::now().checked_add(timeout);
    loop {
        let left = until.map_or(LOOK, |until| {
            until.saturating_duration_since(Instant::now())
        });
        let heard = signals.recv_timeout(left.min(LOOK));
        if let Some(exit) = app.reap() {
            app.kill();
            return exit;
        }
        match heard {
            Ok(Signal::SIGUSR1) => {
                app.end(GRACE, signals);
                return Exit::Cancelled;
            }
            // The machine goes down; or nobody could stop us any more.
            Ok(Signal::SIGTERM | Signal::SIGINT) | Err(RecvTimeoutError::Disconnected) => {
                app.end(GRACE, signals);
                return app.reap().unwrap_or(Exit::Signal { signal: 9 });
            }
            Ok(_) | Err(RecvTimeoutError::Timeout) => {}
        }
        if until.is_some_and(|until| Instant::now() >= until) {
            app.end(GRACE, signals);
            return timed_out(timeout);
        }
    }
}
