//! `crash`: a deployment is killed at each point of its journal, before and
//! after the entry is written; then the engine is started again, and the world
//! is looked at: who serves, what ran, what is left over, what the log says.
//!
//! The engine that dies ([`engine`]) has the real adapters and a hand on its own
//! throat ([`killer`]); the one that takes over is `shipway serve`. [`story`]
//! says what is deployed and how it must end, [`site`] is where, and [`look`]
//! finds what is wrong afterwards.

mod campaign;
mod engine;
mod killer;
mod look;
mod point;
mod site;
mod story;

use std::io::Write;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Parser, Subcommand};
use serde_json::json;

use self::campaign::{Choice, Outcome};

/// Kill the engine at each point of a deployment's journal, and look what becomes of it
#[derive(Debug, Parser)]
#[command(name = "crash")]
struct Arguments {
    #[command(subcommand)]
    role: Option<Role>,
    #[command(flatten)]
    choice: Choice,
    /// One JSON object instead of lines
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Subcommand)]
enum Role {
    /// Be the engine that dies (started by the loop)
    #[command(hide = true)]
    Engine(engine::Arguments),
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    if let Some(Role::Engine(engine)) = arguments.role {
        engine::run(engine)?;
        return Ok(ExitCode::SUCCESS);
    }
    let outcome = campaign::run(&arguments.choice)?;
    tell(&outcome, arguments.json)?;
    Ok(
        match outcome.broken.is_empty() && outcome.lacks.is_empty() {
            true => ExitCode::SUCCESS,
            false => ExitCode::FAILURE,
        },
    )
}

/// The last line: `crash: ok, 61 of 61 points`.
fn tell(outcome: &Outcome, as_json: bool) -> Result<()> {
    let mut out = std::io::stdout().lock();
    let good = outcome.points - outcome.broken.len();
    if as_json {
        let broken = outcome.broken.iter().map(|broken| {
            json!({ "runtime": broken.runtime, "story": broken.story.as_str(),
                    "point": broken.point.to_string(), "what": broken.what })
        });
        let all = json!({
            "points": outcome.points, "good": good, "interrupted": outcome.interrupted,
            "not_run": outcome.lacks, "broken": broken.collect::<Vec<_>>(),
        });
        writeln!(out, "{all}")?;
        return Ok(());
    }
    for broken in &outcome.broken {
        let (story, point) = (broken.story.as_str(), broken.point);
        writeln!(out, "{} {story} {point}:", broken.runtime)?;
        for what in &broken.what {
            writeln!(out, "  {what}")?;
        }
    }
    for lack in &outcome.lacks {
        writeln!(out, "not run: {lack}")?;
    }
    if outcome.interrupted > 0 {
        let count = outcome.interrupted;
        writeln!(
            out,
            "{count} ended `interrupted`: nobody could know whether the command had begun"
        )?;
    }
    let word = match outcome.broken.is_empty() && outcome.lacks.is_empty() {
        true => "ok",
        false => "failed",
    };
    writeln!(out, "crash: {word}, {good} of {} points", outcome.points)?;
    Ok(())
}
