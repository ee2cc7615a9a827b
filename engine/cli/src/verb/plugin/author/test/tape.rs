//! Host calls on disk: one file a case, one JSON object a line, and the answer
//! of the plugin as the last.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde_json::{Value, json};
use shipway_plugin_host::HostCall;

use super::outcome::Outcome;

/// What is done with host calls.
#[derive(Debug, Clone)]
pub enum Taping {
    Off,
    /// Keep them in this folder.
    Record(PathBuf),
    /// Answer them from this folder.
    Replay(PathBuf),
}

/// The last line of a tape.
const RETURN: &str = "return";

/// A tape that was read.
#[derive(Debug, Clone)]
pub struct Tape {
    pub calls: Vec<HostCall>,
    /// What the plugin answered then.
    pub answer: Value,
}

pub fn write(folder: &Path, case: &str, outcome: &Outcome) -> anyhow::Result<()> {
    let path = file(folder, case);
    let problem = || format!("could not write {}", path.display());
    fs::create_dir_all(folder).with_context(problem)?;
    let mut text = Vec::new();
    let end = HostCall {
        call: RETURN.to_owned(),
        arguments: Value::Null,
        answer: outcome.answer(),
    };
    for call in outcome.calls.iter().chain([&end]) {
        writeln!(text, "{}", json!(call))?;
    }
    fs::write(&path, text).with_context(problem)
}

pub fn read(folder: &Path, case: &str) -> anyhow::Result<Tape> {
    let path = file(folder, case);
    let shown = path.display();
    let text = fs::read_to_string(&path)
        .with_context(|| format!("there is no tape {shown}; record it with --record"))?;
    let lines = text.lines().enumerate().map(|(index, line)| {
        serde_json::from_str(line)
            .with_context(|| format!("line {} of {shown} is no host call", index + 1))
    });
    let mut calls: Vec<HostCall> = lines.collect::<anyhow::Result<_>>()?;
    match calls.pop() {
        Some(end) if end.call == RETURN => Ok(Tape {
            calls,
            answer: end.answer,
        }),
        _ => bail!("the tape {shown} has no end; record it again with --record"),
    }
}

fn file(folder: &Path, case: &str) -> PathBuf {
    folder.join(format!("{case}.jsonl"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tape_that_was_written_can_be_read() {
        let folder = std::env::temp_dir().join(format!("shipway-tape-{}", std::process::id()));
        let outcome = Outcome {
            result: Some(json!({"commands": []})),
            calls: vec![HostCall {
                call: "settings.get".into(),
                arguments: json!({"name": "url"}),
                answer: json!(null),
            }],
            ..Outcome::default()
        };
        write(&folder, "case", &outcome).unwrap();
        let tape = read(&folder, "case").unwrap();
        assert_eq!(tape.calls, outcome.calls);
        assert_eq!(tape.answer, outcome.answer());
        assert!(
            read(&folder, "other")
                .unwrap_err()
                .to_string()
                .contains("--record")
        );
        fs::remove_dir_all(folder).unwrap();
    }
}
