//! Asking the image for the commands.

use serde::Deserialize;
use shipway_sdk::failure::{Code, Failure};
use shipway_sdk::image::{self, Output};

/// What runs in the image.
const PROGRAM: &str = include_str!("probe.py");
/// The line after which the answer stands. Before it may stand what an
/// entrypoint prints.
const MARKER: &str = "-----shipway-migration-commands-----";
/// The names that Python goes by, in the order in which they are tried.
const PYTHONS: [&str; 2] = ["python", "python3"];
/// What shells and container engines answer when a program is not there or
/// cannot be run.
const NOT_RUN: [i32; 2] = [126, 127];
/// How much of an error is shown, in characters.
const SHOWN: usize = 300;

/// One entry of the list.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Found {
    pub command: String,
    /// The addon that put it there, unless the settings did themselves.
    pub addon: Option<String>,
    /// The file that put it there, unless it is none of the repository's.
    pub file: Option<String>,
}

/// The entries of `MIGRATION_COMMANDS`, in their order; or, where the image
/// cannot tell, why it cannot, in words that go on after "since".
pub fn ask() -> Result<Vec<Found>, String> {
    let mut reason = String::new();
    for python in PYTHONS {
        match ask_with(python) {
            Asked::Listed(found) => return Ok(found),
            Asked::CannotTell(why) => return Err(why),
            Asked::NotRun(why) => reason = why,
        }
    }
    Err(reason)
}

enum Asked {
    Listed(Vec<Found>),
    CannotTell(String),
    /// This Python is not there; another may be.
    NotRun(String),
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Answer {
    Commands(Vec<Found>),
    Error(String),
}

fn ask_with(python: &str) -> Asked {
    let variables = [
        // The settings take SQLite and a local cache then.
        ("DJANGO_MODE", "build"),
        ("PYTHONDONTWRITEBYTECODE", "1"),
        ("PYTHONIOENCODING", "utf-8"),
    ];
    match image::run(&[python, "-c", PROGRAM, MARKER], &variables) {
        Ok(output) => read(python, &output),
        Err(failure) => not_asked(&failure),
    }
}

/// What the probe wrote, if it came so far.
fn read(python: &str, output: &Output) -> Asked {
    let stdout = output.stdout_text();
    let Some((_, answer)) = stdout.rsplit_once(MARKER) else {
        return no_answer(python, output);
    };
    match serde_json::from_str(answer.trim()) {
        Ok(Answer::Commands(found)) => Asked::Listed(found),
        Ok(Answer::Error(error)) => {
            Asked::CannotTell(format!("the settings fail in it: {}", shown(&error)))
        }
        Err(_) if output.truncated => Asked::CannotTell("its answer is over 1 MiB".to_owned()),
        Err(error) => Asked::CannotTell(format!("its answer cannot be read: {error}")),
    }
}

fn no_answer(python: &str, output: &Output) -> Asked {
    if NOT_RUN.contains(&output.exit_code) {
        return Asked::NotRun("there is no Python in it".to_owned());
    }
    let stderr = output.stderr_text();
    let last = stderr.lines().map(str::trim).rfind(|line| !line.is_empty());
    Asked::CannotTell(format!(
        "`{python}` in it ended with code {} and no answer: {}",
        output.exit_code,
        shown(last.unwrap_or("it wrote no error"))
    ))
}

fn not_asked(failure: &Failure) -> Asked {
    let reason = shown(&failure.message);
    if [Code::DENIED, Code::TIMEOUT, Code::LIMIT].contains(&failure.code) {
        Asked::CannotTell(reason)
    } else {
        Asked::NotRun(reason)
    }
}

/// A text on one line, shortened.
fn shown(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= SHOWN {
        return line;
    }
    let start: String = line.chars().take(SHOWN).collect();
    format!("{start}…")
}
