//! `cargo xtask bench plugins`: what a call of a plugin takes, beside bare
//! wasmtime, a program that is started instead, and Extism. All of it is
//! measured in one run, in turns.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};

use crate::conformance::language::{LANGUAGES, Language};
use crate::conformance::shipway::Shipway;
use crate::house::{BUILD_LIMIT, House, Profile};
use crate::{run, say, signal};

mod report;

/// Thousands of calls, and a thousand plugins.
const MEASURE_LIMIT: Duration = Duration::from_secs(900);

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
    /// How often everything is measured in turn
    #[arg(long, default_value_t = 25)]
    rounds: u32,
    /// Languages, in place of all five
    #[arg(long, value_name = "LANGUAGE")]
    language: Vec<String>,
}

/// Something that was not measured, and why.
#[derive(Debug)]
struct Missing {
    what: String,
    why: String,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    signal::listen()?;
    let house = House::open()?;
    let program = house.build_shipway(Profile::Release)?;
    let mut missing = Vec::new();
    let components = components(&house, &program, &arguments.language, &mut missing);
    let extism = extism(&house).map_err(|error| missing.push(Missing::new("extism", &error)));
    let bench = bench_program(&house)?;

    let mut measure = Command::new(bench);
    measure.args(["--rounds", &arguments.rounds.to_string()]);
    measure.arg("--compiler").arg(&program);
    if let Ok(extism) = extism {
        measure.arg("--extism").arg(extism);
    }
    for (language, component) in &components {
        measure.arg(format!("{}={}", language.name, component.display()));
    }
    say::note("measuring");
    let text = run::output(&mut measure, MEASURE_LIMIT).context("measuring")?;
    let measured: Value = serde_json::from_str(&text).context("reading what was measured")?;
    let missing = missing.iter().map(Missing::told).collect();
    let report = report::of(measured, missing);
    match arguments.json {
        true => say::line(report),
        false => say::line(report::table(&report)),
    }
    Ok(ExitCode::SUCCESS)
}

/// The example of each language, built as its author would build it.
fn components(
    house: &House,
    program: &Path,
    wanted: &[String],
    missing: &mut Vec<Missing>,
) -> Vec<(Language, PathBuf)> {
    let shipway = Shipway::new(house, program.to_owned());
    let is_wanted = |one: &Language| wanted.is_empty() || wanted.iter().any(|it| it == one.name);
    let mut components = Vec::new();
    for language in LANGUAGES.into_iter().filter(is_wanted) {
        say::note(format_args!("building the example in {}", language.name));
        match component(house, &shipway, language) {
            Ok(component) => components.push((language, component)),
            Err(error) => missing.push(Missing::new(language.name, &error)),
        }
    }
    components
}

fn component(house: &House, shipway: &Shipway, language: Language) -> Result<PathBuf> {
    let tools = language.bring(house)?;
    let project = house.path("examples/plugins").join(language.name);
    shipway.with_tools(&tools).build(&project)?;
    Ok(project.join(format!("build/{}.wasm", language.name)))
}

/// A program of its own, with a wasmtime of its own.
fn extism(house: &House) -> Result<PathBuf> {
    say::note("building the Extism program");
    let target = house.target.join("bench-extism");
    let mut command = house.cargo();
    command
        .args(["build", "--quiet", "--release"])
        .arg("--manifest-path")
        .arg(house.path("tests/bench/extism/Cargo.toml"))
        .arg("--target-dir")
        .arg(&target);
    run::output(&mut command, BUILD_LIMIT)?;
    Ok(target.join("release/shipway-bench-extism"))
}

/// Cargo gives it a name with a hash in it, and says which.
fn bench_program(house: &House) -> Result<PathBuf> {
    say::note("building the measuring program");
    let mut command = house.cargo();
    command
        .args(["build", "--quiet", "--release", "--message-format=json"])
        .args(["--package", "shipway-plugin-host", "--bench", "plugins"]);
    let messages = run::output(&mut command, BUILD_LIMIT).context("building the benchmark")?;
    match executable(&messages) {
        Some(program) => Ok(program),
        None => bail!("cargo built no benchmark"),
    }
}

fn executable(messages: &str) -> Option<PathBuf> {
    let messages = messages.lines();
    let mut messages = messages.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    messages.find_map(|message| {
        let is_ours = message["target"]["kind"] == json!(["bench"]);
        let program = message["executable"].as_str().filter(|_| is_ours)?;
        Some(PathBuf::from(program))
    })
}

impl Missing {
    fn new(what: &str, error: &anyhow::Error) -> Self {
        Self {
            what: what.to_owned(),
            why: format!("{error:#}"),
        }
    }

    fn told(&self) -> Value {
        json!({ "what": self.what, "why": self.why })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_benchmark_is_found_in_what_cargo_says() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","target":{"kind":["lib"]},"executable":null}"#,
            "\n",
            r#"{"reason":"compiler-artifact","target":{"kind":["bench"]},"executable":"/t/plugins-1"}"#,
            "\n",
        );
        assert_eq!(executable(messages), Some("/t/plugins-1".into()));
        assert_eq!(executable("no JSON"), None);
    }
}
