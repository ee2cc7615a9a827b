//! What went wrong with a plugin, in one sentence that says who, what, after
//! how long, and what to do.

use std::fmt;
use std::time::Duration;

use shipway_core::plugin::{Installed, Role};
use shipway_core::ports::plugins::{PluginError, PluginErrorKind, PluginFailure};
use wasmtime::{Trap, WasmBacktrace};

use crate::config::Limits;
use crate::sandbox::Seen;
use crate::tape::OffTape;

const TELL_AUTHOR: &str = "this is an error in the plugin: tell its author, or take it out with \
                           `shipway plugin remove`";

/// Whom a sentence is about.
#[derive(Debug, Clone)]
pub(crate) struct Who {
    name: String,
    role: Option<Role>,
}

impl Who {
    /// A component that has not said its name yet.
    pub(crate) fn component() -> Self {
        Self {
            name: "the component".to_owned(),
            role: None,
        }
    }

    pub(crate) fn plugin(plugin: &Installed, role: Role) -> Self {
        let description = &plugin.description;
        Self {
            name: format!("plugin {} {}", description.name, description.version),
            role: Some(role),
        }
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.role {
            Some(role) => write!(f, "{} ({role})", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// What is wrong, without whose fault it is.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) kind: PluginErrorKind,
    /// Goes on after the plugin's name: `trapped after 3 ms: …`.
    pub(crate) what: String,
    pub(crate) hint: Option<String>,
    pub(crate) retryable: bool,
    pub(crate) answered: Option<Box<PluginFailure>>,
    pub(crate) backtrace: Option<String>,
}

impl Fault {
    pub(crate) fn new(kind: PluginErrorKind, what: impl Into<String>) -> Self {
        Self {
            kind,
            what: what.into(),
            hint: None,
            retryable: false,
            answered: None,
            backtrace: None,
        }
    }

    /// The guest returned what no plugin may return.
    pub(crate) fn nonsense(what: impl Into<String>) -> Self {
        Self::new(PluginErrorKind::Nonsense, what).with_hint(TELL_AUTHOR)
    }

    /// The host could not do its part.
    pub(crate) fn host(what: impl Into<String>) -> Self {
        Self {
            retryable: true,
            ..Self::new(PluginErrorKind::Host, what)
        }
    }

    pub(crate) fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(crate) fn of(self, who: &Who) -> PluginError {
        PluginError {
            kind: self.kind,
            message: format!("{who} {}", self.what),
            hint: self.hint,
            retryable: self.retryable,
            answered: self.answered.map(|failure| *failure),
            backtrace: self.backtrace,
        }
    }
}

/// Why the host ended a guest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stop {
    #[error("out of processor time")]
    Cpu,
    #[error("handed over too much")]
    HandedOver,
    /// It never ran: unless it trapped, the machine is short of something.
    #[error("could not be instantiated")]
    NotStarted,
}

/// What a call that ended badly means.
pub(crate) fn ended(
    error: &wasmtime::Error,
    seen: &Seen,
    took: Duration,
    limits: &Limits,
) -> Fault {
    let after = shown(took);
    let stop = stop(error);
    if stop == Some(Stop::Cpu) {
        return out_of_cpu(limits, &after);
    }
    if stop == Some(Stop::HandedOver) || is_out_of_fuel(error) {
        return handed_over(limits, &after);
    }
    if let Some(off) = error.downcast_ref::<OffTape>() {
        return Fault::nonsense(format!("left the tape: it {off}"))
            .with_hint("record it again with `shipway plugin test --record`");
    }
    if seen.memory_refused {
        return out_of_memory(limits, &after, seen);
    }
    let trap = error.downcast_ref::<Trap>().map(ToString::to_string);
    let exit = error.downcast_ref::<wasmtime_wasi::I32Exit>();
    let exit = exit.map(|exit| format!("it ended itself with exit code {}", exit.0));
    let cause = match trap.or(exit) {
        Some(cause) => cause,
        None if stop == Some(Stop::NotStarted) => {
            return Fault::host(format!("could not be started: {}", error.root_cause()))
                .with_hint("the machine may be short of memory; try again later");
        }
        None => error.root_cause().to_string(),
    };
    let what = format!("trapped after {after}: {cause}{}", last_words(seen));
    let backtrace = error.downcast_ref::<WasmBacktrace>();
    Fault {
        backtrace: backtrace.map(ToString::to_string),
        ..Fault::new(PluginErrorKind::Trap, what)
    }
    .with_hint(TELL_AUTHOR)
}

/// Why the guest was stopped: what ended it while it started says more than
/// that it did not start, whichever of the two a search finds first.
fn stop(error: &wasmtime::Error) -> Option<Stop> {
    let cause = error.root_cause().downcast_ref::<Stop>();
    cause.or_else(|| error.downcast_ref::<Stop>()).copied()
}

/// The wall time is over.
pub(crate) fn timed_out(limit: Duration, took: Duration) -> Fault {
    let what = format!(
        "was stopped after {}: it may take {} in all",
        shown(took),
        shown(limit)
    );
    Fault {
        retryable: true,
        ..Fault::new(PluginErrorKind::Timeout, what)
    }
    .with_hint("see in the log what it waited for, then deploy again")
}

fn out_of_cpu(limits: &Limits, after: &str) -> Fault {
    let what = format!(
        "was stopped after {after}: it may use {} of processor time, and perhaps never ends",
        shown(limits.cpu)
    );
    Fault::new(PluginErrorKind::Timeout, what).with_hint(TELL_AUTHOR)
}

fn handed_over(limits: &Limits, after: &str) -> Fault {
    Fault::nonsense(format!(
        "was stopped after {after}: it may hand over {} MiB in one call and {} MiB in all",
        limits.call_bytes >> 20,
        limits.run_bytes >> 20
    ))
}

fn out_of_memory(limits: &Limits, after: &str, seen: &Seen) -> Fault {
    let what = format!(
        "was stopped after {after}: it wanted more than its {} MiB of memory{}",
        limits.memory >> 20,
        last_words(seen)
    );
    Fault::new(PluginErrorKind::Memory, what).with_hint(TELL_AUTHOR)
}

fn last_words(seen: &Seen) -> String {
    match &seen.last_words {
        Some(words) => format!("; it said: {words}"),
        None => String::new(),
    }
}

/// wasmtime has no type for this error, only a text.
fn is_out_of_fuel(error: &wasmtime::Error) -> bool {
    error
        .chain()
        .any(|cause| cause.to_string().contains("fuel allocated for hostcalls"))
}

fn shown(time: Duration) -> String {
    match time.as_millis() {
        millis @ 0..1000 => format!("{millis} ms"),
        millis if millis % 1000 == 0 => format!("{} s", millis / 1000),
        millis => format!("{}.{} s", millis / 1000, millis % 1000 / 100),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ended_a_start_says_more_than_that_it_did_not_start() {
        let ended = wasmtime::Error::from(Stop::Cpu).context(Stop::NotStarted);
        assert_eq!(stop(&ended), Some(Stop::Cpu));
        let failed = wasmtime::Error::msg("no memory").context(Stop::NotStarted);
        assert_eq!(stop(&failed), Some(Stop::NotStarted));
        assert_eq!(stop(&wasmtime::Error::msg("a trap")), None);
    }
}
