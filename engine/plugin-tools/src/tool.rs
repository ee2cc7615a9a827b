//! Is what a language needs on this machine, and new enough?

use std::io;
use std::time::Duration;

use tokio::process::Command;

use crate::language::Tool;
use crate::process::{self, Ended};
use crate::words::Words;

const PATIENCE: Duration = Duration::from_secs(60);

#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    #[error("`{program}` is not on this machine")]
    Missing { program: String, install: String },
    #[error("`{command}` does not work here: {said}")]
    Broken {
        command: String,
        said: String,
        install: String,
    },
    #[error("{program} is {found}, and {wanted} or newer is needed")]
    Old {
        program: String,
        found: String,
        wanted: String,
        install: String,
    },
    #[error("could not start `{program}`")]
    Start { program: String, source: io::Error },
}

impl ToolError {
    /// How its reader gets the tool.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Missing { install, .. }
            | Self::Broken { install, .. }
            | Self::Old { install, .. } => Some(install.clone()),
            Self::Start { .. } => None,
        }
    }
}

pub async fn check(tool: &Tool, words: &Words) -> Result<(), ToolError> {
    let argv: Vec<String> = tool.command.iter().map(|word| words.fill(word)).collect();
    let Some((program, arguments)) = argv.split_first() else {
        return Ok(());
    };
    let mut command = Command::new(program);
    command.args(arguments);
    let ended = process::run(command, PATIENCE, &mut |_| {})
        .await
        .map_err(|source| no_start(tool, program, source))?;
    if !ended.succeeded() {
        return Err(ToolError::Broken {
            command: argv.join(" "),
            said: last_words(&ended),
            install: tool.install.clone(),
        });
    }
    is_new_enough(tool, program, &ended.lines.join("\n"))
}

fn no_start(tool: &Tool, program: &str, source: io::Error) -> ToolError {
    let program = program.to_owned();
    if source.kind() == io::ErrorKind::NotFound {
        return ToolError::Missing {
            program,
            install: tool.install.clone(),
        };
    }
    ToolError::Start { program, source }
}

fn last_words(ended: &Ended) -> String {
    let said = ended.lines.last().cloned();
    said.unwrap_or_else(|| "it ended without a word".to_owned())
}

fn is_new_enough(tool: &Tool, program: &str, printed: &str) -> Result<(), ToolError> {
    let Some(wanted) = &tool.at_least else {
        return Ok(());
    };
    let found = version(printed);
    if found.is_some_and(|found| numbers(found) >= numbers(wanted)) {
        return Ok(());
    }
    Err(ToolError::Old {
        program: program.to_owned(),
        found: found.unwrap_or("of an unknown version").to_owned(),
        wanted: wanted.clone(),
        install: tool.install.clone(),
    })
}

/// The first thing in a text that looks like a version: `1.26.8` in
/// `go version go1.26.8 linux/amd64`.
fn version(text: &str) -> Option<&str> {
    text.split(|character: char| !character.is_ascii_digit() && character != '.')
        .map(|word| word.trim_matches('.'))
        .find(|word| word.contains('.'))
}

/// Compared number by number; what is not there is less than a nought.
fn numbers(version: &str) -> Vec<u64> {
    version
        .split('.')
        .map(|number| number.parse().unwrap_or(0))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::words::Folders;

    #[test]
    fn versions_are_found_in_what_programs_print() {
        let of = |text| version(text).unwrap();
        assert_eq!(of("Python 3.11.7"), "3.11.7");
        assert_eq!(of("v20.20.2"), "20.20.2");
        assert_eq!(of("go version go1.26.8 linux/amd64"), "1.26.8");
        assert_eq!(of("cargo 1.95.0 (f2d3ce0bd 2026-03-21)"), "1.95.0");
        assert_eq!(of("Debian clang version 14.0.6\nTarget: x86_64"), "14.0.6");
        assert_eq!(version("no version 7"), None);
    }

    fn tool(command: &[&str], at_least: &str) -> Tool {
        Tool {
            command: command.iter().map(|word| (*word).to_owned()).collect(),
            at_least: Some(at_least.to_owned()),
            install: "apt install it".to_owned(),
        }
    }

    async fn checked(command: &[&str], at_least: &str) -> Result<(), ToolError> {
        let folders = Folders {
            project: "/p".into(),
            sdk: "/p".into(),
            work: "/p".into(),
            cache: "/p".into(),
        };
        let words = Words::new(&folders, "a", "").unwrap();
        check(&tool(command, at_least), &words).await
    }

    #[tokio::test]
    async fn a_tool_is_there_and_new_enough_or_the_error_says_what_to_do() {
        let nine = ["echo", "tool v3.9.1"];
        checked(&nine, "3.9").await.unwrap();
        checked(&nine, "3.9.1").await.unwrap();
        let old = checked(&nine, "3.10").await.unwrap_err();
        assert_eq!(
            old.to_string(),
            "echo is 3.9.1, and 3.10 or newer is needed"
        );
        assert_eq!(old.hint().unwrap(), "apt install it");
        let unclear = checked(&["echo", "hello"], "1").await.unwrap_err();
        assert_eq!(
            unclear.to_string(),
            "echo is of an unknown version, and 1 or newer is needed"
        );
        let missing = checked(&["no-such-tool-here"], "1").await.unwrap_err();
        assert_eq!(
            missing.to_string(),
            "`no-such-tool-here` is not on this machine"
        );
        let broken = checked(&["sh", "-c", "echo half installed; exit 1"], "1").await;
        assert!(
            broken
                .unwrap_err()
                .to_string()
                .ends_with("does not work here: half installed")
        );
    }
}
