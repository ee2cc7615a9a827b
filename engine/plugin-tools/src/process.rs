//! One command of a toolchain: in a process group of its own, which ends with
//! the call whatever happens to it, and with its output in bounds.

use std::collections::VecDeque;
use std::io;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep_until};

/// What is kept of a command's output, for the message when it fails.
const KEPT_LINES: usize = 200;
const LONGEST_LINE: usize = 2000;
/// How long a pipe is read that a command's own children still hold.
const AFTER_EXIT: Duration = Duration::from_secs(1);

/// How a command ended, and the last lines of what it printed.
#[derive(Debug)]
pub struct Ended {
    pub how: How,
    pub lines: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    Exited(ExitStatus),
    TimedOut,
}

impl Ended {
    pub fn succeeded(&self) -> bool {
        matches!(self.how, How::Exited(status) if status.success())
    }
}

/// Runs a command to its end, or to its limit.
///
/// # Errors
/// When it could not be started or waited for.
pub async fn run(
    mut command: Command,
    limit: Duration,
    on_line: &mut (dyn FnMut(&str) + Send),
) -> io::Result<Ended> {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true);
    let mut child = command.spawn()?;
    let _group = Group::of(&child);
    let mut kept = Kept::new(on_line);
    let how = follow(&mut child, Instant::now() + limit, &mut kept).await?;
    Ok(Ended {
        how,
        lines: kept.lines.into(),
    })
}

async fn follow(child: &mut Child, deadline: Instant, kept: &mut Kept<'_>) -> io::Result<How> {
    let mut out = Pipe::new(child.stdout.take());
    let mut err = Pipe::new(child.stderr.take());
    let mut ended = None;
    let mut deadline = deadline;
    while ended.is_none() || out.is_open() || err.is_open() {
        tokio::select! {
            status = child.wait(), if ended.is_none() => {
                ended = Some(status?);
                deadline = Instant::now() + AFTER_EXIT;
            }
            bytes = out.read(), if out.is_open() => out.cut(&bytes, kept),
            bytes = err.read(), if err.is_open() => err.cut(&bytes, kept),
            () = sleep_until(deadline) => break,
        }
    }
    out.finish(kept);
    err.finish(kept);
    Ok(ended.map_or(How::TimedOut, How::Exited))
}

/// Everything that a command started, killed when this is dropped.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        let id = child.id().and_then(|id| i32::try_from(id).ok());
        Self(id.map(Pid::from_raw))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // Mostly nobody is left in it.
            let _ = killpg(group, Signal::SIGKILL);
        }
    }
}

/// One stream, cut into lines.
struct Pipe<R> {
    stream: Option<R>,
    line: Vec<u8>,
}

impl<R: AsyncRead + Unpin> Pipe<R> {
    fn new(stream: Option<R>) -> Self {
        Self {
            stream,
            line: Vec::new(),
        }
    }

    fn is_open(&self) -> bool {
        self.stream.is_some()
    }

    /// Reads some of it. Loses nothing when it is dropped halfway.
    async fn read(&mut self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(8192);
        let ended = match &mut self.stream {
            Some(stream) => matches!(stream.read_buf(&mut bytes).await, Ok(0) | Err(_)),
            None => true,
        };
        if ended {
            self.stream = None;
        }
        bytes
    }

    fn cut(&mut self, bytes: &[u8], kept: &mut Kept<'_>) {
        for byte in bytes {
            // Progress bars begin a line again without ending it.
            if matches!(byte, b'\n' | b'\r') {
                self.finish(kept);
            } else if self.line.len() < LONGEST_LINE {
                self.line.push(*byte);
            }
        }
    }

    fn finish(&mut self, kept: &mut Kept<'_>) {
        let line = std::mem::take(&mut self.line);
        let text: String = String::from_utf8_lossy(&line)
            .chars()
            .filter(|character| *character == '\t' || !character.is_control())
            .collect();
        if !text.trim().is_empty() {
            kept.push(text);
        }
    }
}

/// The last lines of both streams, in the order in which they came.
struct Kept<'a> {
    lines: VecDeque<String>,
    on_line: &'a mut (dyn FnMut(&str) + Send),
}

impl<'a> Kept<'a> {
    fn new(on_line: &'a mut (dyn FnMut(&str) + Send)) -> Self {
        Self {
            lines: VecDeque::new(),
            on_line,
        }
    }

    fn push(&mut self, line: String) {
        (self.on_line)(&line);
        if self.lines.len() == KEPT_LINES {
            self.lines.pop_front();
        }
        self.lines.push_back(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    async fn ended(script: &str, limit: Duration) -> Ended {
        run(shell(script), limit, &mut |_| {}).await.unwrap()
    }

    const PATIENCE: Duration = Duration::from_secs(20);

    #[tokio::test]
    async fn both_streams_are_kept_line_by_line() {
        let mut seen = Vec::new();
        let script = "echo one; echo two >&2; printf 'a\\rb\\033[1m'; exit 3";
        let ended = run(shell(script), PATIENCE, &mut |line| {
            seen.push(line.to_owned())
        })
        .await
        .unwrap();
        assert!(!ended.succeeded());
        assert!(matches!(ended.how, How::Exited(status) if status.code() == Some(3)));
        let mut lines = ended.lines.clone();
        lines.sort();
        assert_eq!(lines, ["a", "b[1m", "one", "two"]);
        assert_eq!(seen.len(), 4);
    }

    #[tokio::test]
    async fn a_flood_leaves_its_end() {
        let ended = ended(
            "seq 1 100000; head -c 100000 /dev/zero | tr '\\0' x",
            PATIENCE,
        )
        .await;
        assert!(ended.succeeded());
        assert_eq!(ended.lines.len(), KEPT_LINES);
        assert_eq!(ended.lines.last().unwrap().len(), LONGEST_LINE);
        assert_eq!(ended.lines[KEPT_LINES - 2], "100000");
    }

    #[tokio::test]
    async fn the_limit_ends_the_command_and_what_it_started() {
        let script = "sleep 300 & echo $!; wait";
        let ended = ended(script, Duration::from_millis(300)).await;
        assert_eq!(ended.how, How::TimedOut);
        gone(&ended.lines[0]).await;
    }

    #[tokio::test]
    async fn a_child_that_stays_is_not_waited_for() {
        let ended = ended("sleep 300 & echo $!", PATIENCE).await;
        assert!(ended.succeeded());
        gone(&ended.lines[0]).await;
    }

    #[tokio::test]
    async fn a_dropped_call_leaves_nothing_behind() {
        let (line, id) = tokio::sync::oneshot::channel();
        let mut line = Some(line);
        let call = tokio::spawn(async move {
            run(shell("sleep 300 & echo $!; wait"), PATIENCE, &mut |text| {
                if let Some(line) = line.take() {
                    line.send(text.to_owned()).unwrap();
                }
            })
            .await
        });
        let id = id.await.unwrap();
        call.abort();
        assert!(call.await.unwrap_err().is_cancelled());
        gone(&id).await;
    }

    /// Waits until a process is gone, or only its entry is left.
    async fn gone(id: &str) {
        let status = format!("/proc/{id}/stat");
        let running = || {
            std::fs::read_to_string(&status).is_ok_and(|text| {
                !text
                    .rsplit(')')
                    .next()
                    .unwrap()
                    .trim_start()
                    .starts_with('Z')
            })
        };
        let deadline = Instant::now() + PATIENCE;
        while running() {
            assert!(Instant::now() < deadline, "process {id} is still there");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
