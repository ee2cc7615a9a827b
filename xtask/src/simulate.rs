//! `cargo xtask simulate`: the executor over thousands of simulated worlds, its
//! promises checked after each. Everything after `simulate` goes to the program
//! in `tests/simulation/`.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::house::{BUILD_LIMIT, House, Profile};
use crate::{run, say};

/// A million runs, on a slow machine.
const LIMIT: Duration = Duration::from_secs(12 * 60 * 60);
const PROGRAM: &str = "simulate";

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// `--seeds N`, `--from SEED`, `--replay SEED`, `--mutant RULE`, `--json`
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "OPTION"
    )]
    options: Vec<String>,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let house = House::open()?;
    let mut build = house.cargo();
    // The same selection as the tests', so that nothing is built twice.
    build.args(["build", "--workspace", "--bin", PROGRAM]);
    run::run(&mut build, BUILD_LIMIT).context("building the simulation")?;
    simulate(&house, &arguments.options, |line| say::line(line))
}

/// Runs what is built; `heard` gets every line it says.
pub fn simulate(
    house: &House,
    options: &[String],
    heard: impl FnMut(&str) + Send,
) -> Result<ExitCode> {
    let mut command = std::process::Command::new(house.program(Profile::Dev, PROGRAM));
    command.args(options);
    let status = run::lines(&mut command, LIMIT, heard).context("simulating")?;
    Ok(match status.success() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
