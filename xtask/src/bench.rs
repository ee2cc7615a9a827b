//! `cargo xtask bench`: what Shipway takes.

use std::process::ExitCode;

use anyhow::Result;

mod idle;
mod plugins;

#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Memory at rest, and the time from an API call to a deployment's first step
    Idle(idle::Arguments),
    /// A call of a plugin, beside bare wasmtime, a program, and Extism
    Plugins(plugins::Arguments),
}

pub fn run(verb: &Verb) -> Result<ExitCode> {
    match verb {
        Verb::Idle(arguments) => idle::run(arguments),
        Verb::Plugins(arguments) => plugins::run(arguments),
    }
}
