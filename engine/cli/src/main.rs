//! The `shipway` binary: one file per verb under [`verb`], everything wired in
//! [`wire`]. `serve` and `proxy` are the two planes; every other verb is a
//! client of the API.

mod verb;
mod wire;

mod client;
mod whereabouts;

mod doctor;
mod init;

mod complete;

mod exit;
mod failure;
mod follow;
mod input;
mod output;
mod place;
mod render;
mod usage;
mod watch;

mod clock;
mod contexts;
mod credentials;
mod logging;
mod open_files;
mod private_file;
mod service;
mod spans;
mod state_dir;
mod stop;
mod vitals;

use std::process::ExitCode;

use clap::Parser;
use verb::Verb;

const HELP: &str = "shipway VERB --help shows examples. More: docs/cli.md";

/// Deploy apps from Git: proven before they serve, extended with WebAssembly
#[derive(Debug, Parser)]
#[command(name = "shipway", version, max_term_width = 100, after_help = HELP)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

fn main() -> ExitCode {
    complete::if_asked();
    match Arguments::try_parse() {
        Ok(arguments) => verb::run(arguments.verb),
        Err(error) => usage::tell(&error),
    }
}
