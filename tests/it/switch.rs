//! The switch: no request is lost, running ones finish, sites do not mix.

use std::time::Duration;

use serde_json::json;
use shipway_tests::api::Answer;
use shipway_tests::load::Load;
use shipway_tests::repo::Repo;
use shipway_tests::ship::Ship;

use crate::apps::{next_version, quick, serves, tiny};

#[test]
fn requests_that_run_finish_on_the_old_version() {
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = tiny(&ship);
    live.change(json!({"processes": {"web": {"instances": 2}}}));
    live.deploy().succeeded();
    next_version(&repo, "2");
    let slow = Load::on(&live, "/slow", 4, a_version);
    let quick = Load::on(&live, "/", 2, a_version);
    let second = live.deploy();
    second.succeeded();
    slow.until_answered(4);
    slow.stop().assert_none_failed();
    let report = quick.stop();
    report.assert_none_failed();
    assert!(report.versions.contains_key("2"), "{report:?}");
    assert_eq!(second.output("retire")["cut_off"], 0);
}

#[test]
fn a_request_that_outlasts_the_drain_is_cut_off_and_counted() {
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = tiny(&ship);
    live.change(json!({"drain_seconds": 0}));
    live.deploy().succeeded();
    next_version(&repo, "2");
    let slow = Load::on(&live, "/slow", 3, |_| Ok(String::new()));
    let second = live.deploy();
    second.succeeded();
    slow.stop();
    let cut_off = second.output("retire")["cut_off"]
        .as_u64()
        .unwrap_or_default();
    assert!((1..=3).contains(&cut_off), "{cut_off}");
    assert!(
        second.section("retire").contains("cut off"),
        "{}",
        second.log()
    );
    serves(&live, "2");
}

#[test]
fn several_sites_behind_one_port_switch_apart() {
    let Some(ship) = Ship::start() else { return };
    let repo = Repo::of("tests/apps/tiny");
    let mut settings = quick("process");
    let other_name = format!("www.{}.example.com", ship.unique("shop"));
    settings["domains"] = json!([other_name]);
    let one = ship.app("one", &repo).environment("live", quick("process"));
    let two = ship.app("two", &repo).environment("live", settings);
    one.deploy().succeeded();
    two.deploy().succeeded();
    let load = Load::on(&two, "/", 2, a_version);
    for version in ["2", "3"] {
        next_version(&repo, version);
        one.deploy().succeeded();
        serves(&one, version);
    }
    let report = load.stop();
    report.assert_none_failed();
    assert_eq!(report.versions.keys().collect::<Vec<_>>(), ["1"]);
    assert_eq!(two.domain, other_name);
}

#[test]
fn an_instance_that_dies_is_started_again() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    live.deploy().succeeded();
    let port = live.get("/env").json()["PORT"]
        .as_str()
        .expect("a port")
        .to_owned();
    let id = live.serving().expect("a deployment");
    let pids = shipway_tests::machine::processes_with(&format!("SHIPWAY_DEPLOYMENT={id}"));
    assert_eq!(pids.len(), 1, "{pids:?}");
    shipway_tests::machine::kill(pids[0]);
    shipway_tests::wait::until_true("it serves again", Duration::from_secs(30), || {
        live.get("/").status == 200
    });
    assert_eq!(
        live.get("/env").json()["PORT"],
        port,
        "at the address that is routed"
    );
}

fn a_version(answer: &Answer) -> Result<String, String> {
    match (answer.status, answer.text().strip_prefix("version ")) {
        (200, Some(version)) => Ok(version.trim().to_owned()),
        _ => Err(format!("{}: {}", answer.status, answer.text())),
    }
}
