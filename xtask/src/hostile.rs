//! `cargo xtask hostile`: attacks the sandbox with all that the suite in
//! `tests/hostile/` has, and shows how each attack was contained.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::guests::Way;
use crate::house::{BUILD_LIMIT, House, Profile};
use crate::{plugins, run, say};

/// Beyond it something hangs; each attack has a bound of its own.
const LIMIT: Duration = Duration::from_secs(900);
/// How the suite's last line begins.
const VERDICT: &str = "hostile: ";
/// With the features of the whole workspace, so that nothing is built twice.
const SUITE: [&str; 3] = ["--workspace", "--test", "hostile"];

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Only the attacks whose names hold one of these words
    #[arg(value_name = "WORD")]
    words: Vec<String>,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let house = House::open()?;
    plugins::build(&house, Way::Auto)?;
    house.build_shipway(Profile::Dev)?;
    let mut build = house.cargo();
    build.args(["test", "--no-run"]).args(SUITE);
    run::run(&mut build, BUILD_LIMIT).context("building the suite")?;
    attack(&house, &arguments.words)
}

/// The verdict is the last line, whatever cargo says after it.
fn attack(house: &House, words: &[String]) -> Result<ExitCode> {
    let mut command = house.cargo();
    command.args(["test", "--quiet"]).args(SUITE);
    command.args(["--", "--table"]).args(words);
    let mut verdict = None;
    let status = run::lines(&mut command, LIMIT, |line| {
        match line.starts_with(VERDICT) {
            true => verdict = Some(line.to_owned()),
            false => say::line(line),
        }
    })?;
    let silent = || format!("{VERDICT}failed, the suite did not come to its end");
    say::line(verdict.unwrap_or_else(silent));
    match status.success() {
        true => Ok(ExitCode::SUCCESS),
        false => Ok(ExitCode::FAILURE),
    }
}
