//! The webhook plugin: every event as a CloudEvent, and no say in the result.

use serde_json::{Value, json};
use shipway_tests::app::Environment;
use shipway_tests::receiver::Receiver;
use shipway_tests::ship::{Ship, free_address};
use shipway_tests::wait::until_true;

use crate::apps::{serves, tiny};

const TOKEN: &str = "hook-token-0123456789";

#[test]
fn every_event_arrives_once_and_in_order() {
    let Some(ship) = Ship::start_with_plugins(&["webhook"]) else {
        return;
    };
    let receiver = Receiver::start(204);
    let (_repo, live) = tiny(&ship);
    tell(&ship, &live, &receiver.url(), &receiver.origin());
    live.command("Say hello", "echo hello");
    let deployment = live.deploy();
    deployment.succeeded();

    let events = deployment.events();
    let received = receiver.until_received(events.len());
    assert_eq!(received.len(), events.len());
    for (event, request) in events.iter().zip(received) {
        assert_eq!(
            (request.method.as_str(), request.path.as_str()),
            ("POST", "/hook")
        );
        assert_eq!(
            request.headers["content-type"],
            "application/cloudevents+json"
        );
        assert_eq!(request.headers["authorization"], format!("Bearer {TOKEN}"));
        let sent = request.json();
        assert_eq!(sent["specversion"], "1.0");
        assert_eq!(
            sent["type"],
            format!("dev.shipway.{}", event["kind"].as_str().expect("a kind"))
        );
        assert_eq!(sent["subject"], deployment.id);
        assert_eq!(
            sent["source"],
            format!("/apps/{}/environments/live", live.app)
        );
        assert_eq!(sent["data"]["sequence"], event["sequence"]);
        assert_eq!(sent["data"]["deployment"]["app"], live.app);
        assert!(
            sent["data"]["summary"]
                .as_str()
                .is_some_and(|text| !text.is_empty()),
            "{sent:#}"
        );
    }
}

#[test]
fn a_receiver_that_is_gone_changes_nothing() {
    let Some(ship) = Ship::start_with_plugins(&["webhook"]) else {
        return;
    };
    let gone = free_address();
    let (_repo, live) = tiny(&ship);
    tell(
        &ship,
        &live,
        &format!("http://{gone}/hook"),
        &format!("http://{gone}"),
    );
    let deployment = live.deploy();
    deployment.succeeded();
    serves(&live, "1");
    until_true(
        "the log says what was not delivered",
        std::time::Duration::from_secs(90),
        || deployment.log().contains("was not delivered"),
    );
    assert!(!deployment.log().contains(TOKEN));
}

#[test]
fn a_receiver_that_refuses_changes_nothing_and_hides_no_failure() {
    let Some(ship) = Ship::start_with_plugins(&["webhook"]) else {
        return;
    };
    let receiver = Receiver::start(403);
    let (_repo, live) = tiny(&ship);
    tell(&ship, &live, &receiver.url(), &receiver.origin());
    live.command("Fail", "exit 4");
    let failure = live.deploy().failed("release", "release-command");
    assert_eq!(failure["command"], "Fail");
}

#[test]
fn without_a_grant_nothing_is_sent_and_the_log_says_how_to_allow_it() {
    let Some(ship) = Ship::start_with_plugins(&["webhook"]) else {
        return;
    };
    let receiver = Receiver::start(204);
    let (_repo, live) = tiny(&ship);
    tell(&ship, &live, &receiver.url(), &receiver.origin());
    ship.api.put("/v1/plugins/webhook/grants", &json!({})).ok();
    let deployment = live.deploy();
    deployment.succeeded();
    until_true(
        "the log says what lacks",
        std::time::Duration::from_secs(60),
        || {
            deployment
                .log()
                .contains("shipway plugin grant webhook --http")
        },
    );
    assert!(receiver.received().is_empty());
}

fn tell(ship: &Ship, live: &Environment<'_>, url: &str, origin: &str) {
    live.change(json!({"plugins": {"notifiers": ["webhook"]}}));
    live.plugin_setting("webhook", "url", url);
    let token: Value = json!({"token": {"value": TOKEN}});
    let path = live.path("/plugins/webhook/settings");
    let settings = ship.api.patch(&path, &token).ok();
    assert!(
        !settings.to_string().contains(TOKEN),
        "a secret setting shows no value: {settings}"
    );
    let grant = json!({"http": [{"origin": origin, "addresses": "any", "secrets": ["token"]}]});
    ship.api.put("/v1/plugins/webhook/grants", &grant).ok();
}
