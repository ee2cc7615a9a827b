//! What people type, and what programs pipe in.

use std::fs::File;
use std::io::{self, BufRead, IsTerminal, Read};
use std::path::Path;

use console::Term;

use crate::failure::Failure;
use crate::output::note;

/// More than this is no value of a variable.
const LONGEST: u64 = 64 * 1024;

/// A secret from standard input: one line at a terminal, not shown as it is
/// typed; all of a pipe, without its last line end.
pub fn secret(what: &str) -> Result<String, Failure> {
    let read = if io::stdin().is_terminal() {
        note(format!("{what} (not shown as you type):"))?;
        Term::stderr().read_secure_line()
    } else {
        io::read_to_string(io::stdin().lock().take(LONGEST + 2))
    };
    let text = read.map_err(|error| {
        Failure::new(format!("could not read the {what} from standard input")).because(&error)
    })?;
    without_line_end(what, &text)
}

/// The same, or from a file.
pub fn secret_from(what: &str, file: Option<&Path>) -> Result<String, Failure> {
    let Some(path) = file else {
        return secret(what);
    };
    let read = File::open(path).and_then(|file| io::read_to_string(file.take(LONGEST + 2)));
    let text = read.map_err(|error| {
        Failure::new(format!("could not read the {what} from {}", path.display())).because(&error)
    })?;
    without_line_end(what, &text)
}

fn without_line_end(what: &str, text: &str) -> Result<String, Failure> {
    let text = text.strip_suffix('\n').unwrap_or(text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    if text.is_empty() {
        return Err(Failure::usage(format!("the {what} is empty"))
            .with_hint("pipe it in, such as: printf %s \"$SECRET\" | shipway …"));
    }
    Ok(text.to_owned())
}

/// Asks before something cannot be taken back: the name must be typed.
pub fn confirm(what: &str, name: &str, yes: bool) -> Result<(), Failure> {
    if yes {
        return Ok(());
    }
    if !io::stdin().is_terminal() {
        return Err(Failure::usage(format!("this would {what}"))
            .with_hint("say --yes if that is meant; there is no terminal to ask at"));
    }
    note(format!("This will {what}. Type {name} to go on:"))?;
    let mut typed = String::new();
    io::stdin().lock().read_line(&mut typed)?;
    if typed.trim() == name {
        return Ok(());
    }
    Err(Failure::usage("nothing was done"))
}
