//! `cargo xtask crash`: the engine is killed at each point of a deployment's
//! journal, on both runtimes, started again, and the world is looked at.
//! Everything after `crash` goes to the program in `tests/crash/`.

use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result};

use crate::house::{BUILD_LIMIT, House, Profile};
use crate::{run, say};

/// Some hundred crashes of some seconds each.
const LIMIT: Duration = Duration::from_secs(3 * 60 * 60);
const PROGRAM: &str = "crash";

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// `--runtime NAME`, `--story NAME`, `--point before:12`, `--json`
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "OPTION"
    )]
    options: Vec<String>,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let house = House::open()?;
    build(&house)?;
    crash(&house, &arguments.options, |line| say::line(line))
}

fn build(house: &House) -> Result<()> {
    let mut build = house.cargo();
    // The same selection as the tests', so that nothing is built twice.
    build.args(["build", "--workspace", "--bin", PROGRAM]);
    build.args(["--bin", "shipway", "--bin", "shipway-proxy"]);
    run::run(&mut build, BUILD_LIMIT).context("building the crash loop")
}

/// Runs what is built; `heard` gets every line it says.
pub fn crash(
    house: &House,
    options: &[String],
    heard: impl FnMut(&str) + Send,
) -> Result<ExitCode> {
    let mut command = Command::new(house.program(Profile::Dev, PROGRAM));
    command
        .args(options)
        .env("SHIPWAY_IMAGE_CACHE", house.images_cache());
    let status = run::lines(&mut command, LIMIT, heard).context("crashing the engine")?;
    Ok(match status.success() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
