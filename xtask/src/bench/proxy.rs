//! `cargo xtask bench proxy`: ours, nginx, HAProxy and Caddy, before the same
//! backend and under the same load, in turns within one run: a noisy machine
//! is noisy for all of them, and each round gives ratios of its own.

use std::fs;
use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::app;
use super::program::{Program, proxy_beside};
use crate::house::House;
use crate::stage::{free_addresses, new_folder};
use crate::{say, signal};

mod config;
mod contestant;
mod load;
mod report;

use contestant::{Contestant, Kind};
use load::Load;
use report::{BODIES, Memory, Report, Run};

/// Of the load that is timed, and of the one that only takes memory.
const CONNECTIONS: u32 = 64;
const CROWD: u32 = 1000;
const CROWD_SECONDS: u32 = 3;
/// Not counted: it opens connections and fills caches.
const WARM_UP_SECONDS: u32 = 1;
/// After a start, before its memory is at rest.
const REST: Duration = Duration::from_secs(1);
const LOOK_EVERY: Duration = Duration::from_millis(200);

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// How many seconds each proxy is under load, in each round
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=60))]
    seconds: u32,
    /// How often all of them are measured in turn
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// One JSON object instead of tables
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    program: Program,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    signal::listen()?;
    let house = House::open()?;
    let program = arguments.program.bring(&house)?;
    let app = app::build(&house)?;
    let folder = new_folder(&house.target.join("bench"), "proxy")?;
    let measured = measure(arguments, &proxy_beside(&program), &app, &folder);
    let _ = fs::remove_dir_all(&folder);
    let report = measured?;
    match arguments.json {
        true => say::line(report.json()),
        false => say::line(report.table()),
    }
    Ok(ExitCode::SUCCESS)
}

fn measure(
    arguments: &Arguments,
    shipway_proxy: &Path,
    app: &Path,
    folder: &Path,
) -> Result<Report> {
    let mut report = Report::default();
    let load = Load::new(folder)?;
    let contestants = start(shipway_proxy, app, folder, &mut report)?;
    thread::sleep(REST);
    let at_rest: Vec<f64> = contestants.iter().map(Contestant::memory).collect();
    for contestant in &contestants {
        load.run_without_error(contestant.address, "/12", CONNECTIONS, WARM_UP_SECONDS)
            .with_context(|| format!("warming up {}", contestant.kind.name()))?;
    }
    for round in 1..=arguments.rounds {
        say::note(format_args!("round {round} of {}", arguments.rounds));
        measure_round(arguments.seconds, round, &load, &contestants, &mut report)?;
    }
    for (contestant, rest_mb) in contestants.iter().zip(at_rest) {
        if contestant.kind != Kind::Backend {
            report.memory.push(memory(contestant, rest_mb, &load)?);
        }
    }
    Ok(report)
}

/// The backend and every proxy that can be had; without ours there is nothing
/// to measure.
fn start(
    shipway_proxy: &Path,
    app: &Path,
    folder: &Path,
    report: &mut Report,
) -> Result<Vec<Contestant>> {
    let [backend, addresses @ ..] = free_addresses::<5>()?;
    let mut contestants = vec![Contestant::backend(app, folder, backend)?];
    for (kind, address) in Kind::PROXIES.into_iter().zip(addresses) {
        match Contestant::start(kind, shipway_proxy, folder, [address, backend]) {
            Ok(contestant) => contestants.push(contestant),
            Err(error) if kind == Kind::Ours => return Err(error),
            Err(error) => report.missing.push((kind, format!("{error:#}"))),
        }
    }
    Ok(contestants)
}

/// Everybody once with each body, in an order that differs from round to round.
fn measure_round(
    seconds: u32,
    round: u32,
    load: &Load,
    contestants: &[Contestant],
    report: &mut Report,
) -> Result<()> {
    for body in BODIES {
        let first = round as usize % contestants.len();
        let order = contestants.iter().cycle().skip(first);
        for contestant in order.take(contestants.len()) {
            ensure!(!signal::asked_to_stop(), "interrupted");
            let kind = contestant.kind;
            let before = contestant.processor();
            let sample = load
                .run_without_error(contestant.address, body.path, CONNECTIONS, seconds)
                .with_context(|| format!("measuring {} with {}", kind.name(), body.name))?;
            let used = contestant.processor() - before;
            report.runs.push(Run {
                round,
                body,
                kind,
                sample,
                processor_us: used * 1e6 / sample.requests,
            });
        }
    }
    Ok(())
}

/// The most that it has while a thousand connections ask it for pages.
fn memory(contestant: &Contestant, rest_mb: f64, load: &Load) -> Result<Memory> {
    let address = contestant.address;
    let crowded_mb = thread::scope(|scope| {
        let load = scope.spawn(|| load.run(address, "/16k", CROWD, CROWD_SECONDS));
        let mut most = 0.0_f64;
        while !load.is_finished() {
            most = most.max(contestant.memory());
            thread::sleep(LOOK_EVERY);
        }
        match load.join() {
            Ok(sample) => sample.map(|_| most),
            Err(_) => Err(anyhow::anyhow!("the load broke down")),
        }
    })?;
    Ok(Memory {
        kind: contestant.kind,
        version: contestant.version.clone(),
        rest_mb,
        crowded_mb,
    })
}
