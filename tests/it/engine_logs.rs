//! What the engine and the proxy write themselves.

use serde_json::Value;
use shipway_tests::ship::Ship;

use crate::apps::{serves, tiny};

fn lines(text: &str) -> Vec<Value> {
    let lines = text.lines().filter(|line| line.starts_with('{'));
    lines
        .map(|line| serde_json::from_str(line).expect("a line of JSON"))
        .collect()
}

#[test]
fn both_planes_write_json_with_the_ids_of_requests_and_no_secret() {
    let arguments = [
        "--log-format",
        "json",
        "--log-level",
        "info,shipway_api=debug",
    ];
    let Some(ship) = Ship::start_with_arguments(&arguments) else {
        return;
    };
    let (_repo, live) = tiny(&ship);
    live.secret("PASSWORD", "hunter2-in-no-log");
    let deployment = live.deploy();
    deployment.succeeded();
    serves(&live, "1");
    let request = ship
        .api
        .request(reqwest::Method::GET, "/v1/apps?secret=in-the-query");
    ship.api
        .send(request.header("x-request-id", "mine-4711"))
        .ok();

    let text = ship.engine_log();
    let all = lines(&text);
    let ended = all
        .iter()
        .find(|line| line["message"] == "deployment ended");
    let ended = ended.unwrap_or_else(|| panic!("{text}"));
    assert_eq!(ended["deployment"], deployment.id);
    assert_eq!(ended["level"], "INFO");
    assert!(ended["timestamp"].is_string());
    let answered = all.iter().find(|line| line["span"]["id"] == "mine-4711");
    let answered = answered.unwrap_or_else(|| panic!("{text}"));
    assert_eq!(answered["status"], 200);
    assert_eq!(answered["span"]["http.route"], "/v1/apps");
    for secret in ["hunter2", &ship.token[..], "in-the-query"] {
        let told = text.lines().filter(|line| line.starts_with('{'));
        assert!(
            !told.clone().any(|line| line.contains(secret)),
            "{secret} in {text}"
        );
    }
    let of_proxy = std::fs::read_to_string(ship.state_dir().join("proxy.log")).expect("its log");
    let ready = lines(&of_proxy);
    assert!(
        ready
            .iter()
            .any(|line| line["message"] == "the proxy is ready"),
        "{of_proxy}"
    );
}

#[test]
fn people_read_lines_without_what_is_for_machines() {
    let arguments = ["--log-level", "info,shipway_api=debug"];
    let Some(ship) = Ship::start_with_arguments(&arguments) else {
        return;
    };
    let request = ship.api.request(reqwest::Method::GET, "/v1/apps");
    ship.api
        .send(request.header("x-request-id", "mine-4712"))
        .ok();
    let text = ship.engine_log();
    let line = text.lines().find(|line| line.contains("mine-4712"));
    let line = line.unwrap_or_else(|| panic!("{text}"));
    assert!(line.contains("answered status=200"), "{line}");
    assert!(!line.contains("otel."), "{line}");
}

#[test]
fn a_level_that_is_none_is_refused_with_what_would_be_one() {
    let Some(ship) = Ship::start() else { return };
    let ran = ship.cli().run(&["serve", "--log-level", "shipway=loud"]);
    assert_ne!(ran.code, 0);
    assert!(
        ran.stderr.contains("info,shipway_executor=debug"),
        "{ran:#?}"
    );
}
