//! The http-check plugin looks at the candidate before anybody else does.

use serde_json::json;
use shipway_tests::ship::Ship;

use crate::apps::{next_version, said, serves, tiny};

#[test]
fn a_candidate_that_passes_is_routed_and_one_that_fails_is_not() {
    let Some(ship) = Ship::start_with_plugins(&["http-check"]) else {
        return;
    };
    let (repo, live) = tiny(&ship);
    live.change(json!({"plugins": {"self-tests": ["http-check"]}}));
    let checks = r#"[{"path": "/", "contains": "version"}, {"path": "/", "header": {"x-version": "1"}, "name": "its version"}]"#;
    live.plugin_setting("http-check", "checks", checks);
    let first = live.deploy();
    first.succeeded();
    assert_eq!(first.output("self-test")["checks"], 2);
    let shown = first.section("self-test");
    assert!(
        shown.contains("its version") && shown.contains("... pass"),
        "{shown}"
    );

    next_version(&repo, "2");
    let second = live.deploy();
    let failure = second.failed("self-test", "self-test");
    assert_eq!(failure["plugin"], "http-check");
    let said = said(&failure);
    assert!(
        said.contains("header `x-version` is `2`, expected `1`"),
        "{failure:#}"
    );
    let reported: Vec<_> = second
        .events()
        .into_iter()
        .filter(|event| event["kind"] == "check.reported")
        .map(|event| {
            event["data"]["outcome"]
                .as_str()
                .unwrap_or_default()
                .to_owned()
        })
        .collect();
    assert_eq!(reported, ["pass", "fail"]);
    serves(&live, "1");
}

#[test]
fn a_plugin_that_is_chosen_and_not_there_says_how_to_get_it() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    live.change(json!({"plugins": {"self-tests": ["http-check"]}}));
    let failure = live.deploy().failed("plan", "plugin");
    assert!(said(&failure).contains("is not installed"), "{failure:#}");
    assert!(said(&failure).contains("shipway plugin add"), "{failure:#}");
}
