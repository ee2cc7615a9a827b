//! Compiling: the one thing the host does with a stranger's file that takes
//! seconds and hundreds of megabytes. So it is done in a child process that
//! can be limited and killed, and one at a time.
//!
//! The child reads an [`Order`] and the component on its standard input, and
//! writes machine code to its standard output. What it says on its standard
//! error is why it refuses.

use std::ffi::OsString;
use std::io::{self, Write};
use std::os::unix::process::ExitStatusExt;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use serde::{Deserialize, Serialize};
use shipway_core::ports::plugins::PluginErrorKind;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::process::{Child, Command};
use tokio::sync::Semaphore;
use wasmtime::Engine;

use crate::cache::Draft;
use crate::check;
use crate::config::Limits;
use crate::fault::Fault;

pub(crate) mod child;

/// The child's exit code for a component that cannot be compiled.
const REFUSED: u8 = 3;
/// Bytes of the child's last words that are read.
const LONGEST_WORDS: u64 = 8 << 10;

/// Where components are compiled.
#[derive(Debug, Clone, Default)]
pub enum Compiler {
    /// In this process: nothing bounds its memory, and after its time it goes
    /// on in the background. For tests and for tools that compile their own.
    #[default]
    Here,
    /// In a limited child: a program and arguments that lead to
    /// [`compile_child`](crate::compile_child).
    Child(Vec<OsString>),
}

/// What a child is told before it reads the component: one line of JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Order {
    memory: u64,
    cpu_seconds: u64,
    component_bytes: u64,
}

/// Compiles one component at a time: it takes every core it gets.
#[derive(Debug)]
pub(crate) struct Workshop {
    compiler: Compiler,
    engine: Engine,
    limits: Arc<Limits>,
    turn: Arc<Semaphore>,
}

impl Workshop {
    pub(crate) fn new(compiler: Compiler, engine: Engine, limits: Arc<Limits>) -> Self {
        Self {
            compiler,
            engine,
            limits,
            turn: Arc::new(Semaphore::new(1)),
        }
    }

    /// Writes the component's machine code into the draft, and says how long
    /// that took. Waiting for a turn is not the component's time.
    pub(crate) async fn compile(&self, bytes: Vec<u8>, draft: &Draft) -> Result<Duration, Fault> {
        let turn = Arc::clone(&self.turn).acquire_owned().await;
        let started = Instant::now();
        let work = async {
            match &self.compiler {
                Compiler::Here => {
                    let (engine, file) = (self.engine.clone(), draft.file().map_err(not_kept)?);
                    let work = move || {
                        let _turn = turn;
                        compile_here(&engine, &bytes, file)
                    };
                    tokio::task::spawn_blocking(work).await.map_err(broken)?
                }
                Compiler::Child(argv) => self.in_child(argv, &bytes, draft).await,
            }
        };
        let limit = self.limits.compile;
        match tokio::time::timeout(limit, work).await {
            Ok(done) => done.map(|()| started.elapsed()),
            Err(_) => Err(too_slow(limit)),
        }
    }

    /// When this future is dropped, the child is killed.
    async fn in_child(&self, argv: &[OsString], bytes: &[u8], draft: &Draft) -> Result<(), Fault> {
        let file = tokio::fs::File::from_std(draft.file().map_err(not_kept)?);
        let mut child = start(argv).map_err(broken)?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(broken("the compiler has no pipes"));
        };
        let (_, kept, words) = tokio::join!(
            self.send(stdin, bytes),
            self.keep(stdout, file),
            last_words(stderr)
        );
        let status = child.wait().await.map_err(broken)?;
        let size = kept.map_err(not_kept)?;
        if size > self.limits.compiled_bytes {
            return Err(too_large(&self.limits));
        }
        match status.success() {
            true => Ok(()),
            false => Err(ended(status, &words, &self.limits)),
        }
    }

    /// A child that ends before it has read everything says why in another way.
    async fn send(&self, mut stdin: impl AsyncWrite + Unpin, bytes: &[u8]) -> io::Result<()> {
        let mut order = serde_json::to_vec(&Order::of(&self.limits))?;
        order.push(b'\n');
        stdin.write_all(&order).await?;
        stdin.write_all(bytes).await?;
        stdin.shutdown().await
    }

    /// Reads one byte more than there may be, then closes the pipe: the child
    /// ends when it writes on.
    async fn keep(
        &self,
        stdout: impl AsyncRead + Unpin,
        mut file: tokio::fs::File,
    ) -> io::Result<u64> {
        let most = self.limits.compiled_bytes.saturating_add(1);
        let size = tokio::io::copy(&mut stdout.take(most), &mut file).await?;
        file.flush().await?;
        Ok(size)
    }
}

impl Order {
    fn of(limits: &Limits) -> Self {
        let bytes = |size: usize| u64::try_from(size).unwrap_or(u64::MAX);
        Self {
            memory: bytes(limits.compile_memory),
            cpu_seconds: limits.compile_cpu.as_secs().max(1),
            component_bytes: bytes(limits.component_bytes),
        }
    }
}

fn compile_here(engine: &Engine, bytes: &[u8], mut file: std::fs::File) -> Result<(), Fault> {
    let compiled = engine
        .precompile_component(bytes)
        .map_err(|error| check::not_compiled(&error.root_cause().to_string()))?;
    file.write_all(&compiled).map_err(not_kept)
}

/// It gets nothing of ours: no variable, no folder, no terminal.
fn start(argv: &[OsString]) -> io::Result<Child> {
    let Some((program, arguments)) = argv.split_first() else {
        return Err(io::Error::other("no compiler is named"));
    };
    Command::new(program)
        .args(arguments)
        .env_clear()
        .current_dir("/")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
}

/// What it writes beyond is read and dropped, so that it can end.
async fn last_words(mut stderr: impl AsyncRead + Unpin) -> String {
    let mut words = Vec::new();
    // Words that cannot be read are none.
    let _ = (&mut stderr)
        .take(LONGEST_WORDS)
        .read_to_end(&mut words)
        .await;
    let _ = tokio::io::copy(&mut stderr, &mut tokio::io::sink()).await;
    String::from_utf8_lossy(&words).trim().to_owned()
}

/// Why a child ended without machine code: by a limit, or because of what it
/// was given.
fn ended(status: ExitStatus, words: &str, limits: &Limits) -> Fault {
    let out_of_memory = [
        "memory allocation of",
        "out of memory",
        "annot allocate memory",
    ];
    if out_of_memory.iter().any(|sign| words.contains(sign)) {
        return out_of(PluginErrorKind::Memory, &memory(limits));
    }
    if status.code() == Some(i32::from(REFUSED)) {
        return check::not_compiled(words);
    }
    let signal = status
        .signal()
        .and_then(|signal| Signal::try_from(signal).ok());
    match signal {
        Some(Signal::SIGXCPU) => {
            let limit = format!("{} s of processor time", limits.compile_cpu.as_secs());
            out_of(PluginErrorKind::Timeout, &limit)
        }
        Some(Signal::SIGKILL) => Fault::host(format!(
            "could not be compiled: something killed the compiler, which may use {}",
            memory(limits)
        ))
        .with_hint("the machine may be short of memory; try again later"),
        _ => broken(format!("the compiler ended with {status}: {words}")),
    }
}

fn memory(limits: &Limits) -> String {
    format!("{} MiB of memory", limits.compile_memory >> 20)
}

fn out_of(kind: PluginErrorKind, limit: &str) -> Fault {
    let what = format!("could not be compiled with {limit}, the most that compiling may use");
    Fault::new(kind, what).with_hint(SMALLER)
}

const SMALLER: &str = "make the component smaller: no honest one needs that much";

fn too_large(limits: &Limits) -> Fault {
    let what = format!(
        "compiles to more than {} MiB of machine code",
        limits.compiled_bytes >> 20
    );
    Fault::new(PluginErrorKind::Malformed, what).with_hint(SMALLER)
}

fn too_slow(limit: Duration) -> Fault {
    Fault::host(format!("could not be compiled in {} s", limit.as_secs()))
        .with_hint("make the component smaller, or try again when the machine is less busy")
}

fn broken(error: impl std::fmt::Display) -> Fault {
    Fault::host(format!("could not be compiled: {error}"))
}

fn not_kept(error: io::Error) -> Fault {
    Fault::host(format!("could not be kept in the plugin cache: {error}"))
        .with_hint("look whether the disk of the state directory is full")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(raw: i32, words: &str) -> Fault {
        ended(ExitStatus::from_raw(raw), words, &Limits::default())
    }

    #[test]
    fn a_limit_that_ended_the_child_is_named() {
        let cpu = fault(libc_signal(Signal::SIGXCPU), "");
        assert_eq!(cpu.kind, PluginErrorKind::Timeout);
        assert!(cpu.what.contains("120 s of processor time"), "{}", cpu.what);
        let memory = fault(
            libc_signal(Signal::SIGABRT),
            "memory allocation of 9 bytes failed",
        );
        assert_eq!(memory.kind, PluginErrorKind::Memory);
        assert!(memory.what.contains("1024 MiB"), "{}", memory.what);
    }

    #[test]
    fn a_refusal_is_the_components_and_anything_else_is_not() {
        let refused = fault(i32::from(REFUSED) << 8, "unexpected end");
        assert_eq!(refused.kind, PluginErrorKind::Malformed);
        assert!(refused.what.contains("truncated"), "{}", refused.what);
        let killed = fault(libc_signal(Signal::SIGKILL), "");
        assert_eq!(killed.kind, PluginErrorKind::Host);
        assert!(killed.retryable);
    }

    fn libc_signal(signal: Signal) -> i32 {
        signal as i32
    }
}
