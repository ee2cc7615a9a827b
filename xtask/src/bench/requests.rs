//! `cargo xtask bench api`: routes of the API under load, beside the one that
//! does nothing and passes the same layers. Clients ask as fast as they are
//! answered, each over a connection of its own; the routes take turns.

use std::fs;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, anyhow, ensure};
use serde_json::{Value, json};

use super::api::Api;
use super::measure::at;
use super::program::Program;
use crate::house::House;
use crate::http::{Client, Request};
use crate::stage::Stage;
use crate::{say, signal};

/// Of the environment that is asked about.
const DEPLOYMENTS: usize = 20;
const DEPLOYMENT_LIMIT: Duration = Duration::from_secs(30);
const NOTHING: &str = "/healthz";
const LIVE: &str = "/v1/apps/bench/environments/live";

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// How many clients ask at once
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1000))]
    clients: u32,
    /// How long each route is asked in a round
    #[arg(long, default_value_t = 3, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..=600))]
    seconds: u64,
    /// How often each route has its turn
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=50))]
    rounds: u32,
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    program: Program,
}

/// A request that is made again and again.
#[derive(Debug, Clone)]
struct Route {
    name: &'static str,
    method: &'static str,
    path: String,
    body: String,
}

#[derive(Debug)]
struct Measured {
    route: Route,
    /// Of all rounds.
    seconds: f64,
    /// Milliseconds of each request, sorted.
    millis: Vec<f64>,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    signal::listen()?;
    let house = House::open()?;
    let program = arguments.program.bring(&house)?;
    let mut stage = Stage::new(program, &house.target.join("bench"), "api")?;
    let measured = measure(&mut stage, arguments);
    if measured.is_err() {
        say::note(stage.logs());
    }
    stage.stop()?;
    let _ = fs::remove_dir_all(stage.folder());
    let measured = measured?;
    match arguments.json {
        true => say::line(as_json(&measured, arguments)),
        false => print(&measured, arguments),
    }
    Ok(ExitCode::SUCCESS)
}

fn measure(stage: &mut Stage, arguments: &Arguments) -> Result<Vec<Measured>> {
    stage.start_unlimited()?;
    let token = stage.token()?;
    let last = fill(&mut Api::of(stage, &token))?;
    let mut all: Vec<Measured> = routes(&last).into_iter().map(Measured::none).collect();
    for round in 1..=arguments.rounds {
        say::note(format_args!("round {round} of {}", arguments.rounds));
        for measured in &mut all {
            ensure!(!signal::asked_to_stop(), "interrupted");
            measured.add(stage.api, &token, arguments)?;
        }
    }
    for measured in &mut all {
        measured.millis.sort_by(f64::total_cmp);
    }
    Ok(all)
}

fn routes(deployment: &str) -> Vec<Route> {
    let get = |name, path: String| Route {
        name,
        method: "GET",
        path,
        body: String::new(),
    };
    vec![
        get("nothing", NOTHING.to_owned()),
        get("an environment", LIVE.to_owned()),
        get("its status", format!("{LIVE}/status")),
        get("its deployments", format!("{LIVE}/deployments?limit=20")),
        get(
            "a deployment's events",
            format!("/v1/deployments/{deployment}/events"),
        ),
        Route {
            name: "set a variable",
            method: "PUT",
            path: format!("{LIVE}/variables/GREETING"),
            body: json!({"value": "hello"}).to_string(),
        },
    ]
}

/// An app with some past. Never cloned: each deployment ends at its checkout.
fn fill(api: &mut Api) -> Result<String> {
    let app = json!({"name": "bench", "repository": "file:///nowhere/app.git"});
    api.call("POST", "/v1/apps", Some(&app))?;
    let environment = json!({"name": "live", "runtime": "process"});
    api.call("POST", "/v1/apps/bench/environments", Some(&environment))?;
    let mut last = None;
    for _ in 0..DEPLOYMENTS {
        let id = api.trigger("bench/live")?;
        api.journal(&id, DEPLOYMENT_LIMIT)?;
        last = Some(id);
    }
    last.context("there is no deployment")
}

impl Measured {
    fn none(route: Route) -> Self {
        Self {
            route,
            seconds: 0.0,
            millis: Vec::new(),
        }
    }

    /// One more round.
    fn add(&mut self, api: SocketAddr, token: &str, arguments: &Arguments) -> Result<()> {
        let (began, limit) = (Instant::now(), Duration::from_secs(arguments.seconds));
        let (route, authorization) = (&self.route, format!("Bearer {token}"));
        let each: Vec<Result<Vec<f64>>> = thread::scope(|scope| {
            let ask = || scope.spawn(|| ask(api, &authorization, route, began + limit));
            let clients: Vec<_> = (0..arguments.clients).map(|_| ask()).collect();
            let joined = clients.into_iter().map(|client| client.join());
            joined
                .map(|asked| asked.unwrap_or_else(|_| Err(anyhow!("a client broke off"))))
                .collect()
        });
        self.seconds += began.elapsed().as_secs_f64();
        for millis in each {
            self.millis.extend(millis?);
        }
        Ok(())
    }

    fn per_second(&self) -> f64 {
        self.millis.len() as f64 / self.seconds.max(f64::MIN_POSITIVE)
    }
}

/// What one client's requests took, until the time is over.
fn ask(api: SocketAddr, authorization: &str, route: &Route, end: Instant) -> Result<Vec<f64>> {
    let host = api.to_string();
    let request = Request {
        method: route.method,
        path: &route.path,
        host: &host,
        headers: &[
            ("Authorization", authorization),
            ("Content-Type", "application/json"),
        ],
        body: route.body.as_bytes(),
    };
    let mut client = Client::new(api);
    let mut millis = Vec::new();
    while Instant::now() < end {
        let asked = Instant::now();
        let answer = client.send(&request)?;
        ensure!(
            answer.status < 300,
            "{} {} answered {}: {:.500}",
            route.method,
            route.path,
            answer.status,
            answer.text()
        );
        millis.push(asked.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(millis)
}

fn print(all: &[Measured], arguments: &Arguments) {
    say::line(format_args!(
        "{:<22} {:>10} {:>9} {:>9} {:>9}  p99 beside nothing",
        "route", "requests/s", "p50 ms", "p90 ms", "p99 ms"
    ));
    let nothing = all.first().map_or(0.0, |first| at(&first.millis, 99));
    for one in all {
        let p99 = at(&one.millis, 99);
        say::line(format_args!(
            "{:<22} {:>10.0} {:>9.2} {:>9.2} {:>9.2}  {:.1} times, {:+.2} ms",
            one.route.name,
            one.per_second(),
            at(&one.millis, 50),
            at(&one.millis, 90),
            p99,
            p99 / nothing.max(f64::MIN_POSITIVE),
            p99 - nothing,
        ));
    }
    say::line(format_args!(
        "{} clients on connections of their own, {} rounds of {} s a route",
        arguments.clients, arguments.rounds, arguments.seconds
    ));
}

fn as_json(all: &[Measured], arguments: &Arguments) -> Value {
    let each = all.iter().map(|one| {
        json!({
            "route": one.route.name,
            "method": one.route.method,
            "requests": one.millis.len(),
            "requests_per_second": one.per_second(),
            "ms": {"p50": at(&one.millis, 50), "p90": at(&one.millis, 90), "p99": at(&one.millis, 99)},
        })
    });
    json!({
        "clients": arguments.clients,
        "rounds": arguments.rounds,
        "seconds": arguments.seconds,
        "routes": each.collect::<Vec<_>>(),
    })
}
