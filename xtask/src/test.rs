//! `cargo xtask test`: brings what the tests need, runs all of them, and says
//! what did not run and why.

use std::fs::File;
use std::io::Write;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::conformance::search_path;
use crate::crash::CRASH_LOOP;
use crate::guests::Way;
use crate::house::{self, BUILD_LIMIT, House, Profile};
use crate::simulate::SIMULATION;
use crate::{api_check, conformance, plugins, run, say};

mod needs;
mod report;

use needs::Lack;
use report::{Report, Sums, last_lines};

/// Beyond it something hangs; each test has a bound of its own.
const TEST_LIMIT: Duration = Duration::from_secs(2700);
const LOG: &str = "test.log";
/// Runs of the simulation; more of them by `cargo xtask simulate`.
const SEEDS: u32 = 20_000;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Only the tests of these crates: core, store, plugin-procfile, …
    #[arg(long, value_name = "CRATE")]
    suite: Vec<String>,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let house = House::open()?;
    let packages = packages(&house, &arguments.suite)?;
    let lacks = prepare(&house, &packages)?;
    let mut report = test(&house, &packages)?;
    if arguments.suite.is_empty() {
        report.add(conformance(&house));
        report.add(simulation(&house));
        report.add(crashes(&house));
        report.add(answers(&house));
    }
    Ok(conclude(&house, &report, &lacks))
}

/// The crates asked for, as arguments to cargo.
fn packages(house: &House, suites: &[String]) -> Result<Vec<String>> {
    let members = house.members();
    let mut arguments = Vec::new();
    for suite in suites {
        let full = format!("shipway-{suite}");
        let found = members
            .iter()
            .find(|one| one.name == *suite || one.name == full || one.folder == *suite);
        let Some(found) = found else {
            let names: Vec<&str> = members.iter().map(|one| one.name.as_str()).collect();
            bail!("there is no crate {suite}; there are: {}", names.join(", "));
        };
        arguments.extend(["--package".to_owned(), found.name.clone()]);
    }
    if arguments.is_empty() {
        arguments.push("--workspace".to_owned());
    }
    Ok(arguments)
}

/// Builds everything, and brings what the machine lacks meanwhile: one wants
/// the processor, the other the network.
fn prepare(house: &House, packages: &[String]) -> Result<Vec<Lack>> {
    thread::scope(|scope| {
        let needs = scope.spawn(|| needs::bring(house));
        let plugins = plugins::build(house, Way::Auto);
        build(house, packages)?;
        let mut lacks = needs.join().unwrap_or_default();
        if let Err(error) = plugins {
            lacks.push(Lack::new("plugins as components", &error));
        }
        Ok(lacks)
    })
}

/// The same selection as the tests' own, and the programs they start.
fn build(house: &House, packages: &[String]) -> Result<()> {
    let mut command = house.cargo();
    command
        .args(["build", "--bins", "--tests", "--examples"])
        .args(packages);
    run::run(&mut command, BUILD_LIMIT).context("building the tests")
}

fn test(house: &House, packages: &[String]) -> Result<Report> {
    let path = house.target.join(LOG);
    let mut log = File::create(&path).with_context(|| format!("making {}", path.display()))?;
    let mut command = house.cargo();
    command
        .args(["test", "--no-fail-fast", "--color", "never"])
        .args(packages)
        // Also what passing tests print: that is where they say what they could not run.
        .args(["--", "--show-output"])
        .env("SHIPWAY_IMAGE_CACHE", house.images_cache())
        .env("PATH", search_path(&needs::programs(house)));
    let mut report = Report::new(house.test_targets());
    let status = run::lines(&mut command, TEST_LIMIT, |line| {
        let _ = writeln!(log, "{line}");
        for told in report.read(line) {
            say::line(told);
        }
    })
    .with_context(|| format!("what the tests wrote is in {}", path.display()))?;
    report.end(status.success());
    Ok(report)
}

/// The plugins of every language, with the program that was built for the tests.
fn conformance(house: &House) -> Sums {
    let program = house.program(Profile::Dev, "shipway");
    let outcome = conformance::all(house, program);
    let lacks = outcome.lacks();
    Sums {
        passed: outcome.passed() as u64,
        failures: outcome.failures(),
        not_run: lacks
            .map(|(language, why)| format!("conformance {language}: {why}"))
            .collect(),
    }
}

/// The executor's promises, over so many simulated worlds; one test.
fn simulation(house: &House) -> Sums {
    let options = ["--seeds".to_owned(), SEEDS.to_string()];
    as_one("simulation", |heard| {
        SIMULATION.run_built(house, &options, heard)
    })
}

/// The engine killed at each point of a journal, where that is quick; one test.
fn crashes(house: &House) -> Sums {
    let options = ["--runtime".to_owned(), "process".to_owned()];
    as_one("crash loop", |heard| {
        CRASH_LOOP.run_built(house, &options, heard)
    })
}

/// The API's answers, held to its description; one test.
fn answers(house: &House) -> Sums {
    let program = house.program(Profile::Dev, "shipway");
    let options = api_check::Arguments::default();
    as_one("api-check", |heard| {
        api_check::run_built(house, program, &options, heard)
    })
}

/// A program of its own that counts as one test; what it said last is told
/// again if it fails.
fn as_one(
    name: &str,
    program: impl FnOnce(&mut (dyn FnMut(&str) + Send)) -> Result<ExitCode>,
) -> Sums {
    say::line(format_args!("\n{name}"));
    let mut said = Vec::new();
    let outcome = program(&mut |line| {
        say::line(line);
        said.push(line.to_owned());
    });
    let why = match outcome {
        Ok(ExitCode::SUCCESS) => None,
        Ok(_) => Some(last_lines(&said)),
        Err(error) => Some(format!(": {error:#}")),
    };
    let failure = why.map(|why| format!("{name}{why}"));
    Sums {
        passed: u64::from(failure.is_none()),
        failures: failure.into_iter().collect(),
        not_run: Vec::new(),
    }
}

/// Says what did not run and what failed; the last line is `N passed, M failed`.
fn conclude(house: &House, report: &Report, lacks: &[Lack]) -> ExitCode {
    let required = house::parts_are_required();
    if !lacks.is_empty() || report.not_run() > 0 {
        say::line(format_args!("\nnot run ({}):", report.not_run()));
        for lack in lacks {
            say::line(format_args!("  {lack}"));
        }
        for one in report.skipped() {
            say::line(format_args!("  {one}"));
        }
        if required {
            say::line("SHIPWAY_REQUIRE_PARTS=1: a missing part is an error here");
        }
    }
    if !report.failures().is_empty() {
        say::line(format_args!("\nfailed ({}):", report.failures().len()));
        for failure in report.failures() {
            say::line(format_args!("  {failure}"));
        }
    }
    let missing = required && (!lacks.is_empty() || report.not_run() > 0);
    say::line(format_args!(
        "\nall that the tests wrote: {}",
        house.target.join(LOG).display()
    ));
    say::line(format_args!(
        "{} passed, {} failed",
        report.passed(),
        report.failed()
    ));
    if report.failed() > 0 || missing {
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}
