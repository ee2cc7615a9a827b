//! The child that compiles: it limits itself, reads, compiles, writes, ends.

use std::io::{self, BufRead, Read, Write};
use std::process::ExitCode;

use nix::libc;
use nix::sys::resource::{Resource, setrlimit};

use super::{Order, REFUSED};
use crate::engine;

/// An order is a short line.
const LONGEST_ORDER: u64 = 1024;
/// Address space beyond the memory: programs map far more than they use, a
/// part of it for each core.
const ADDRESS_SPACE: u64 = 16 << 30;
/// Seconds after which a child that outlives its first signal is killed.
const LAST_SECONDS: u64 = 5;
/// Behind everything that serves.
const NICENESS: libc::c_int = 10;

/// Compiles the component on the standard input, in limits that it sets
/// itself, and writes machine code for [`Compiler::Child`](crate::Compiler).
/// Call it before any other thread is started. Only the plugin host knows how
/// to talk to it.
pub fn compile_child() -> ExitCode {
    match compile() {
        Ok(Compiled::Written) => ExitCode::SUCCESS,
        Ok(Compiled::Refused(cause)) => {
            say(&cause);
            ExitCode::from(REFUSED)
        }
        Err(error) => {
            say(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

enum Compiled {
    Written,
    Refused(String),
}

fn compile() -> io::Result<Compiled> {
    let mut stdin = io::stdin().lock();
    let order = read_order(&mut stdin)?;
    limit(&order)?;
    let engine = engine::to_compile().map_err(io::Error::other)?;
    let mut component = Vec::new();
    stdin
        .take(order.component_bytes)
        .read_to_end(&mut component)?;
    let compiled = match engine.precompile_component(&component) {
        Ok(compiled) => compiled,
        Err(error) => return Ok(Compiled::Refused(error.root_cause().to_string())),
    };
    let mut stdout = io::stdout().lock();
    stdout.write_all(&compiled)?;
    stdout.flush()?;
    Ok(Compiled::Written)
}

fn read_order(stdin: &mut impl BufRead) -> io::Result<Order> {
    let mut line = String::new();
    stdin.take(LONGEST_ORDER).read_line(&mut line)?;
    serde_json::from_str(&line).map_err(|_| {
        let message = "this is for the engine alone: it compiles what the engine sends";
        io::Error::new(io::ErrorKind::InvalidData, message)
    })
}

/// From here on it opens no file and no socket, leaves no core behind, and
/// has so much memory and time.
fn limit(order: &Order) -> io::Result<()> {
    be_nice();
    let address_space = order.memory.saturating_add(ADDRESS_SPACE);
    let limits = [
        (Resource::RLIMIT_CORE, 0, 0),
        (Resource::RLIMIT_FSIZE, 0, 0),
        (Resource::RLIMIT_NOFILE, 3, 3),
        (Resource::RLIMIT_DATA, order.memory, order.memory),
        (Resource::RLIMIT_AS, address_space, address_space),
        (
            Resource::RLIMIT_CPU,
            order.cpu_seconds,
            order.cpu_seconds + LAST_SECONDS,
        ),
    ];
    for (resource, soft, hard) in limits {
        setrlimit(resource, soft, hard)?;
    }
    #[cfg(target_os = "linux")]
    nix::sys::prctl::set_no_new_privs()?;
    Ok(())
}

/// A process that may not be nicer compiles all the same.
#[expect(unsafe_code, reason = "nix has no call for a process's niceness")]
fn be_nice() {
    // SAFETY: takes numbers alone, and changes nothing but the priority.
    unsafe { libc::nice(NICENESS) };
}

fn say(words: &str) {
    // With nobody to tell, the exit code has to do.
    let _ = writeln!(io::stderr(), "{words}");
}
