//! What people read. A closed pipe is no reason to stop: whoever closed it has
//! read enough, and what we started must still be cleaned up.

use std::fmt::Display;
use std::io::{IsTerminal, Write, stderr, stdout};

/// A line of the result.
pub fn line(text: impl Display) {
    let mut out = stdout().lock();
    let _ = writeln!(out, "{text}");
    let _ = out.flush();
}

/// A line about what goes on, beside the result.
pub fn note(text: impl Display) {
    let _ = writeln!(stderr().lock(), "{text}");
}

/// A heading, set off by an empty line.
pub fn heading(text: impl Display) {
    line(format_args!("\n{}", bold(&format!("── {text}"))));
}

/// A command as its user types it.
pub fn command(text: impl Display) {
    line(bold(&format!("$ {text}")));
}

pub fn error(error: &anyhow::Error) {
    note(format_args!("error: {error}"));
    for cause in error.chain().skip(1) {
        note(format_args!("  because: {cause}"));
    }
}

fn bold(text: &str) -> String {
    let plain = !stdout().is_terminal() || std::env::var_os("NO_COLOR").is_some();
    if plain {
        return text.to_owned();
    }
    format!("\u{1b}[1m{text}\u{1b}[0m")
}
