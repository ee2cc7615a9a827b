//! `cargo xtask`: the door for developers. One verb, one file.
//!
//! | verb | what it does |
//! |---|---|
//! | [`plugins`] | builds the plugins that ship, as components |
//! | [`demo`] | deploys an app twice under load and counts failed requests |
//! | [`test`] | brings what the tests need, runs all of them, says what did not run |
//! | [`conformance`] | every language's plugins against the same cases, templates, deployments |
//! | [`hostile`] | attacks the sandbox, and shows how each attack was contained |
//! | [`simulate`] | the executor over thousands of simulated worlds, and its promises |
//! | [`crash`] | kills the engine at each point of a journal, and looks what becomes of it |
//! | [`api_check`] | holds the API's answers to its description |
//! | [`check`] | formatting, lints, directions of dependencies, licenses |
//! | [`bench`] | what Shipway takes, beside what others take (`docs/benchmarks.md`) |
//!
//! The other modules serve them: [`house`] knows where things are and runs
//! cargo, [`run`] runs programs with a bound, [`stage`] is a Shipway of our own
//! to work with, [`http`] a small client, [`parts`] what a machine may lack,
//! [`proof`] a program below `tests/` with options of its own.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod api_check;
mod bench;
mod check;
mod conformance;
mod crash;
mod demo;
mod hostile;
mod plugins;
mod simulate;
mod test;

mod guests;
mod house;
mod http;
mod parts;
mod proof;
mod run;
mod say;
mod signal;
mod stage;

/// The door for developers of Shipway.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Build the plugins that ship into target/plugins/
    Plugins(plugins::Arguments),
    /// Deploy an app twice, under load, and watch
    Demo(demo::Arguments),
    /// Run all tests, with all that they need
    Test(test::Arguments),
    /// Hold the plugins of every language against the same cases
    Conformance(conformance::Arguments),
    /// Attack the sandbox, and see how each attack is contained
    Hostile(hostile::Arguments),
    /// Run the executor over simulated worlds, and check its promises
    Simulate(proof::Arguments),
    /// Kill the engine at each point of a journal, and look what becomes of it
    Crash(proof::Arguments),
    /// Hold a running engine's answers to the API's description
    ApiCheck(api_check::Arguments),
    /// Check formatting, lints and dependencies
    Check(check::Arguments),
    /// Measure
    #[command(subcommand)]
    Bench(bench::Verb),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().verb {
        Verb::Plugins(arguments) => plugins::run(&arguments),
        Verb::Demo(arguments) => demo::run(&arguments),
        Verb::Test(arguments) => test::run(&arguments),
        Verb::Conformance(arguments) => conformance::run(&arguments),
        Verb::Hostile(arguments) => hostile::run(&arguments),
        Verb::ApiCheck(arguments) => api_check::run(&arguments),
        Verb::Simulate(arguments) => simulate::SIMULATION.run(&arguments),
        Verb::Crash(arguments) => crash::CRASH_LOOP.run(&arguments),
        Verb::Check(arguments) => check::run(&arguments),
        Verb::Bench(verb) => bench::run(&verb),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            say::error(&error);
            ExitCode::FAILURE
        }
    }
}
