//! The data plane when it goes and comes back.

use std::time::Duration;

use shipway_tests::machine;
use shipway_tests::ship::Ship;
use shipway_tests::wait::until_true;

use crate::apps::{next_version, said, serves, tiny};

#[test]
fn a_proxy_that_died_fails_the_switch_or_is_there_again() {
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = tiny(&ship);
    let first = live.deploy();
    first.succeeded();
    machine::kill(ship.proxy_pid().expect("a proxy"));
    next_version(&repo, "2");
    let second = live.deploy();
    if second.now()["status"] == "failed" {
        let failure = second.failed("switch", "switch");
        assert!(said(&failure).contains("shipway proxy"), "{failure:#}");
        assert_eq!(live.serving(), Some(first.id));
    }
    // The next engine starts one, and it knows its routes.
    ship.stop_serve();
    ship.serve();
    until_true("the site answers", Duration::from_secs(20), || {
        live.get("/").status == 200
    });
    live.deploy().succeeded();
    serves(&live, "2");
}

#[test]
fn a_proxy_that_starts_anew_knows_its_routes() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    live.deploy().succeeded();
    ship.stop_serve();
    machine::kill(ship.proxy_pid().expect("a proxy"));
    ship.serve();
    serves(&live, "1");
}
