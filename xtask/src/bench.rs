//! `cargo xtask bench`: what Shipway takes.

use std::process::ExitCode;

use anyhow::Result;

mod idle;

#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Memory at rest, and the time from an API call to a deployment's first step
    Idle(idle::Arguments),
}

pub fn run(verb: &Verb) -> Result<ExitCode> {
    match verb {
        Verb::Idle(arguments) => idle::run(arguments),
    }
}
