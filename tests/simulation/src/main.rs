//! `simulate`: many runs, or one again.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use clap::Parser;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;
use shipway_simulation::campaign::{self, Broken, Until};
use shipway_simulation::mutant::Mutant;
use shipway_simulation::run;

/// Seeds that are shown when promises were broken.
const SHOWN: usize = 10;

/// Run the executor over simulated worlds, and check its promises
#[derive(Debug, Parser)]
#[command(name = "simulate")]
struct Arguments {
    /// How many runs
    #[arg(long, default_value_t = 20_000)]
    seeds: u64,
    /// The first seed
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Run one seed again, and tell all that happened
    #[arg(long, value_name = "SEED")]
    replay: Option<u64>,
    /// Break a rule on purpose
    #[arg(long, value_enum)]
    mutant: Option<Mutant>,
    /// One JSON object instead of lines
    #[arg(long)]
    json: bool,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    match arguments.replay {
        Some(seed) => replay(seed, arguments.mutant),
        None => simulate(&arguments),
    }
}

fn simulate(arguments: &Arguments) -> Result<ExitCode> {
    let style = ProgressStyle::with_template("{bar:40} {pos}/{len} runs, {eta} left")?;
    let bar = ProgressBar::new(arguments.seeds).with_style(style);
    let seeds = arguments.from..arguments.from.saturating_add(arguments.seeds);
    let broken = campaign::run_all(seeds, arguments.mutant, Until::AllAreRun, &|| bar.inc(1));
    bar.finish_and_clear();
    match arguments.json {
        true => tell_json(arguments, &broken)?,
        false => tell(arguments, &broken)?,
    }
    Ok(verdict(&broken))
}

fn verdict(broken: &[Broken]) -> ExitCode {
    match broken.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    }
}

fn tell(arguments: &Arguments, broken: &[Broken]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    for one in broken.iter().take(SHOWN) {
        writeln!(out, "seed {}:", one.seed)?;
        for promise in &one.promises {
            writeln!(out, "  {promise}")?;
        }
    }
    if let Some(first) = broken.first() {
        writeln!(
            out,
            "again, with all that happened: simulate --replay {}",
            first.seed
        )?;
    }
    let word = if broken.is_empty() { "ok" } else { "failed" };
    let (runs, count) = (arguments.seeds, broken.len());
    writeln!(out, "simulate: {word}, {runs} runs, {count} broken")?;
    Ok(())
}

fn tell_json(arguments: &Arguments, broken: &[Broken]) -> Result<()> {
    let broken: Vec<_> = broken
        .iter()
        .map(|one| json!({ "seed": one.seed, "promises": one.promises }))
        .collect();
    let all = json!({ "runs": arguments.seeds, "from": arguments.from, "broken": broken });
    writeln!(std::io::stdout(), "{all}")?;
    Ok(())
}

fn replay(seed: u64, mutant: Option<Mutant>) -> Result<ExitCode> {
    let outcome = run::outcome(seed, mutant)?;
    let mut out = std::io::stdout().lock();
    writeln!(out, "{outcome:#?}")?;
    for told in &outcome.deployments {
        writeln!(out, "\n{} {}", told.deployment.id, told.deployment.status())?;
        for entry in &told.journal {
            writeln!(
                out,
                "  {:>3} {} {}",
                entry.sequence,
                entry.at,
                entry.event.summary()
            )?;
        }
    }
    let promises = shipway_simulation::promises::broken(&outcome);
    for promise in &promises {
        writeln!(out, "broken: {promise}")?;
    }
    Ok(match promises.is_empty() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}
