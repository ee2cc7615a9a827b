//! `shipway plugin test`: a plugin in the sandbox that it will run in, against
//! cases, with every host call shown.
//!
//! [`case`] says what is there and what is expected, [`stage`] sets it up,
//! [`theatre`] asks the plugin, [`outcome`] is what came of it, [`expect`]
//! compares, [`tape`] keeps host calls, [`report`] shows it all.

mod case;
mod expect;
mod outcome;
mod report;
mod stage;
mod tape;
mod theatre;

use std::path::{Path, PathBuf};

use clap::Args;
use shipway_plugin_tools::project::Project;

use self::case::Case;
use self::report::{Played, Report};
pub use self::tape::Taping;
pub use self::theatre::Theatre;
use super::{Detail, build, toolbox};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::{Form, JsonFlag, show};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The component (.wasm), or a project's folder, which is built first; then
    /// cases (.toml, .json) or folders of them
    ///
    /// Left out: the project here, and the cases in its folder tests/.
    #[arg(value_name = "PLUGIN|CASE")]
    files: Vec<PathBuf>,
    /// Keep each case's host calls in this folder, as JSON lines
    #[arg(long, value_name = "FOLDER", conflicts_with = "replay")]
    record: Option<PathBuf>,
    /// Answer the host calls from what was kept in this folder; the result
    /// must be the same
    #[arg(long, value_name = "FOLDER")]
    replay: Option<PathBuf>,
    #[command(flatten)]
    json: JsonFlag,
}

pub async fn run(arguments: Arguments, detail: Detail) -> Result<(), Failure> {
    let form = arguments.json.form();
    let taping = match (arguments.record, arguments.replay) {
        (Some(folder), _) => Taping::Record(folder),
        (None, Some(folder)) => Taping::Replay(folder),
        (None, None) => Taping::Off,
    };
    let (component, cases) = chosen(&arguments.files, detail).await?;
    let report = report(&component, &cases, &taping).await?;
    match form {
        Form::People => show(form, &report, |report| report.text(detail))?,
        Form::Json => show(form, &report, |_| String::new())?,
    }
    match report.failed() {
        0 => Ok(()),
        failed => Err(Failure {
            exit: Exit::Failed,
            ..Failure::new(format!("{failed} of {} cases failed", report.cases.len()))
        }),
    }
}

/// Plays every case on one component.
pub async fn report(
    component: &Path,
    cases: &[PathBuf],
    taping: &Taping,
) -> Result<Report, Failure> {
    // Cases are read before anything runs: a typing error is found at once.
    let read = cases.iter().map(|path| Ok((path, Case::read(path)?)));
    let read: Vec<(&PathBuf, Case)> = read.collect::<anyhow::Result<_>>()?;
    let theatre = Theatre::open(component, &toolbox()?).await?;
    let mut played: Vec<Played> = Vec::new();
    for (path, case) in &read {
        played.push(theatre.play(path, case, taping).await?);
    }
    Ok(Report {
        plugin: theatre.description().clone(),
        compile_ms: theatre.compile_ms(),
        cases: played,
    })
}

/// The component to test, and the cases.
async fn chosen(files: &[PathBuf], detail: Detail) -> Result<(PathBuf, Vec<PathBuf>), Failure> {
    let here = PathBuf::from(".");
    let (first, rest) = match files.split_first() {
        Some((first, rest)) if !is_case(first) => (first, rest),
        _ => (&here, files),
    };
    let is_component = first
        .extension()
        .is_some_and(|extension| extension == "wasm");
    let component = match is_component {
        true => first.clone(),
        false => build::build(first, detail).await?.component,
    };
    if !rest.is_empty() {
        return Ok((component, all(rest)?));
    }
    let folder = match is_component {
        true => here,
        false => Project::read(first).map_err(anyhow::Error::new)?.folder,
    };
    Ok((component, Case::all_in(&folder.join("tests"))?))
}

/// The cases of a folder.
pub fn cases_in(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    Ok(Case::all_in(folder)?)
}

fn is_case(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str());
    matches!(extension, Some("toml" | "json"))
}

fn all(paths: &[PathBuf]) -> Result<Vec<PathBuf>, Failure> {
    let mut cases = Vec::new();
    for path in paths {
        match path.is_dir() {
            true => cases.extend(Case::all_in(path)?),
            false => cases.push(path.clone()),
        }
    }
    Ok(cases)
}
