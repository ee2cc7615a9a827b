//! Traces: a span for each request, deployment, step and call of a plugin, sent
//! to a collector that nothing waits for.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::json;
use shipway_tests::collector::{Collector, Span};
use shipway_tests::parts;
use shipway_tests::ship::Ship;

use crate::apps::{serves, tiny};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";
const STEPS: [&str; 10] = [
    "services",
    "checkout",
    "build",
    "plan",
    "release",
    "start",
    "self-test",
    "gate",
    "switch",
    "retire",
];

fn start(url: &str) -> Option<Ship> {
    Ship::start_with_arguments(&["--otlp-endpoint", url, "--rate-limit", "0"])
}

fn deployment_of<'a>(spans: &'a [Span], id: &str, run: &str) -> Option<&'a Span> {
    spans.iter().find(|span| {
        span.name.starts_with("deploy ")
            && span.attributes["deployment"] == id
            && span.attributes["run"] == run
    })
}

#[test]
fn a_deployment_is_one_trace_that_goes_on_where_its_caller_began() {
    let Some(procfile) = parts::plugin("procfile") else {
        return;
    };
    let collector = Collector::start();
    let Some(ship) = start(&collector.url()) else {
        return;
    };
    ship.install(procfile);
    let (_repo, live) = tiny(&ship);
    live.secret("PASSWORD", "hunter2-in-no-span");
    live.command("Say hello", "echo $PASSWORD");
    let request = ship
        .api
        .request(Method::POST, &live.path("/deployments"))
        .header("traceparent", format!("00-{TRACE}-{CALLER}-01"))
        .json(&json!({}));
    let id = ship.api.send(request).ok()["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let deployment = shipway_tests::deployment::Deployment::new(&ship, id).ended();
    deployment.succeeded();

    let spans = collector.until("the deployment's span has come", |spans| {
        deployment_of(spans, &deployment.id, "first").map(|_| spans.to_vec())
    });
    let whole = deployment_of(&spans, &deployment.id, "first").expect("it is there");
    assert_eq!(whole.trace, TRACE);
    assert_eq!(whole.attributes["app"], live.app);
    assert_eq!(whole.attributes["environment"], "live");
    assert_eq!(whole.attributes["ending"], "succeeded");
    assert!(!whole.is_error);
    assert_eq!(whole.resource["service.name"], "shipway");

    let asked = spans
        .iter()
        .find(|span| span.id == whole.parent)
        .expect("who asked");
    assert_eq!(
        asked.name,
        "POST /v1/apps/{app}/environments/{environment}/deployments"
    );
    assert_eq!(
        (asked.trace.as_str(), asked.parent.as_str()),
        (TRACE, CALLER)
    );
    assert_eq!(asked.attributes["http.response.status_code"], "202");

    let steps: Vec<&Span> = spans
        .iter()
        .filter(|span| span.parent == whole.id)
        .collect();
    let names: Vec<&str> = steps.iter().map(|span| span.name.as_str()).collect();
    assert_eq!(names, STEPS);
    for step in &steps {
        assert_eq!(step.attributes["outcome"], "succeeded", "{step:?}");
        assert!(step.nanos <= whole.nanos, "{step:?}");
    }
    let plan = steps
        .iter()
        .find(|span| span.name == "plan")
        .expect("the plan");
    let call = spans
        .iter()
        .find(|span| span.parent == plan.id)
        .expect("a call of the plugin");
    assert_eq!(call.name, "release-source procfile");
    assert_eq!(call.attributes["result"], "ok");
    assert_eq!(call.attributes["digest"].len(), 64, "{call:?}");
    assert!(
        call.attributes["cpu_ms"]
            .parse::<f64>()
            .is_ok_and(|ms| ms > 0.0),
        "{call:?}"
    );
    assert!(!format!("{spans:?}").contains("hunter2"));
    assert!(!spans.iter().any(|span| span.name.contains("readyz")));
}

#[test]
fn what_an_engine_takes_up_is_a_trace_of_its_own_with_the_same_deployment() {
    let collector = Collector::start();
    let Some(ship) = start(&collector.url()) else {
        return;
    };
    let (_repo, live) = tiny(&ship);
    let door = ship.state_dir().join("door");
    live.command(
        "Wait",
        &format!("until test -e {}; do sleep 0.05; done", door.display()),
    );
    let deployment = live.trigger(json!({}));
    deployment.until_event("the command runs", |event| {
        event["kind"] == "command.started"
    });
    ship.kill_serve();
    std::fs::write(door, "").expect("the door opens");
    ship.serve();
    let deployment = deployment.ended();
    deployment.succeeded();
    let taken_up = collector.until("the span of the second engine has come", |spans| {
        deployment_of(spans, &deployment.id, "taken-up").cloned()
    });
    assert_eq!(taken_up.parent, "");
    assert_eq!(taken_up.attributes["ending"], "succeeded");
}

#[test]
fn a_collector_that_never_answers_stops_and_slows_nothing() {
    // It accepts, and says nothing.
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!("http://{}", silent.local_addr().expect("its address"));
    let Some(ship) = start(&url) else { return };
    let (_repo, live) = tiny(&ship);
    live.deploy().succeeded();
    serves(&live, "1");
    // More spans than the queue holds.
    for _ in 0..3_000 {
        ship.api.get("/v1/apps").ok();
    }
    assert_eq!(ship.api.get("/healthz").status, 200);
    let asked = Instant::now();
    assert_eq!(ship.stop_serve(), Some(0));
    assert!(
        asked.elapsed() < Duration::from_secs(10),
        "{:?}",
        asked.elapsed()
    );
    ship.serve();
}
