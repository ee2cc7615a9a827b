//! Measures calls of plugins beside what one would compare them with, all in
//! one run and in turns, so that a busy machine is busy for everybody.
//! `cargo xtask bench plugins` builds what is needed, runs this and shows it.
//!
//! Arguments: `LANGUAGE=COMPONENT`…, and perhaps `--extism PROGRAM` and
//! `--compiler PROGRAM`, which is `shipway`. Prints one JSON object.

mod bare;
mod measure;
mod memory;
mod others;
mod ours;
mod stage;

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;

use bare::{Bare, Without};
use measure::Contender;
use ours::Ours;
use stage::Plugin;

/// What the command line says.
#[derive(Debug, Default)]
struct Arguments {
    plugins: Vec<Plugin>,
    extism: Option<PathBuf>,
    compiler: Option<PathBuf>,
    rounds: usize,
    /// Only the latencies of Rust, and bare: for somebody who tunes the host.
    quick: bool,
}

fn main() -> Result<()> {
    let arguments = Arguments::read(std::env::args().skip(1))?;
    let runtime = Arc::new(Runtime::new()?);
    let rust = arguments.plugins.iter().find(|one| one.language == "rust");
    let mut report = Map::new();
    if let (Some(rust), false) = (rust, arguments.quick) {
        // First: later there is memory to be used again.
        report.insert("memory".into(), memory::measure(&runtime, rust)?);
    }
    let calls = latencies(&arguments, &runtime)?;
    report.insert("calls".into(), calls);
    if let (Some(rust), false) = (rust, arguments.quick) {
        report.insert("throughput".into(), throughput(&runtime, rust)?);
    }
    if !arguments.quick {
        report.insert("first_call_ms".into(), first_calls(&arguments, &runtime)?);
    }
    writeln!(std::io::stdout(), "{}", Value::from(report))?;
    Ok(())
}

fn latencies(arguments: &Arguments, runtime: &Arc<Runtime>) -> Result<Value> {
    let mut contenders = Vec::new();
    for plugin in &arguments.plugins {
        let ours = Ours::new(runtime, plugin, ours::Setup::default())?;
        let batch = match plugin.language.as_str() {
            "rust" | "c" => 200,
            _ => 20,
        };
        let runtime = Arc::clone(runtime);
        let work = move |calls| runtime.block_on(ours::timed(&ours, calls));
        contenders.push(Contender::new(&plugin.language, batch, work));
        if plugin.language == "rust" {
            contenders.push(bare("bare", plugin, Without::Nothing)?);
            if !arguments.quick {
                for (without, name) in Without::EACH {
                    contenders.push(bare(name, plugin, without)?);
                }
            }
        }
    }
    if !arguments.quick {
        contenders.push(others::program("sh", &["sh", "-c", "true"]));
        contenders.push(others::program("python3", &["python3", "-c", "pass"]));
    }
    if let Some(program) = &arguments.extism {
        contenders.push(others::extism(program)?);
    }
    measure::in_turns(contenders, arguments.rounds)
}

fn bare(name: &str, plugin: &Plugin, without: Without) -> Result<Contender> {
    let bare = Bare::new(&plugin.bytes, without)?;
    let work = move |calls| measure::times(calls, || bare.call());
    Ok(Contender::new(name, 200, work))
}

fn throughput(runtime: &Arc<Runtime>, rust: &Plugin) -> Result<Value> {
    let ours = Arc::new(Ours::new(runtime, rust, ours::Setup::default())?);
    let (calls, seconds) = runtime.block_on(ours::flood(&ours))?;
    Ok(json!({
        "calls": calls,
        "seconds": seconds,
        "calls_per_second": calls as f64 / seconds,
        "cores": std::thread::available_parallelism().map_or(1, usize::from),
    }))
}

fn first_calls(arguments: &Arguments, runtime: &Arc<Runtime>) -> Result<Value> {
    let mut all = Map::new();
    for plugin in &arguments.plugins {
        let setup = ours::Setup {
            compiler: arguments.compiler.clone(),
            ..ours::Setup::default()
        };
        let started = std::time::Instant::now();
        let ours = Ours::new(runtime, plugin, setup)?;
        runtime.block_on(ours.once())?;
        let whole = started.elapsed();
        let of = json!({
            "whole": whole.as_secs_f64() * 1e3,
            "compiling": ours.compiled_in().map(|time| time.as_secs_f64() * 1e3),
            "component_bytes": plugin.bytes.len(),
        });
        all.insert(plugin.language.clone(), of);
    }
    Ok(all.into())
}

impl Arguments {
    fn read(words: impl Iterator<Item = String>) -> Result<Self> {
        let mut arguments = Self {
            rounds: 25,
            ..Self::default()
        };
        let mut words = words;
        while let Some(word) = words.next() {
            let mut value = || {
                words
                    .next()
                    .with_context(|| format!("{word} names nothing"))
            };
            match word.as_str() {
                "--extism" => arguments.extism = Some(value()?.into()),
                "--compiler" => arguments.compiler = Some(value()?.into()),
                "--rounds" => arguments.rounds = value()?.parse()?,
                "--quick" => arguments.quick = true,
                // What `cargo bench` says to every program that it runs.
                "--bench" => {}
                other => match other.split_once('=') {
                    Some((language, file)) => arguments.plugins.push(Plugin::read(language, file)?),
                    None => bail!("{other:?} is neither an option nor LANGUAGE=COMPONENT"),
                },
            }
        }
        Ok(arguments)
    }
}
