//! Running programs: each with a bound, each in a process group of its own, so
//! that its end is the end of all it started.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

use crate::signal;

const POLL: Duration = Duration::from_millis(20);
/// From a polite end to a forced one.
const GRACE: Duration = Duration::from_secs(15);

/// Runs a program with this terminal's output; an error unless it ends with 0.
pub fn run(command: &mut Command, limit: Duration) -> Result<()> {
    let name = name(command);
    let status = status(command, limit)?;
    if !status.success() {
        bail!("`{name}` failed: {status}");
    }
    Ok(())
}

/// Runs a program with this terminal's output.
pub fn status(command: &mut Command, limit: Duration) -> Result<ExitStatus> {
    let name = name(command);
    let mut child = spawn(command.stdin(Stdio::null()))?;
    end_in_time(&mut child, limit).with_context(|| format!("running `{name}`"))
}

/// Runs a program and returns what it printed on its standard output; an error
/// with its last lines unless it ends with 0.
pub fn output(command: &mut Command, limit: Duration) -> Result<String> {
    let ended = capture(command, limit)?;
    if !ended.status.success() {
        let last = last_lines(&ended.err, 15);
        bail!("`{}` failed: {}\n{last}", name(command), ended.status);
    }
    Ok(ended.out)
}

/// Whether a program runs and ends with 0; silent.
pub fn succeeds(command: &mut Command, limit: Duration) -> bool {
    capture(command, limit).is_ok_and(|ended| ended.status.success())
}

/// What a program left.
pub struct Ended {
    pub status: ExitStatus,
    pub out: String,
    pub err: String,
}

/// Runs a program and keeps both its outputs.
pub fn capture(command: &mut Command, limit: Duration) -> Result<Ended> {
    let name = name(command);
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = spawn(command)?;
    let out = reader(child.stdout.take());
    let err = reader(child.stderr.take());
    let status = end_in_time(&mut child, limit).with_context(|| format!("running `{name}`"))?;
    Ok(Ended {
        status,
        out: out.join().unwrap_or_default(),
        err: err.join().unwrap_or_default(),
    })
}

/// Runs a program and hands on each line of its two outputs, in the order in
/// which they were written.
pub fn lines(
    command: &mut Command,
    limit: Duration,
    mut each: impl FnMut(&str) + Send,
) -> Result<ExitStatus> {
    let name = name(command);
    let (reader, writer) = std::io::pipe().context("making a pipe")?;
    command
        .stdin(Stdio::null())
        .stdout(writer.try_clone().context("making a pipe")?)
        .stderr(writer);
    let mut child = spawn(command)?;
    // The command holds the pipe's other end, which must close for its reader to end.
    command.stdout(Stdio::null()).stderr(Stdio::null());
    std::thread::scope(|scope| {
        scope.spawn(move || {
            for line in BufReader::new(reader).split(b'\n').map_while(Result::ok) {
                each(String::from_utf8_lossy(&line).trim_end_matches('\r'));
            }
        });
        end_in_time(&mut child, limit).with_context(|| format!("running `{name}`"))
    })
}

/// Starts a program that goes on beside this one, its output in a file.
pub fn spawn_logged(command: &mut Command, log: &Path) -> Result<Child> {
    let file = std::fs::File::create(log).with_context(|| format!("making {}", log.display()))?;
    let twin = file.try_clone().context("sharing a log file")?;
    command.stdin(Stdio::null()).stdout(file).stderr(twin);
    spawn(command)
}

/// Ends a program politely, and by force when it does not listen.
pub fn stop(child: &mut Child) {
    signal_group(child, Signal::SIGTERM);
    if !matches!(ended_by(child, Instant::now() + GRACE), Ok(Some(_))) {
        signal_group(child, Signal::SIGKILL);
        let _ = child.wait();
    }
}

/// Ends a process that is no child of ours; false when it is still there.
pub fn stop_process(pid: i32) -> bool {
    let pid = Pid::from_raw(pid);
    for (signal, patience) in [(Signal::SIGTERM, GRACE), (Signal::SIGKILL, GRACE)] {
        let deadline = Instant::now() + patience;
        if kill(pid, signal).is_err() {
            return true;
        }
        while Instant::now() < deadline {
            if kill(pid, None).is_err() {
                return true;
            }
            std::thread::sleep(POLL);
        }
    }
    false
}

/// Looks until `found` gives something.
pub fn until<T>(limit: Duration, mut found: impl FnMut() -> Option<T>) -> Option<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(value) = found() {
            return Some(value);
        }
        if Instant::now() > deadline || signal::asked_to_stop() {
            return None;
        }
        std::thread::sleep(POLL);
    }
}

pub fn last_lines(text: &str, count: usize) -> String {
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(count)..].join("\n")
}

fn spawn(command: &mut Command) -> Result<Child> {
    let name = name(command);
    command.process_group(0);
    command
        .spawn()
        .with_context(|| format!("starting `{name}`"))
}

fn end_in_time(child: &mut Child, limit: Duration) -> Result<ExitStatus> {
    let deadline = Instant::now() + limit;
    if let Some(status) = ended_by(child, deadline)? {
        return Ok(status);
    }
    stop(child);
    if signal::asked_to_stop() {
        bail!("interrupted");
    }
    bail!("not done after {} s, and stopped", limit.as_secs())
}

fn ended_by(child: &mut Child, deadline: Instant) -> Result<Option<ExitStatus>> {
    let asked_before = signal::asked_to_stop();
    loop {
        if let Some(status) = child.try_wait().context("waiting for its end")? {
            return Ok(Some(status));
        }
        let newly_asked = signal::asked_to_stop() && !asked_before;
        if newly_asked || Instant::now() > deadline {
            return Ok(None);
        }
        std::thread::sleep(POLL);
    }
}

fn signal_group(child: &Child, signal: Signal) {
    if let Ok(pid) = i32::try_from(child.id()) {
        let _ = killpg(Pid::from_raw(pid), signal);
    }
}

fn reader(pipe: Option<impl Read + Send + 'static>) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(mut pipe) = pipe {
            let _ = pipe.read_to_end(&mut bytes);
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

fn name(command: &Command) -> String {
    let program = command.get_program().to_string_lossy();
    let program = program.rsplit('/').next().unwrap_or(&program).to_owned();
    let first = command
        .get_args()
        .take(2)
        .map(|argument| argument.to_string_lossy());
    [program.into()]
        .into_iter()
        .chain(first)
        .collect::<Vec<_>>()
        .join(" ")
}
