//! The events of a deployment: as pages, as a stream that goes on where it
//! broke, and the log.

use std::time::Duration;

use serde_json::json;
use shipway_tests::machine;
use shipway_tests::numbers::Numbers;
use shipway_tests::ship::Ship;
use shipway_tests::stream::{EventStream, Watcher};
use shipway_tests::wait::until_true;

use crate::apps::tiny;

#[test]
fn every_event_comes_once_and_in_order_on_every_way() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    live.command("Wait a little", "echo begins; sleep 0.3; echo ends");
    let deployment = live.trigger(json!({}));

    // A reader that breaks off after each event and comes back.
    let mut seen = Vec::new();
    while let Some(mut stream) = EventStream::open(&ship.api, &deployment.id, seen.last().copied())
    {
        let Some(event) = stream.next_event() else {
            break;
        };
        assert_eq!(event.data["sequence"], event.id);
        assert_eq!(event.data["kind"], event.kind.as_str());
        seen.push(event.id);
        if event.kind == "deployment.ended" {
            break;
        }
    }
    let deployment = deployment.ended();
    deployment.succeeded();
    let events = deployment.events();
    let numbers: Vec<u64> = events
        .iter()
        .filter_map(|event| event["sequence"].as_u64())
        .collect();
    assert_eq!(numbers, (1..=numbers.len() as u64).collect::<Vec<_>>());
    assert_eq!(seen, numbers);

    let whole = EventStream::open(&ship.api, &deployment.id, None)
        .expect("all events")
        .rest();
    assert_eq!(
        whole.iter().map(|event| event.id).collect::<Vec<_>>(),
        numbers
    );
    assert!(EventStream::open(&ship.api, &deployment.id, numbers.last().copied()).is_none());

    let steps: Vec<_> = events
        .iter()
        .filter(|event| event["kind"] == "step.started")
        .filter_map(|event| event["data"]["step"].as_str())
        .collect();
    assert_eq!(
        steps,
        [
            "services",
            "checkout",
            "build",
            "plan",
            "release",
            "start",
            "self-test",
            "gate",
            "switch",
            "retire"
        ]
    );
}

#[test]
fn pages_are_as_long_as_asked_and_join_without_a_gap() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    let deployment = live.deploy();
    deployment.succeeded();
    let mut joined = Vec::new();
    let mut after = 0;
    loop {
        let page = ship
            .api
            .get(&deployment.path(&format!("/events?after={after}&limit=3")))
            .ok();
        let items = page["items"].as_array().expect("items").clone();
        assert!(items.len() <= 3);
        after = page["after"].as_u64().expect("a number");
        joined.extend(items);
        if page["ended"] == true {
            break;
        }
    }
    assert_eq!(joined, deployment.events());
    ship.api
        .get(&deployment.path("/events?limit=0"))
        .problem(400, "invalid-query");
}

#[test]
fn the_log_is_text_and_its_lines_are_numbered_json() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    live.command("Say both", "echo to stdout; echo to stderr >&2");
    let deployment = live.deploy();
    deployment.succeeded();
    let log = deployment.log();
    let headings: Vec<&str> = log
        .lines()
        .filter(|line| line.starts_with("====="))
        .collect();
    assert_eq!(
        headings,
        [
            "===== services check =====",
            "===== git checkout =====",
            "===== process build =====",
            "===== release plan =====",
            "===== process release commands =====",
            "===== process start =====",
            "===== self-test =====",
            "===== process gate commands =====",
            "===== switch =====",
            "===== retire =====",
            "===== deployment succeeded =====",
        ]
    );
    let request = ship
        .api
        .request(reqwest::Method::GET, &deployment.path("/log"));
    let lines = ship
        .api
        .send(request.header("accept", "application/x-ndjson"))
        .text();
    let lines: Vec<serde_json::Value> = lines
        .lines()
        .filter(|line| !line.is_empty())
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect();
    assert_eq!(lines.len(), log.lines().count());
    let stream_of = |text: &str| {
        let found = lines.iter().find(|line| line["text"] == text);
        found.map(|line| line["stream"].as_str().unwrap_or_default().to_owned())
    };
    assert_eq!(stream_of("to stdout").as_deref(), Some("stdout"));
    assert_eq!(stream_of("to stderr").as_deref(), Some("stderr"));
}

#[test]
fn a_thousand_watchers_see_every_event_once_and_in_order_across_a_crash() {
    const WATCHERS: usize = 1_000;
    const PATIENCE: Duration = Duration::from_secs(120);
    // They have one address here. The engine raises its own limit of open
    // files, whatever this program's is.
    let Some(ship) = Ship::start_with_arguments(&["--rate-limit", "0"]) else {
        return;
    };
    machine::raise_open_files();
    let (_repo, live) = tiny(&ship);
    let door = ship.state_dir().join("door");
    let wait = format!("until test -e {}; do sleep 0.05; done", door.display());
    live.command("Wait", &wait);
    let deployment = live.trigger(json!({}));
    let watch = |_| Watcher::start(&ship.api, &deployment.id);
    let watchers: Vec<Watcher> = (0..WATCHERS).map(watch).collect();
    let all_watch = || {
        let numbers = Numbers::of_engine(&ship);
        numbers.value("shipway_api_streams_open", &["kind=\"events\""]) == WATCHERS as f64
    };
    until_true("all of them watch", PATIENCE, all_watch);
    deployment.until_event("the command runs", |event| {
        event["kind"] == "command.started"
    });
    ship.kill_serve();
    ship.serve();
    until_true("all of them have come back", PATIENCE, all_watch);
    std::fs::write(door, "").expect("the door opens");
    let deployment = deployment.ended();
    deployment.succeeded();

    let last = deployment.events().len() as u64;
    let all: Vec<u64> = (1..=last).collect();
    for watcher in watchers {
        assert_eq!(watcher.seen(), all);
    }
}
