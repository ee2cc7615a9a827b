//! The guestbook in two versions, on both runtimes, under constant load.

use serde_json::{Value, json};
use shipway_tests::api::{Answer, client};
use shipway_tests::app::Environment;
use shipway_tests::docker::containers_of;
use shipway_tests::load::Load;
use shipway_tests::machine::processes_with;
use shipway_tests::parts;
use shipway_tests::repo::Repo;
use shipway_tests::ship::Ship;
use shipway_tests::wait::block;

#[test]
fn two_versions_on_processes_under_load() {
    let Some(ship) = Ship::start_with_plugins(&["procfile"]) else {
        return;
    };
    let database = ship.state_dir().join("guestbook.sqlite3");
    let database = database.to_str().expect("a path");
    let settings = json!({"runtime": "process", "drain_seconds": 5});
    deploys_twice_under_load(&ship, settings, &[("GUESTBOOK_DATABASE", database)]);
}

#[test]
fn two_versions_on_docker_under_load() {
    let Some(()) = parts::image(parts::PYTHON_IMAGE) else {
        return;
    };
    let Some(ship) = Ship::start_with_plugins(&["procfile"]) else {
        return;
    };
    let settings = json!({
        "runtime": "docker",
        "drain_seconds": 5,
        "build": {"args": {"PYTHON_IMAGE": parts::PYTHON_IMAGE}},
        "volumes": [{"name": "data", "path": "/data"}],
    });
    deploys_twice_under_load(&ship, settings, &[]);
}

fn deploys_twice_under_load(ship: &Ship, settings: Value, variables: &[(&str, &str)]) {
    let repo = Repo::of("examples/apps/guestbook/v1");
    let runtime = settings["runtime"].as_str().expect("a runtime").to_owned();
    let live = ship.app("guestbook", &repo).environment("live", settings);
    for (name, value) in variables {
        live.variable(name, value);
    }
    live.command("Look at the database", "echo looking at it; exit 0");

    let first = live.deploy();
    first.succeeded();
    let commands = first.section(&format!("{runtime} release commands"));
    for shown in [
        "[1/2] Look at the database",
        "looking at it",
        "0001_entries: applied",
    ] {
        assert!(commands.contains(shown), "{shown:?} in\n{commands}");
    }
    assert_eq!(
        version(&live),
        json!({"version": "1", "commit": repo.git(&["rev-parse", "HEAD"]), "schema": 1})
    );
    write(&live, "Grace", "The first entry");
    let old = instances(&live);
    assert_eq!(old.len(), 2);

    repo.copy("examples/apps/guestbook/v2")
        .commit("Version 2: moods");
    let load = Load::on(&live, "/version", 4, one_of_two_versions);
    load.until_answered(50);
    let second = live.deploy();
    load.until_answered(50);
    let report = load.stop();

    second.succeeded();
    report.assert_none_failed();
    assert!(
        report.versions.contains_key("1") && report.versions.contains_key("2"),
        "{report:?}"
    );
    assert_eq!(version(&live)["version"], "2");
    assert_eq!(version(&live)["schema"], 2);
    let page = live.get("/").text();
    assert!(
        page.contains("Grace") && page.contains("The first entry"),
        "{page}"
    );
    assert_eq!(
        second.output("retire")["stopped"].as_array().map(Vec::len),
        Some(2)
    );
    let new = instances(&live);
    assert_eq!(new.len(), 2);
    assert!(
        old.iter().all(|address| !new.contains(address)),
        "{old:?} {new:?}"
    );
    old_instances_are_gone(&live, &runtime, &first.id);
}

fn old_instances_are_gone(live: &Environment<'_>, runtime: &str, deployment: &str) {
    if runtime == "docker" {
        assert_eq!(containers_of(&live.app).len(), 2);
    }
    let left = processes_with(&format!("SHIPWAY_DEPLOYMENT={deployment}"));
    assert!(left.is_empty(), "still there: {left:?}");
}

fn one_of_two_versions(answer: &Answer) -> Result<String, String> {
    let said: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    match (answer.status, said["version"].as_str()) {
        (200, Some(version @ ("1" | "2"))) => Ok(version.to_owned()),
        _ => Err(format!("{}: {}", answer.status, answer.text())),
    }
}

fn version(live: &Environment<'_>) -> Value {
    live.get("/version").ok()
}

fn write(live: &Environment<'_>, author: &str, message: &str) {
    let body = format!("author={author}&message={}", message.replace(' ', "+"));
    let request = client()
        .post(format!("http://{}/", live.ship.proxy))
        .header("host", &live.domain)
        .header("content-type", "application/x-www-form-urlencoded")
        .body(body);
    let answer = block(request.send()).expect("an answer");
    assert!(matches!(answer.status().as_u16(), 200 | 303), "{answer:?}");
}

fn instances(live: &Environment<'_>) -> Vec<String> {
    let status = live.status();
    let instances = status["serving"]["instances"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    instances
        .iter()
        .filter_map(|instance| instance["address"].as_str().map(str::to_owned))
        .collect()
}
