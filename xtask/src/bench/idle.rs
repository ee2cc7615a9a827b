//! `cargo xtask bench idle`: what `shipway serve` and `shipway proxy` take at
//! rest, and the time from an API call to a deployment's first step, with an
//! empty store and with a full one.

use std::fs;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::api::Api;
use super::measure::{at, resident};
use super::program::Program;
use crate::house::House;
use crate::stage::Stage;
use crate::{run, say, signal};

const DEPLOYMENTS: usize = 30;
const FULL: usize = 1000;
const SERVE_AIM_MB: f64 = 60.0;
const PROXY_AIM_MB: f64 = 10.0;
const FIRST_STEP_AIM_MS: f64 = 5.0;

/// At rest: as many looks in a row within a tenth of a megabyte.
const LOOKS: usize = 5;
const LOOK_EVERY: Duration = Duration::from_millis(400);
const REST_LIMIT: Duration = Duration::from_secs(30);
/// Long enough for the first step to start unobserved: asking costs time too.
const UNOBSERVED: Duration = Duration::from_millis(60);
const DEPLOYMENT_LIMIT: Duration = Duration::from_secs(30);

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    program: Program,
}

/// What was measured with one store.
#[derive(Debug)]
struct Measured {
    apps: usize,
    serve_mb: f64,
    proxy_mb: f64,
    /// Milliseconds from the call to the first step's start, sorted.
    first_step_ms: Vec<f64>,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    signal::listen()?;
    let house = House::open()?;
    let program = arguments.program.bring(&house)?;
    let mut all = Vec::new();
    for apps in [0, FULL] {
        say::note(format_args!("measuring with {apps} apps in the store"));
        let mut stage = Stage::new(program.clone(), &house.target.join("bench"), "idle")?;
        let measured = measure(&mut stage, apps);
        stage.stop()?;
        let _ = fs::remove_dir_all(stage.folder());
        all.push(measured?);
    }
    match arguments.json {
        true => say::line(as_json(&all)),
        false => print(&all),
    }
    Ok(ExitCode::SUCCESS)
}

fn measure(stage: &mut Stage, apps: usize) -> Result<Measured> {
    stage.start_unlimited()?;
    let token = stage.token()?;
    fill(&mut Api::of(stage, &token), apps)?;
    // At rest means: as it runs after a start, not with what the filling left.
    stage.stop()?;
    stage.start()?;
    let serve_mb = at_rest(stage.serve_pid().context("serve does not run")?)?;
    let proxy_mb = at_rest(
        stage
            .proxy_pid()
            .context("the proxy does not run")?
            .cast_unsigned(),
    )?;
    Ok(Measured {
        apps,
        serve_mb,
        proxy_mb,
        first_step_ms: first_steps(&mut Api::of(stage, &token))?,
    })
}

/// A process's resident memory once it does not change any more, in megabytes.
fn at_rest(pid: u32) -> Result<f64> {
    let mut seen: Vec<f64> = Vec::new();
    let steady = run::until(REST_LIMIT, || {
        thread::sleep(LOOK_EVERY);
        seen.push(resident(pid)?);
        let last = seen.last_chunk::<LOOKS>()?;
        let (least, most) = (
            last.iter().copied().reduce(f64::min)?,
            last.iter().copied().reduce(f64::max)?,
        );
        (most - least < 0.1).then_some(most)
    });
    steady.with_context(|| format!("the memory of process {pid} does not come to rest: {seen:?}"))
}

/// An app, with an environment to deploy.
fn make(api: &mut Api, app: &str) -> Result<()> {
    // Never cloned: each deployment ends at its checkout.
    let repository = "file:///nowhere/app.git";
    let body = json!({"name": app, "repository": repository});
    api.call("POST", "/v1/apps", Some(&body))?;
    let environment = json!({"name": "live", "runtime": "process"});
    let path = format!("/v1/apps/{app}/environments");
    api.call("POST", &path, Some(&environment)).map(drop)
}

/// The app to deploy, and as many more.
fn fill(api: &mut Api, apps: usize) -> Result<()> {
    make(api, "bench")?;
    for number in 0..apps {
        ensure!(!signal::asked_to_stop(), "interrupted");
        make(api, &format!("app-{number}"))?;
    }
    Ok(())
}

/// Deploys again and again; the first is not counted, it warms what a running
/// engine has warm.
fn first_steps(api: &mut Api) -> Result<Vec<f64>> {
    first_step(api)?;
    let mut all = (0..DEPLOYMENTS)
        .map(|_| first_step(api))
        .collect::<Result<Vec<f64>>>()?;
    all.sort_by(f64::total_cmp);
    Ok(all)
}

fn first_step(api: &mut Api) -> Result<f64> {
    let called = SystemTime::now();
    let id = api.trigger("bench/live")?;
    thread::sleep(UNOBSERVED);
    let first = api.journal(&id, DEPLOYMENT_LIMIT)?.first_step()?;
    Ok(first
        .duration_since(called)
        .unwrap_or_default()
        .as_secs_f64()
        * 1000.0)
}

impl Measured {
    fn median_ms(&self) -> f64 {
        at(&self.first_step_ms, 50)
    }

    /// What is measured, in its unit, with its aim.
    fn rows(&self) -> [(&'static str, f64, f64, &'static str); 3] {
        [
            ("shipway serve, resident", self.serve_mb, SERVE_AIM_MB, "MB"),
            ("shipway proxy, resident", self.proxy_mb, PROXY_AIM_MB, "MB"),
            (
                "API call to first step",
                self.median_ms(),
                FIRST_STEP_AIM_MS,
                "ms",
            ),
        ]
    }
}

fn print(all: &[Measured]) {
    say::line(format_args!(
        "{:<26} {:>5} {:>9} {:>8}  met",
        "at rest", "apps", "measured", "aim"
    ));
    for measured in all {
        for (what, value, aim, unit) in measured.rows() {
            let met = if value < aim { "yes" } else { "no" };
            let apps = measured.apps;
            say::line(format_args!(
                "{what:<26} {apps:>5} {value:>6.1} {unit} {aim:>5.0} {unit}  {met}"
            ));
        }
    }
    let slow: Vec<String> = all
        .iter()
        .map(|one| {
            format!(
                "{:.1} ms with {} apps",
                at(&one.first_step_ms, 90),
                one.apps
            )
        })
        .collect();
    say::line(format_args!(
        "the call: median of {DEPLOYMENTS} deployments; 90 of 100 within {}",
        slow.join(", ")
    ));
}

fn as_json(all: &[Measured]) -> Value {
    let each = all.iter().map(|one| {
        json!({
            "apps": one.apps,
            "serve_resident_mb": one.serve_mb,
            "proxy_resident_mb": one.proxy_mb,
            "first_step_ms": {
                "median": one.median_ms(),
                "p90": at(&one.first_step_ms, 90),
                "deployments": one.first_step_ms.len(),
            },
            "met": one.rows().iter().all(|(_, value, aim, _)| value < aim),
        })
    });
    json!({
        "stores": each.collect::<Vec<_>>(),
        "aims": {
            "serve_resident_mb": SERVE_AIM_MB,
            "proxy_resident_mb": PROXY_AIM_MB,
            "first_step_ms": FIRST_STEP_AIM_MS,
        },
    })
}
