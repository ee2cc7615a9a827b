//! What commands print: much of it, long lines, bytes that are no text, and
//! what they leave running behind them.

use std::time::{Duration, Instant};

use shipway_tests::parts;
use shipway_tests::ship::Ship;

use crate::apps::{serves, tiny, tiny_image};

#[test]
fn a_flood_of_lines_is_kept_in_order_and_counted_where_it_is_cut() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    live.command(
        "Flood",
        "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); echo line $i; done; echo the end",
    );
    let deployment = live.deploy();
    deployment.succeeded();
    let log = deployment.section("process release commands");
    let numbers: Vec<u32> = log
        .lines()
        .filter_map(|line| line.strip_prefix("line ")?.parse().ok())
        .collect();
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "in order");
    assert!(log.contains("\nthe end\n"));
    if numbers.len() < 20_000 {
        assert!(
            log.contains("lines were dropped here"),
            "{} lines",
            numbers.len()
        );
    }
}

#[test]
fn bytes_that_are_no_text_and_lines_without_an_end_do_no_harm() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    live.command(
        "Bytes",
        "head -c 3000 /dev/urandom; printf 'no newline at the end'",
    );
    live.command(
        "One line",
        "head -c 5000000 /dev/zero | tr '\\0' x; echo; echo after it",
    );
    live.command("Colours", "printf '\\033[31mred\\033[0m\\n'");
    let deployment = live.deploy();
    deployment.succeeded();
    let log = deployment.section("process release commands");
    assert!(log.contains("after it"), "{}", log.len());
    assert!(log.len() < 6_000_000);
    serves(&live, "1");
}

#[test]
fn what_a_command_leaves_running_does_not_hold_the_deployment() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    live.command("Leave one", "sleep 4321 & echo left it");
    let started = Instant::now();
    let deployment = live.deploy();
    deployment.succeeded();
    assert!(started.elapsed() < Duration::from_secs(60));
    assert!(
        deployment
            .section("process release commands")
            .contains("left it")
    );
    let left = shipway_tests::machine::processes_with("sleep\x004321");
    assert!(
        left.is_empty(),
        "nothing of a release command is left: {left:?}"
    );
}

#[test]
fn what_a_command_leaves_running_in_its_container_goes_with_it() {
    let Some(()) = parts::image(parts::STATIC_IMAGE) else {
        return;
    };
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny_image(&ship);
    live.command("Leave one", "sleep 600 & echo left it");
    live.command("Go on", "echo went on");
    let started = Instant::now();
    let deployment = live.deploy();
    deployment.succeeded();
    assert!(started.elapsed() < Duration::from_secs(60));
    let log = deployment.section("docker release commands");
    assert!(log.contains("left it") && log.contains("went on"), "{log}");
    assert_eq!(shipway_tests::docker::containers_of(&live.app).len(), 1);
}
