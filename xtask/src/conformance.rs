//! `cargo xtask conformance`: what plugin authors were promised, in every
//! language.
//!
//! * The example plugin is built with `shipway plugin build` and gives the same
//!   answers to every case of `tests/conformance/cases/`, in the sandbox that
//!   plugins run in.
//! * What `shipway plugin new` writes builds and passes its own tests, for every
//!   role.
//! * A release source made so brings release commands to an app that is deployed.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::thread;

use anyhow::{Result, bail};

use crate::house::{self, House, Profile};
use crate::say;

mod case;
mod deploy;
pub mod language;
mod outcome;
pub mod shipway;
mod table;
mod template;

use case::Case;
use language::LANGUAGES;
pub use language::{Language, from_python_packages, search_path};
pub use outcome::Outcome;
use outcome::{Spoken, disagreements};
use shipway::Shipway;

/// Most of a build waits for one processor or for the network.
const AT_ONCE: usize = 2;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Only these languages
    #[arg(long, value_name = "LANGUAGE")]
    language: Vec<String>,
    /// Only the cases, without templates and deployments
    #[arg(long)]
    cases: bool,
}

/// How much is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Extent {
    Cases,
    All,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let house = House::open()?;
    let languages = chosen(&arguments.language)?;
    let extent = match arguments.cases {
        true => Extent::Cases,
        false => Extent::All,
    };
    let program = house.build_shipway(Profile::Dev)?;
    let outcome = perform(&house, program, &languages, extent);
    say::line(table::every_case(&outcome));
    say::line(table::summary(&outcome));
    say::line(outcome.verdict());
    let missing = house::parts_are_required() && outcome.lacks().next().is_some();
    match outcome.failed() > 0 || missing {
        true => Ok(ExitCode::FAILURE),
        false => Ok(ExitCode::SUCCESS),
    }
}

/// All of it with a `shipway` that is built, for `cargo xtask test`.
pub fn all(house: &House, program: PathBuf) -> Outcome {
    let outcome = perform(house, program, &LANGUAGES, Extent::All);
    say::line(table::summary(&outcome));
    say::line(outcome.verdict());
    outcome
}

fn chosen(names: &[String]) -> Result<Vec<Language>> {
    if names.is_empty() {
        return Ok(LANGUAGES.to_vec());
    }
    names
        .iter()
        .map(|name| match Language::named(name) {
            Some(language) => Ok(language),
            None => bail!(
                "there are no plugins in {name}; there are: {}",
                Language::list()
            ),
        })
        .collect()
}

fn perform(house: &House, program: PathBuf, languages: &[Language], extent: Extent) -> Outcome {
    let shipway = Shipway::new(house, program);
    let mut spoken = speak(house, &shipway, languages, extent);
    disagreements(&mut spoken);
    let deployed = match extent {
        Extent::Cases => Ok(()),
        Extent::All => deploy::all(house, &shipway, &mut spoken),
    };
    let trouble = deployed.err().map(|error| format!("deploying: {error:#}"));
    Outcome {
        languages: spoken,
        trouble: trouble.into_iter().collect(),
    }
}

/// Every language, some at once.
fn speak(house: &House, shipway: &Shipway, languages: &[Language], extent: Extent) -> Vec<Spoken> {
    let waiting = Mutex::new(languages.iter().copied());
    let next = || waiting.lock().ok().and_then(|mut waiting| waiting.next());
    let mut spoken: Vec<Spoken> = thread::scope(|scope| {
        let worker = || {
            std::iter::from_fn(next)
                .map(|language| one(house, shipway, language, extent))
                .collect::<Vec<_>>()
        };
        let workers: Vec<_> = (0..AT_ONCE).map(|_| scope.spawn(worker)).collect();
        let done = workers.into_iter().map(|worker| worker.join());
        done.flat_map(Result::unwrap_or_default).collect()
    });
    let place = |name: &str| languages.iter().position(|one| one.name == name);
    spoken.sort_by_key(|one| place(one.language.name));
    spoken
}

fn one(house: &House, shipway: &Shipway, language: Language, extent: Extent) -> Spoken {
    let mut spoken = Spoken::new(language);
    let tools = match language.bring(house) {
        Ok(tools) => tools,
        Err(error) => {
            spoken.missing = Some(format!("{error:#}"));
            return spoken;
        }
    };
    let shipway = shipway.with_tools(&tools);
    match cases(house, &shipway, language) {
        Ok(cases) => spoken.cases = cases,
        Err(error) => spoken.trouble.push(format!("the example: {error:#}")),
    }
    if extent == Extent::All {
        spoken.templates = template::every_role(house, &shipway, language);
    }
    spoken.tools = tools;
    say::note(format_args!("conformance: {}", spoken.line()));
    spoken
}

fn cases(house: &House, shipway: &Shipway, language: Language) -> Result<Vec<Case>> {
    let project = house.path("examples/plugins").join(language.name);
    shipway.build(&project)?;
    let component = project.join(format!("build/{}.wasm", language.name));
    shipway.test(&component, &house.path("tests/conformance/cases"))
}
