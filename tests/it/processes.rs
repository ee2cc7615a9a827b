//! Process types: all start, are proven and switch together, or none does.

use serde_json::{Value, json};
use shipway_tests::app::Environment;
use shipway_tests::repo::Repo;
use shipway_tests::ship::Ship;

use crate::apps::{next_version, quick, said, serves, tiny};

const WEB_AND_WORKER: &str = "\
web: exec python3 serve.py
worker: echo working on $SHIPWAY_COMMIT; exec sleep 600
";

fn with_worker(ship: &Ship) -> (Repo, Environment<'_>) {
    let repo = Repo::of("tests/apps/tiny");
    repo.write("Procfile", WEB_AND_WORKER).commit("A worker");
    let mut settings = quick("process");
    settings["processes"]["worker"] = json!({"health": {"settle_seconds": 1}});
    let live = ship.app("tiny", &repo).environment("live", settings);
    (repo, live)
}

#[test]
fn a_type_without_a_port_is_healthy_when_it_stays_up() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = with_worker(&ship);
    live.change(json!({"processes": {"web": {"instances": 2}, "worker": {"instances": 3}}}));
    let deployment = live.deploy();
    deployment.succeeded();
    assert_eq!(count(&live, "web"), 2);
    assert_eq!(count(&live, "worker"), 3);
    assert!(
        deployment
            .section("process start")
            .contains("stayed up for 1 s")
    );

    live.change(json!({"processes": {"worker": {"instances": 0}}}));
    live.deploy().succeeded();
    assert_eq!((count(&live, "web"), count(&live, "worker")), (2, 0));
}

#[test]
fn when_one_type_fails_none_switches() {
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = with_worker(&ship);
    live.deploy().succeeded();
    repo.write(
        "Procfile",
        &WEB_AND_WORKER.replace("exec sleep 600", "exit 6"),
    );
    next_version(&repo, "2");
    let second = live.deploy();
    let failure = second.failed("start", "unhealthy");
    let said = said(&failure);
    assert!(
        said.contains("worker") && said.contains("exited with code 6"),
        "{failure:#}"
    );
    assert!(said.contains("working on"), "its last lines: {failure:#}");
    serves(&live, "1");
    let left = shipway_tests::machine::processes_with(&format!("SHIPWAY_DEPLOYMENT={}", second.id));
    assert!(left.is_empty(), "left behind: {left:?}");
}

#[test]
fn the_divio_rule_takes_500_and_the_2xx_rule_does_not() {
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = tiny(&ship);
    repo.write("behaviour", "answer-500");
    next_version(&repo, "2");
    live.deploy().succeeded();
    assert_eq!(live.get("/").status, 500);

    live.change(json!({"processes": {"web": {"health": {"preset": "2xx"}}}}));
    let failure = live.deploy().failed("start", "unhealthy");
    assert!(said(&failure).contains("500"), "{failure:#}");
    live.change(json!({"processes": {"web": {"health": {"preset": "tcp"}}}}));
    live.deploy().succeeded();
}

fn count(live: &Environment<'_>, process: &str) -> usize {
    let status = live.status();
    let instances = status["serving"]["instances"].as_array();
    let named = |instance: &&Value| instance["process"] == process;
    instances.into_iter().flatten().filter(named).count()
}
