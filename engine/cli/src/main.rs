//! The `shipway` binary: one file per verb under [`verb`], everything wired in
//! [`wire`]. `serve` and `proxy` are the two planes; every other verb is a
//! client of the API.

mod verb;
mod wire;

mod client;
mod exit;
mod failure;
mod follow;
mod input;
mod output;
mod place;
mod render;
mod watch;

mod clock;
mod credentials;
mod state_dir;
mod stop;

use std::process::ExitCode;

use clap::Parser;
use verb::Verb;

/// Deploy apps from Git: proven before they serve, extended with WebAssembly
#[derive(Debug, Parser)]
#[command(name = "shipway", version, max_term_width = 100)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    verb::run(arguments.verb)
}
