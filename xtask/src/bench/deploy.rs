//! `cargo xtask bench deploy`: the same deployment by `shipway deploy`, by
//! shell scripts on the docker command line (`deploy/*.sh`), and by docker
//! compose: fetch the commit, build, run the release commands, start all
//! instances, wait until each answers, switch, remove the old ones. Every
//! round deploys in every way, each time a new commit.

use std::process::ExitCode;

use anyhow::{Context, Result, ensure};

use super::program::Program;
use crate::house::House;
use crate::{say, signal};

mod nginx;
mod report;
mod scene;
mod way;

use report::{Cell, Report, Run};
use scene::{Scene, Size};
use way::Way;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// How many copies of the app, one measurement each
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "1,4,16", value_parser = clap::value_parser!(u32).range(1..=64))]
    instances: Vec<u32>,
    /// How many release commands, one measurement each
    #[arg(long, value_name = "LIST", value_delimiter = ',', default_value = "1,10,50", value_parser = clap::value_parser!(u32).range(1..=500))]
    commands: Vec<u32>,
    /// How often each way deploys each size
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=50))]
    rounds: u32,
    /// Only these ways, beside Shipway's own
    #[arg(long = "way", value_enum, value_name = "WAY")]
    ways: Vec<Way>,
    /// One JSON object instead of tables
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    program: Program,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    signal::listen()?;
    let house = House::open()?;
    let program = arguments.program.bring(&house)?;
    let mut scene = Scene::new(&house, program)?;
    let measured = measure(&mut scene, arguments);
    if measured.is_err() {
        say::note(scene.stage.logs());
    }
    signal::heard();
    let cleared = scene.clear();
    let report = measured?;
    match arguments.json {
        true => say::line(report.json()),
        false => say::line(report.table()),
    }
    cleared?;
    Ok(ExitCode::SUCCESS)
}

fn measure(scene: &mut Scene, arguments: &Arguments) -> Result<Report> {
    let mut report = Report::default();
    let mut ways = wanted(&arguments.ways);
    if ways.contains(&Way::Compose)
        && let Err(error) = scene.bring_compose()
    {
        leave_out(Way::Compose, format!("{error:#}"), &mut ways, &mut report);
    }
    for &instances in &arguments.instances {
        // Not counted: so many old instances are there from now on.
        let first = Size {
            instances,
            commands: 1,
        };
        for way in ways.clone() {
            if let Err(error) = deploy(scene, way, first) {
                // Compose of old days stumbles over engines of today.
                ensure_optional(way, &error)?;
                leave_out(way, format!("{error:#}"), &mut ways, &mut report);
            }
        }
        for &commands in &arguments.commands {
            let size = Size {
                instances,
                commands,
            };
            let runs = rounds(scene, &ways, size, arguments.rounds)?;
            report.cells.push(Cell { size, runs });
        }
    }
    Ok(report)
}

fn wanted(ways: &[Way]) -> Vec<Way> {
    let is_wanted = |way: &Way| ways.is_empty() || *way == Way::Shipway || ways.contains(way);
    Way::ALL.into_iter().filter(is_wanted).collect()
}

/// Every way once a round, in an order that differs from round to round.
fn rounds(scene: &mut Scene, ways: &[Way], size: Size, rounds: u32) -> Result<Vec<Run>> {
    let mut runs = Vec::new();
    for round in 1..=rounds {
        say::note(format_args!(
            "{} instances, {} release commands: round {round} of {rounds}",
            size.instances, size.commands
        ));
        let order = ways.iter().cycle().skip(round as usize % ways.len());
        for &way in order.take(ways.len()) {
            let took = deploy(scene, way, size)?;
            say::note(format_args!("  {:<8} {:.2} s", way.name(), took.whole));
            runs.push(Run { round, way, took });
        }
    }
    Ok(runs)
}

fn deploy(scene: &mut Scene, way: Way, size: Size) -> Result<scene::Took> {
    ensure!(!signal::asked_to_stop(), "interrupted");
    let what = || {
        format!(
            "deploying {} instances with {} release commands by {}",
            size.instances,
            size.commands,
            way.name()
        )
    };
    scene.deploy(way, size).with_context(what)
}

fn ensure_optional(way: Way, error: &anyhow::Error) -> Result<()> {
    ensure!(way == Way::Compose, "{error:#}");
    Ok(())
}

fn leave_out(way: Way, why: String, ways: &mut Vec<Way>, report: &mut Report) {
    say::note(format_args!("not measured: {}: {why}", way.name()));
    ways.retain(|one| *one != way);
    report.missing.push((way, why));
}
