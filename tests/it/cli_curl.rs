//! The README's CI job, word for word: `curl` and `sh` alone.

use std::process::{Command, Output, Stdio};
use std::time::Duration;

use serde_json::json;
use shipway_tests::app::Environment;
use shipway_tests::parts;
use shipway_tests::repo::Repo;
use shipway_tests::ship::Ship;
use shipway_tests::wait::until;

use crate::apps::quick;

/// The script that stands in the README.
fn script() -> String {
    let readme = std::fs::read_to_string(parts::root().join("README.md")).expect("the README");
    let blocks = readme.split("```sh\n").skip(1);
    let mut blocks = blocks.filter_map(|rest| rest.split("```").next());
    let script = blocks.find(|block| block.starts_with("#!/bin/sh"));
    script.expect("a script in the README").to_owned()
}

/// The app that the script names.
fn hello<'a>(ship: &'a Ship, repo: &Repo) -> Environment<'a> {
    ship.api
        .post(
            "/v1/apps",
            &json!({"name": "hello", "repository": repo.path()}),
        )
        .ok();
    let mut body = quick("process");
    body["name"] = json!("live");
    let made = ship.api.post("/v1/apps/hello/environments", &body).ok();
    Environment {
        ship,
        app: "hello".to_owned(),
        name: "live".to_owned(),
        domain: made["domains"][0].as_str().expect("a domain").to_owned(),
    }
}

fn job(ship: &Ship, token: &str, id: &str) -> Command {
    let folder = ship.state_dir().join(id);
    std::fs::create_dir_all(&folder).expect("a folder");
    let mut command = Command::new("sh");
    command
        .args(["-c", &script()])
        .current_dir(folder)
        .env("SHIPWAY_SERVER", format!("http://{}", ship.api_address()))
        .env("SHIPWAY_TOKEN", token)
        .env("CI_JOB_ID", id)
        .env("NO_PROXY", "*")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn said(output: &Output) -> String {
    format!(
        "{:?}\n{}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

#[test]
fn a_job_deploys_follows_and_ends_as_the_deployment_does() {
    let Some(_curl) = parts::program("curl") else {
        return;
    };
    let Some(ship) = Ship::start() else { return };
    let repo = Repo::of("tests/apps/tiny");
    let live = hello(&ship, &repo);
    let ci = json!({"name": "ci", "scope": "deploy", "apps": ["hello"]});
    let ci = ship.api.post("/v1/tokens", &ci).ok()["token"]
        .as_str()
        .expect("a token")
        .to_owned();

    let output = job(&ship, &ci, "1").output().expect("it ran");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let log = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(log.contains("===== git checkout ====="), "{log}");
    let id = live.status()["latest"]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let whole = ship.api.get(&format!("/v1/deployments/{id}/log")).text();
    assert_eq!(log, whole);
    assert_eq!(live.get("/").text(), "version 1\n");
    // The same job again is the same deployment.
    let again = job(&ship, &ci, "1").output().expect("it ran");
    assert_eq!(again.status.code(), Some(0), "{}", said(&again));
    let history = ship.api.get(&live.path("/deployments")).ok();
    assert_eq!(history["items"].as_array().map(Vec::len), Some(1));

    live.command("Migrate", "echo no such table; exit 3");
    let output = job(&ship, &ci, "2").output().expect("it ran");
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("no such table"), "{}", said(&output));

    let output = job(&ship, "shipway_wrong", "3").output().expect("it ran");
    assert!(!output.status.success(), "{}", said(&output));
    assert!(said(&output).contains("401"), "{}", said(&output));
}

#[test]
fn a_job_goes_on_when_the_engine_is_killed() {
    let Some(_curl) = parts::program("curl") else {
        return;
    };
    let Some(ship) = Ship::start() else { return };
    let repo = Repo::of("tests/apps/tiny");
    let live = hello(&ship, &repo);
    let go = ship.state_dir().join("go");
    let count = format!(
        "i=0; while [ ! -e {} ]; do i=$((i+1)); echo line $i; sleep 0.02; done",
        go.display()
    );
    live.command("Count", &count);
    let child = job(&ship, &ship.token, "4").spawn().expect("it starts");
    let log = ship.state_dir().join("4/shipway.log");
    let lines = || {
        std::fs::read_to_string(&log)
            .unwrap_or_default()
            .lines()
            .count()
    };
    let grows = |before: usize| {
        until("the job sees more lines", Duration::from_secs(60), || {
            (lines() > before + 10).then_some(())
        });
    };
    grows(10);
    ship.kill_serve();
    let before = lines();
    ship.serve();
    grows(before);
    std::fs::write(&go, "").expect("a file");
    let output = child.wait_with_output().expect("it ended");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let id = live.status()["latest"]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    let whole = ship.api.get(&format!("/v1/deployments/{id}/log")).text();
    assert_eq!(String::from_utf8_lossy(&output.stdout), whole);
}
