//! `shipway plugin build`: a checked component, by the language's own tools.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use shipway_api::words::took;
use shipway_plugin_tools::build::{BuildError, Built};
use shipway_plugin_tools::progress::Progress;

use super::{Detail, interrupted, toolbox};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{JsonFlag, note, show};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The project's folder
    #[arg(default_value = ".")]
    directory: PathBuf,
    #[command(flatten)]
    json: JsonFlag,
}

pub async fn run(arguments: Arguments, detail: Detail) -> Result<(), Failure> {
    let built = build(&arguments.directory, detail).await?;
    show(arguments.json.form(), &built, text)
}

/// Builds, and tells of it on standard error. Ctrl-C ends what runs.
pub async fn build(directory: &Path, detail: Detail) -> Result<Built, Failure> {
    let tools = toolbox()?;
    let screen = Screen::new(detail);
    let mut listener = |progress: Progress<'_>| screen.tell(progress);
    let outcome = tokio::select! {
        built = tools.build(directory, &mut listener) => Some(built),
        () = interrupted() => None,
    };
    screen.spinner.finish_and_clear();
    match outcome {
        Some(Ok(built)) => Ok(built),
        Some(Err(error)) => {
            screen.repeat(error.output());
            Err(failure(error, detail))
        }
        None => Err(Failure {
            exit: Exit::Detached,
            ..Failure::new("interrupted; the build was ended")
        }),
    }
}

fn failure(error: BuildError, detail: Detail) -> Failure {
    let all = || "`--verbose` shows everything that it prints".to_owned();
    let more = detail == Detail::Steps && !error.output().is_empty();
    Failure {
        hint: error.hint().or_else(|| more.then(all)),
        exit: Exit::Failed,
        ..Failure::from(anyhow::Error::new(error))
    }
}

/// On a terminal a spinner, elsewhere a line for each step.
struct Screen {
    detail: Detail,
    /// Hidden where there is no terminal.
    spinner: ProgressBar,
}

impl Screen {
    fn new(detail: Detail) -> Self {
        let target = match io::stderr().is_terminal() {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let spinner = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            spinner.set_style(style);
        }
        spinner.enable_steady_tick(Duration::from_millis(120));
        Self { detail, spinner }
    }

    fn tell(&self, progress: Progress<'_>) {
        match progress {
            Progress::Started { step } if self.spinner.is_hidden() => self.say(step),
            Progress::Started { step } => {
                self.spinner.reset_elapsed();
                self.spinner.set_message(step.to_owned());
            }
            Progress::Line { text } if self.detail == Detail::Lines => {
                self.say(&format!("  {text}"));
            }
            Progress::Line { .. } => {}
            Progress::Finished { step, took: time } if !self.spinner.is_hidden() => {
                self.say(&format!("{step}: {}", millis(time)));
            }
            Progress::Finished { .. } => {}
        }
    }

    /// What a failed step printed last, unless it was shown as it came.
    fn repeat(&self, lines: &[String]) {
        if self.detail == Detail::Steps {
            lines.iter().for_each(|line| self.say(&format!("  {line}")));
        }
    }

    /// A build goes on when nobody can be told of it.
    fn say(&self, text: &str) {
        let _ = self.spinner.suspend(|| note(text));
    }
}

fn millis(time: Duration) -> String {
    took(u64::try_from(time.as_millis()).unwrap_or(u64::MAX))
}

fn text(built: &Built) -> String {
    let seen = &built.inspection;
    let roles: Vec<String> = seen.roles.iter().map(ToString::to_string).collect();
    let contract = seen.contract.get("shipway:plugin");
    format!(
        "{}\nroles     {}\ncontract  {}\ndigest    sha256:{}\nsize      {}\ntook      {}",
        built.component.display(),
        roles.join(", "),
        contract.map_or("-", String::as_str),
        seen.digest,
        size(seen.size),
        millis(built.took),
    )
}

const MIB: u64 = 1024 * 1024;

/// `17 KiB`, `1.2 MiB`.
fn size(bytes: u64) -> String {
    match bytes {
        0..MIB => format!("{} KiB", bytes.div_ceil(1024)),
        _ => format!("{}.{} MiB", bytes / MIB, bytes % MIB * 10 / MIB),
    }
}

#[cfg(test)]
mod tests {
    use shipway_core::plugin::Role;
    use shipway_plugin_tools::inspect::{Inspection, Kind};

    use super::*;

    #[test]
    fn a_component_is_shown_with_what_it_is() {
        let built = Built {
            component: "/plugins/hook/build/hook.wasm".into(),
            language: "rust".to_owned(),
            took: Duration::from_millis(12_345),
            steps: Vec::new(),
            inspection: Inspection {
                kind: Kind::Component,
                size: 48_100,
                digest: "ab12".to_owned(),
                roles: vec![Role::ReleaseSource, Role::Notifier],
                contract: [("shipway:plugin".to_owned(), "0.1.0".to_owned())].into(),
                imports: Vec::new(),
                exports: Vec::new(),
                producers: [].into(),
            },
        };
        insta::assert_snapshot!(text(&built), @r"
        /plugins/hook/build/hook.wasm
        roles     release-source, notifier
        contract  0.1.0
        digest    sha256:ab12
        size      47 KiB
        took      12.3 s
        ");
    }

    #[test]
    fn sizes_are_short() {
        assert_eq!(size(1), "1 KiB");
        assert_eq!(size(1_572_864), "1.5 MiB");
    }

    #[test]
    fn what_is_no_project_is_said_with_what_to_do() {
        let folder = std::env::temp_dir().join("shipway-no-project-here");
        std::fs::create_dir_all(&folder).unwrap();
        let error = shipway_plugin_tools::project::Project::read(&folder).unwrap_err();
        let shown = failure(error.into(), Detail::Steps).to_string();
        assert!(shown.contains("has no shipway-plugin.toml"), "{shown}");
        assert!(
            shown.contains("to do: name the project's folder"),
            "{shown}"
        );
    }
}
