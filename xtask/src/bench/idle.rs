//! `cargo xtask bench idle`: what `shipway serve` and `shipway proxy` take at
//! rest, and the time from an API call to a deployment's first step, with an
//! empty store and with a full one.

use std::fs;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::house::{House, Profile};
use crate::http::{Client, Request, Response};
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
    /// Which build is measured
    #[arg(long, value_enum, default_value = "release")]
    profile: Profile,
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
    let program = house.build_shipway(arguments.profile)?;
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
    stage.start()?;
    let token = stage.token()?;
    Api::of(stage, &token).fill(apps)?;
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
        first_step_ms: Api::of(stage, &token).first_steps()?,
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

fn resident(pid: u32) -> Option<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kilobytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kilobytes * 1024.0 / 1_000_000.0)
}

/// The API, as a program uses it.
struct Api {
    client: Client,
    host: String,
    authorization: String,
}

impl Api {
    fn of(stage: &Stage, token: &str) -> Self {
        Self {
            client: Client::new(stage.api),
            host: stage.api.to_string(),
            authorization: format!("Bearer {token}"),
        }
    }

    fn call(&mut self, method: &str, path: &str, body: Option<&Value>) -> Result<Response> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = Request {
            method,
            path,
            host: &self.host,
            headers: &[
                ("Authorization", &self.authorization),
                ("Content-Type", "application/json"),
            ],
            body: body.as_bytes(),
        };
        let answer = self.client.send(&request)?;
        let text = answer.text();
        ensure!(
            answer.status < 300,
            "{method} {path} answered {}: {text:.500}",
            answer.status
        );
        Ok(answer)
    }

    fn make(&mut self, app: &str) -> Result<()> {
        // Never cloned: each deployment ends at its checkout.
        let repository = "file:///nowhere/app.git";
        self.call(
            "POST",
            "/v1/apps",
            Some(&json!({"name": app, "repository": repository})),
        )?;
        let environment = json!({"name": "live", "runtime": "process"});
        self.call(
            "POST",
            &format!("/v1/apps/{app}/environments"),
            Some(&environment),
        )?;
        Ok(())
    }

    /// The app to deploy, and as many more.
    fn fill(&mut self, apps: usize) -> Result<()> {
        self.make("bench")?;
        for number in 0..apps {
            ensure!(!signal::asked_to_stop(), "interrupted");
            self.make(&format!("app-{number}"))?;
        }
        Ok(())
    }

    /// Deploys again and again; the first is not counted, it warms what a
    /// running engine has warm.
    fn first_steps(&mut self) -> Result<Vec<f64>> {
        self.first_step()?;
        let mut all = (0..DEPLOYMENTS)
            .map(|_| self.first_step())
            .collect::<Result<Vec<f64>>>()?;
        all.sort_by(f64::total_cmp);
        Ok(all)
    }

    fn first_step(&mut self) -> Result<f64> {
        let path = "/v1/apps/bench/environments/live/deployments";
        let called = SystemTime::now();
        let deployment = self.call("POST", path, None)?.json()?;
        thread::sleep(UNOBSERVED);
        let id = deployment["id"]
            .as_str()
            .context("a deployment has no id")?;
        let events = self.events_to_the_end(id)?;
        let first = events.iter().find(|event| event["kind"] == "step.started");
        let first = first.context("the deployment started no step")?;
        let at = first["at"].as_str().context("an event has no time")?;
        let at = humantime::parse_rfc3339(at).with_context(|| format!("reading the time {at}"))?;
        Ok(at.duration_since(called).unwrap_or_default().as_secs_f64() * 1000.0)
    }

    fn events_to_the_end(&mut self, id: &str) -> Result<Vec<Value>> {
        let path = format!("/v1/deployments/{id}/events?limit=1000");
        let ended = run::until(DEPLOYMENT_LIMIT, || {
            let page = self
                .call("GET", &path, None)
                .and_then(|answer| answer.json());
            match page {
                Ok(page) if page["ended"] != true => None,
                other => Some(other),
            }
        });
        let page = ended.with_context(|| format!("deployment {id} does not end"))??;
        Ok(page["items"].as_array().cloned().unwrap_or_default())
    }
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

/// The value that so many of a hundred do not pass; 0 of none.
fn at(sorted: &[f64], percent: usize) -> f64 {
    let index = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(index).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles() {
        assert_eq!(at(&[1.0, 2.0, 3.0, 4.0], 50), 2.0);
        assert_eq!(at(&[1.0, 2.0, 3.0, 4.0], 90), 4.0);
        assert_eq!(at(&[], 50), 0.0);
    }

    #[test]
    fn our_own_memory_can_be_read() {
        assert!(resident(std::process::id()).unwrap() > 0.5);
    }
}
