//! Backing services are asked first; while one is down nothing is touched.

use serde_json::json;
use shipway_tests::ship::{Ship, free_address};

use crate::apps::{next_version, said, serves, tiny};

#[test]
fn a_service_that_is_down_stops_the_deployment_before_it_begins() {
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = tiny(&ship);
    live.deploy().succeeded();
    next_version(&repo, "2");
    let down = free_address();
    live.change(json!({"services": [
        {"name": "the API", "url": format!("http://{}/healthz", ship.api_address())},
        {"name": "cache", "url": format!("redis://{down}"), "timeout_seconds": 1},
    ]}));
    let deployment = live.deploy();
    let failure = deployment.failed("services", "services");
    let said = said(&failure);
    assert!(said.contains("\"cache\" did not answer"), "{failure:#}");
    assert!(said.contains("nothing has been changed"), "{failure:#}");
    let shown = deployment.section("services check");
    assert!(
        shown.contains("the API") && shown.contains("cache"),
        "{shown}"
    );
    serves(&live, "1");
}

#[test]
fn a_url_from_a_variable_is_asked_and_its_password_never_shown() {
    let Some(ship) = Ship::start() else { return };
    let repo = shipway_tests::repo::Repo::of("tests/apps/tiny");
    repo.write(
        "shipway.toml",
        "[[services]]\nname = \"database\"\nurl = \"$DATABASE_URL\"\n",
    );
    repo.commit("A service");
    let live = ship
        .app("tiny", &repo)
        .environment("live", crate::apps::quick("process"));

    let failure = live.deploy().failed("checkout", "build");
    assert!(said(&failure).contains("DATABASE_URL"), "{failure:#}");

    let down = free_address();
    live.secret(
        "DATABASE_URL",
        &format!("postgres://ada:pass-word-9@{down}/site"),
    );
    let deployment = live.deploy();
    let failure = deployment.failed("checkout", "services");
    assert!(
        said(&failure).contains("\"database\" did not answer"),
        "{failure:#}"
    );
    assert!(
        !deployment.log().contains("pass-word-9"),
        "{}",
        deployment.log()
    );
}
