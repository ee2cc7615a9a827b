//! What is marked secret is seen by the app and by nobody else.

use serde_json::json;
use shipway_tests::ship::Ship;

use crate::apps::{serves, tiny};

const SECRET: &str = "s3cr3t-value-xyzzy";

#[test]
fn a_secret_reaches_the_app_and_no_log_event_or_plan() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    live.secret("API_KEY", SECRET)
        .variable("PLAIN", "may-be-seen");
    live.command("Print it", "echo key=$API_KEY plain=$PLAIN");
    live.command("Print it on stderr", "env | grep API_KEY >&2");
    live.command("Have it inside", &format!("echo {SECRET}"));
    let deployment = live.deploy();
    deployment.succeeded();
    serves(&live, "1");
    assert_eq!(live.get("/env").json()["API_KEY"], SECRET);

    let log = deployment.log();
    assert!(log.contains("key=[secret] plain=may-be-seen"), "{log}");
    assert!(log.contains("API_KEY=[secret]"), "{log}");
    let seen = [
        ("the log", log),
        ("the events", json!(deployment.events()).to_string()),
        ("the plan", deployment.plan().to_string()),
        (
            "the variables",
            ship.api.get(&live.path("/variables")).text(),
        ),
        ("the environment", ship.api.get(&live.path("")).text()),
        ("the deployment", deployment.now().to_string()),
        ("the engine's own log", ship.engine_log()),
    ];
    for (where_, text) in seen {
        assert!(!text.contains(SECRET), "{where_}: {text}");
    }
}

#[test]
fn a_failing_command_that_prints_a_secret_ends_without_it() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    live.secret("API_KEY", SECRET);
    live.command("Tell and fail", "echo the key is $API_KEY; exit 1");
    let deployment = live.deploy();
    let failure = deployment.failed("release", "release-command");
    assert_eq!(failure["last_lines"], json!(["the key is [secret]"]));
    assert!(!json!(deployment.events()).to_string().contains(SECRET));
}
