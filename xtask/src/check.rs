//! `cargo xtask check`: everything that can be said of the code without
//! running it.

use std::process::ExitCode;
use std::time::{Duration, Instant};

use anyhow::Result;

use crate::house::{BUILD_LIMIT, House};
use crate::{run, say};

mod contract;
mod deny;
mod directions;
mod text;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Only these checks
    #[arg(long, value_enum, value_name = "CHECK")]
    only: Vec<Check>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Check {
    /// Formatting
    Fmt,
    /// Which crate may need which
    Directions,
    /// Machines' paths and registries' hosts in the repository's files
    Text,
    /// Licenses, sources and bans of what we stand on
    Deny,
    /// The plugin contract against its released versions
    Contract,
    /// Lints, warnings being errors
    Clippy,
}

/// Quick ones first.
const ALL: [Check; 6] = [
    Check::Fmt,
    Check::Directions,
    Check::Text,
    Check::Deny,
    Check::Clippy,
    Check::Contract,
];

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    let house = House::open()?;
    let mut failed = Vec::new();
    for check in ALL {
        if !arguments.only.is_empty() && !arguments.only.contains(&check) {
            continue;
        }
        let began = Instant::now();
        let outcome = one(check, &house);
        let took = began.elapsed().as_secs_f32();
        match outcome {
            Ok(()) => say::line(format_args!("check: {check:?}: ok ({took:.1} s)")),
            Err(error) => {
                say::line(format_args!("check: {check:?}: FAILED"));
                say::error(&error);
                failed.push(format!("{check:?}"));
            }
        }
    }
    if failed.is_empty() {
        say::line("check: ok");
        return Ok(ExitCode::SUCCESS);
    }
    say::line(format_args!("check: FAILED: {}", failed.join(", ")));
    Ok(ExitCode::FAILURE)
}

fn one(check: Check, house: &House) -> Result<()> {
    match check {
        Check::Fmt => fmt(house),
        Check::Directions => directions::check(house),
        Check::Text => text::check(house),
        Check::Deny => deny::check(house),
        Check::Clippy => clippy(house),
        Check::Contract => contract::check(house),
    }
}

fn fmt(house: &House) -> Result<()> {
    let mut command = house.cargo();
    command.args(["fmt", "--all", "--check"]);
    run::run(&mut command, Duration::from_secs(120))
}

fn clippy(house: &House) -> Result<()> {
    let mut command = house.cargo();
    command
        .args(["clippy", "--workspace", "--all-targets", "--quiet"])
        .args(["--", "-D", "warnings"]);
    run::run(&mut command, BUILD_LIMIT)
}
