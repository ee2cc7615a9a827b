//! The steps of a language's toolchain.

use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tokio::process::Command;

use crate::language::Step;
use crate::lock;
use crate::process::{self, Ended, How};
use crate::progress::{Done, Listener, Progress};
use crate::words::{Folders, Words};

/// How much of a failed step's output is shown.
const SHOWN_LINES: usize = 40;

#[derive(Debug, thiserror::Error)]
pub enum StepError {
    #[error("{step}: could not start `{command}`")]
    Start {
        step: String,
        command: String,
        source: io::Error,
    },
    #[error("{step}: `{command}` {how}")]
    Failed {
        step: String,
        command: String,
        /// `ended with exit code 1`, `took longer than 600 s and was ended`, …
        how: String,
        /// The last lines that it printed.
        output: Vec<String>,
        hint: Option<String>,
    },
    #[error("{step}: `{command}` succeeded and left no {created}")]
    NothingMade {
        step: String,
        command: String,
        created: PathBuf,
    },
    #[error("{step}: could not take the lock of {folder}")]
    Lock {
        step: String,
        folder: PathBuf,
        source: io::Error,
    },
    #[error("{step}: it names no command")]
    Empty { step: String },
}

impl StepError {
    /// The last lines that the step printed.
    pub fn output(&self) -> &[String] {
        match self {
            Self::Failed { output, .. } => output,
            _ => &[],
        }
    }

    /// What its reader may do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Failed { hint, .. } => hint.clone(),
            _ => None,
        }
    }
}

/// A step with its placeholders filled in.
struct Ready<'a> {
    step: &'a Step,
    argv: Vec<String>,
    creates: Option<PathBuf>,
    words: &'a Words,
    folders: &'a Folders,
}

/// Runs a step, unless there is nothing to do.
pub async fn run(
    step: &Step,
    words: &Words,
    folders: &Folders,
    listener: &mut Listener<'_>,
) -> Result<Option<Done>, StepError> {
    let ready = Ready {
        step,
        argv: step.run.iter().map(|word| words.fill(word)).collect(),
        creates: step.creates.as_ref().map(|path| words.fill(path).into()),
        words,
        folders,
    };
    if ready.is_done().await {
        return Ok(None);
    }
    let begun = Instant::now();
    let say = words.fill(&step.say);
    listener(Progress::Started { step: &say });
    // What is made for all projects is made once.
    let shared = ready
        .creates
        .as_deref()
        .filter(|path| path.starts_with(&folders.cache));
    let _lock = match shared {
        Some(_) => Some(ready.lock(listener).await?),
        None => None,
    };
    if shared.is_none_or(|path| !path.exists()) {
        ready.run(listener).await?;
    }
    let took = begun.elapsed();
    listener(Progress::Finished { step: &say, took });
    Ok(Some(Done { step: say, took }))
}

impl Ready<'_> {
    async fn is_done(&self) -> bool {
        if self.creates.as_deref().is_some_and(Path::exists) {
            return true;
        }
        let unless: Vec<String> = self
            .step
            .unless
            .iter()
            .map(|w| self.words.fill(w))
            .collect();
        let Some(command) = self.command(&unless) else {
            return false;
        };
        let ended = process::run(command, self.step.limit(), &mut |_| {}).await;
        ended.is_ok_and(|ended| ended.succeeded())
    }

    async fn lock(&self, listener: &mut Listener<'_>) -> Result<lock::Lock, StepError> {
        let folder = &self.folders.cache;
        lock::hold(folder, self.step.limit(), listener)
            .await
            .map_err(|source| StepError::Lock {
                step: self.step.say.clone(),
                folder: folder.clone(),
                source,
            })
    }

    async fn run(&self, listener: &mut Listener<'_>) -> Result<(), StepError> {
        let step = self.words.fill(&self.step.say);
        let command = self
            .command(&self.argv)
            .ok_or(StepError::Empty { step: step.clone() })?;
        let shown = shown(&self.argv);
        let ended = process::run(command, self.step.limit(), &mut |text| {
            listener(Progress::Line { text });
        })
        .await
        .map_err(|source| StepError::Start {
            step: step.clone(),
            command: shown.clone(),
            source,
        })?;
        if !ended.succeeded() {
            return Err(self.failed(step, shown, ended));
        }
        match &self.creates {
            Some(path) if !path.exists() => Err(StepError::NothingMade {
                step,
                command: shown,
                created: path.clone(),
            }),
            _ => Ok(()),
        }
    }

    fn command(&self, argv: &[String]) -> Option<Command> {
        let (program, arguments) = argv.split_first()?;
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&self.folders.project);
        for (name, value) in &self.step.env {
            command.env(name, self.words.fill(value));
        }
        Some(command)
    }

    fn failed(&self, step: String, command: String, ended: Ended) -> StepError {
        let skipped = ended.lines.len().saturating_sub(SHOWN_LINES);
        StepError::Failed {
            step,
            command,
            how: how(ended.how, self.step.limit()),
            output: ended.lines.into_iter().skip(skipped).collect(),
            hint: self.step.hint.as_ref().map(|hint| self.words.fill(hint)),
        }
    }
}

fn how(how: How, limit: Duration) -> String {
    match how {
        How::TimedOut => format!("took longer than {} s and was ended", limit.as_secs()),
        How::Exited(status) => match (status.code(), status.signal()) {
            (Some(code), _) => format!("ended with exit code {code}"),
            (None, Some(signal)) => format!("was ended by signal {signal}"),
            (None, None) => "ended in an unknown way".to_owned(),
        },
    }
}

/// The command as one types it, shortened where it is a whole script.
fn shown(argv: &[String]) -> String {
    let words: Vec<String> = argv
        .iter()
        .map(|word| match word.contains(char::is_whitespace) {
            true => format!(
                "'{}'",
                word.split_whitespace().collect::<Vec<_>>().join(" ")
            ),
            false => word.clone(),
        })
        .collect();
    let line = words.join(" ");
    match line.char_indices().nth(300) {
        Some((end, _)) => format!("{}…", line.get(..end).unwrap_or_default()),
        None => line,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Place {
        _folder: tempfile::TempDir,
        folders: Folders,
        words: Words,
    }

    fn place() -> Place {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let folders = Folders {
            project: folder.path().to_owned(),
            sdk: at("sdk"),
            work: at("build"),
            cache: at("cache"),
        };
        let words = Words::new(&folders, "my-hook", "notifier").unwrap();
        Place {
            _folder: folder,
            folders,
            words,
        }
    }

    async fn done(place: &Place, text: &str) -> Result<Option<Done>, StepError> {
        let step: Step = toml::from_str(text).unwrap();
        run(&step, &place.words, &place.folders, &mut |_| {}).await
    }

    #[tokio::test]
    async fn a_step_runs_in_the_project_with_its_variables() {
        let place = place();
        let text = r#"
            say = "Building {name}"
            run = ["sh", "-c", 'mkdir build && echo "$A" > build/out']
            env = { A = "{snake}" }
            creates = "{work}/out"
        "#;
        let first = done(&place, text).await.unwrap().unwrap();
        assert_eq!(first.step, "Building my-hook");
        let made = std::fs::read_to_string(place.folders.work.join("out")).unwrap();
        assert_eq!(made, "my_hook\n");
        assert_eq!(done(&place, text).await.unwrap(), None);
    }

    #[tokio::test]
    async fn a_step_is_skipped_when_its_question_says_so() {
        let place = place();
        let text = "say = \"x\"\nunless = [\"true\"]\nrun = [\"false\"]\n";
        assert_eq!(done(&place, text).await.unwrap(), None);
        let text = "say = \"x\"\nunless = [\"false\"]\nrun = [\"true\"]\n";
        assert!(done(&place, text).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn a_failed_step_shows_command_code_and_last_lines() {
        let place = place();
        let text = r#"
            say = "Compiling"
            run = ["sh", "-c", "seq 1 100; echo 'x.c:1: no such thing' >&2; exit 7"]
            hint = "look into {work}"
        "#;
        let error = done(&place, text).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "Compiling: `sh -c 'seq 1 100; echo 'x.c:1: no such thing' >&2; exit 7'` \
             ended with exit code 7"
        );
        assert_eq!(error.output().len(), SHOWN_LINES);
        assert!(
            error
                .output()
                .iter()
                .any(|line| line.contains("no such thing"))
        );
        assert!(error.hint().unwrap().ends_with("/build"));
    }

    #[tokio::test]
    async fn a_step_that_never_ends_is_ended() {
        let place = place();
        let text = "say = \"x\"\nrun = [\"sleep\", \"300\"]\ntimeout-seconds = 1\n";
        let error = done(&place, text).await.unwrap_err();
        assert_eq!(
            error.to_string(),
            "x: `sleep 300` took longer than 1 s and was ended"
        );
    }

    #[tokio::test]
    async fn a_step_that_makes_nothing_or_cannot_start_fails() {
        let place = place();
        let error = done(
            &place,
            "say = \"x\"\nrun = [\"true\"]\ncreates = \"{work}/y\"\n",
        )
        .await;
        assert!(error.unwrap_err().to_string().contains("left no"));
        let error = done(&place, "say = \"x\"\nrun = [\"no-such-tool\"]\n").await;
        assert!(matches!(error.unwrap_err(), StepError::Start { .. }));
        let error = done(&place, "say = \"x\"\nrun = []\n").await;
        assert!(matches!(error.unwrap_err(), StepError::Empty { .. }));
    }

    #[tokio::test]
    async fn what_all_projects_share_is_made_by_one_of_them() {
        let place = place();
        let text = r#"
            say = "Installing"
            run = ["sh", "-c", "mkdir '{cache}/tool' && sleep 0.2"]
            creates = "{cache}/tool"
        "#;
        let (one, other) = tokio::join!(done(&place, text), done(&place, text));
        one.unwrap();
        other.unwrap();
    }
}
