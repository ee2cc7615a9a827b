//! The role of a release source: which release commands does this app want?

use std::time::Duration;

use crate::deployment::{Attributes, Deployment};
use crate::failure::Failure;
use crate::plugin::Plugin;

/// Answers which commands an app wants to have run when it is deployed.
pub trait ReleaseSource: Plugin {
    /// The commands that the commit asks for, in the order in which they run.
    /// No command at all is a good answer and not a failure.
    ///
    /// # Errors
    /// Whatever keeps the plugin from knowing. The deployment fails then, since
    /// an app that misses a release command is worse than one that is late.
    fn collect(deployment: &Deployment) -> Result<Collected, Failure>;
}

/// What a release source found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Collected {
    commands: Vec<Command>,
    skipped: Vec<Skipped>,
    warnings: Vec<String>,
    attributes: Attributes,
}

impl Collected {
    /// An app that asks for no command.
    pub fn nothing() -> Self {
        Self::default()
    }

    /// Adds a command after those that are there. A label that is taken gets a
    /// number, since labels are unique in a deployment.
    pub fn command(mut self, mut command: Command) -> Self {
        command.label = self.free_label(command.label);
        self.commands.push(command);
        self
    }

    /// Says what the source saw and did not take, and why.
    pub fn skip(mut self, skipped: Skipped) -> Self {
        self.skipped.push(skipped);
        self
    }

    /// Says what a person should know: a fallback that was taken, a doubt.
    pub fn warning(mut self, warning: impl Into<String>) -> Self {
        self.warnings.push(warning.into());
        self
    }

    pub fn commands(&self) -> &[Command] {
        &self.commands
    }

    pub fn skipped(&self) -> &[Skipped] {
        &self.skipped
    }

    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    #[cfg(target_family = "wasm")]
    pub(crate) fn into_parts(self) -> (Vec<Command>, Vec<Skipped>, Vec<String>, Attributes) {
        (self.commands, self.skipped, self.warnings, self.attributes)
    }

    fn free_label(&self, label: String) -> String {
        let taken = |label: &str| self.commands.iter().any(|command| command.label == label);
        if !taken(&label) {
            return label;
        }
        (2..)
            .map(|number| format!("{label} ({number})"))
            .find(|numbered| !taken(numbered))
            .unwrap_or(label)
    }
}

impl FromIterator<Command> for Collected {
    fn from_iter<T: IntoIterator<Item = Command>>(commands: T) -> Self {
        commands.into_iter().fold(Self::nothing(), Self::command)
    }
}

/// One command to run once per deployment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    pub label: String,
    pub run: Invocation,
    pub phase: Phase,
    pub entrypoint: Entrypoint,
    /// 30 minutes unless set. Counted in whole seconds, at least one.
    pub timeout: Option<Duration>,
    pub when: When,
    pub undo: Option<Invocation>,
    pub provenance: Provenance,
    pub attributes: Attributes,
}

/// The longest label that is made from a command, in characters.
const LABEL_CHARACTERS: usize = 100;

impl Command {
    /// One string for `sh -c`, byte for byte as its author wrote it.
    pub fn shell(line: impl Into<String>) -> Self {
        Self::new(Invocation::Shell(line.into()))
    }

    /// A program and its arguments, without a shell.
    pub fn argv<T: Into<String>>(argv: impl IntoIterator<Item = T>) -> Self {
        Self::new(Invocation::Argv(argv.into_iter().map(Into::into).collect()))
    }

    /// A command of the phase `release`, run at every deployment without the
    /// image's entrypoint, as the settings' own commands are, and labelled by
    /// itself.
    pub fn new(run: Invocation) -> Self {
        Self {
            label: run.readable(),
            run,
            phase: Phase::Release,
            entrypoint: Entrypoint::Bypass,
            timeout: None,
            when: When::Always,
            undo: None,
            provenance: Provenance::default(),
            attributes: Attributes::new(),
        }
    }

    /// What people read in plan and log.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    pub fn phase(mut self, phase: Phase) -> Self {
        self.phase = phase;
        self
    }

    pub fn entrypoint(mut self, entrypoint: Entrypoint) -> Self {
        self.entrypoint = entrypoint;
        self
    }

    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    pub fn when(mut self, when: When) -> Self {
        self.when = when;
        self
    }

    /// What takes the command back, run in the new image, in reverse order.
    pub fn undo(mut self, undo: Invocation) -> Self {
        self.undo = Some(undo);
        self
    }

    /// Says where it was found: a file, and the place in it.
    pub fn at(mut self, file: impl Into<String>, place: impl Into<String>) -> Self {
        self.provenance = Provenance::new(file, place);
        self
    }
}

/// How a command is run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Invocation {
    /// One string for `sh -c`, byte for byte.
    Shell(String),
    /// A program and its arguments, without a shell.
    Argv(Vec<String>),
}

impl Invocation {
    /// The command on one line, shortened where it is long.
    pub fn readable(&self) -> String {
        let words: Vec<&str> = match self {
            Self::Shell(line) => line.split_whitespace().collect(),
            Self::Argv(argv) => argv.iter().map(String::as_str).collect(),
        };
        let line = words.join(" ");
        if line.chars().count() <= LABEL_CHARACTERS {
            return line;
        }
        let start: String = line.chars().take(LABEL_CHARACTERS - 1).collect();
        format!("{start}…")
    }
}

/// When in a deployment a command runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Phase {
    /// The image is built, the new version not started.
    Release,
    /// The new version is up and healthy, not yet routed.
    Gate,
    /// The new version is routed.
    After,
    /// The deployment failed.
    Failed,
}

impl Phase {
    /// The word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Release => "release",
            Self::Gate => "gate",
            Self::After => "after",
            Self::Failed => "failed",
        }
    }
}

/// Whether the image's entrypoint is kept in front of the command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Entrypoint {
    Keep,
    Bypass,
}

impl Entrypoint {
    /// The word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keep => "keep",
            Self::Bypass => "bypass",
        }
    }
}

/// At which deployments a command runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum When {
    Always,
    /// Only while the environment has never had a successful deployment.
    FirstDeploy,
    /// Once per environment, image and command.
    Once,
}

impl When {
    /// The word of the contract.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Always => "always",
            Self::FirstDeploy => "first-deploy",
            Self::Once => "once",
        }
    }
}

/// Where something was found, so that a person can go there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Provenance {
    /// Path in the repository, or empty when it was not a file.
    pub file: String,
    /// The place in it: `line 3`, `MIGRATION_COMMANDS[0]`, …
    pub place: String,
}

impl Provenance {
    pub fn new(file: impl Into<String>, place: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            place: place.into(),
        }
    }
}

/// Something that a source saw and did not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    pub what: String,
    /// Why, in one sentence.
    pub reason: String,
    pub provenance: Provenance,
}

impl Skipped {
    pub fn new(what: impl Into<String>, reason: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            reason: reason.into(),
            provenance: Provenance::default(),
        }
    }

    /// Says where it was found: a file, and the place in it.
    pub fn at(mut self, file: impl Into<String>, place: impl Into<String>) -> Self {
        self.provenance = Provenance::new(file, place);
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_labelled_by_itself_on_one_line() {
        let command = Command::shell("if true; then\n  migrate\nfi");
        assert_eq!(command.label, "if true; then migrate fi");
        assert_eq!(
            command.run,
            Invocation::Shell("if true; then\n  migrate\nfi".into())
        );
    }

    #[test]
    fn a_long_label_is_shortened_and_the_command_is_not() {
        let line = "x".repeat(300);
        let command = Command::shell(line.clone());
        assert_eq!(command.label.chars().count(), LABEL_CHARACTERS);
        assert_eq!(command.run, Invocation::Shell(line));
    }

    #[test]
    fn equal_labels_are_numbered_in_order() {
        let collected = Collected::from_iter(["a", "a", "b", "a"].map(Command::shell));
        let labels: Vec<&str> = collected
            .commands()
            .iter()
            .map(|command| command.label.as_str())
            .collect();
        assert_eq!(labels, ["a", "a (2)", "b", "a (3)"]);
    }
}
