//! Files that are no plugins, and plugins that misbehave: an error of that
//! plugin, named, and never of the engine.

use serde_json::json;
use shipway_tests::app::Environment;
use shipway_tests::parts;
use shipway_tests::ship::Ship;

use crate::apps::{next_version, said, serves, tiny};

/// An empty component: valid, and without a role.
const NO_ROLE: &[u8] = b"\0asm\x0d\0\x01\0";
/// An empty core module.
const CORE_MODULE: &[u8] = b"\0asm\x01\0\0\0";
/// What the guest carries its first act behind.
const ACT: &[u8] = b"describe-act:honest             ";

/// The component that misbehaves on demand.
pub fn hostile() -> Option<Vec<u8>> {
    parts::guest("hostile")
}

#[test]
fn a_file_that_is_no_plugin_is_refused_with_what_it_is() {
    let Some(guest) = hostile() else { return };
    let Some(ship) = Ship::start() else { return };
    let half = guest.get(..guest.len() / 2).expect("half of it").to_vec();
    let cases: [(&[u8], &str); 5] = [
        (b"#!/bin/sh\necho hello\n", "no WebAssembly"),
        (b"", "no WebAssembly"),
        (CORE_MODULE, "core WebAssembly module and not a component"),
        (&half, "truncated"),
        (NO_ROLE, "exports no"),
    ];
    for (bytes, words) in cases {
        let answer = ship
            .api
            .post_bytes("/v1/plugins", "application/wasm", bytes.to_vec());
        let problem = answer.problem(422, "plugin-rejected");
        assert!(
            problem["detail"]
                .as_str()
                .unwrap_or_default()
                .contains(words),
            "{words:?} in {problem:#}"
        );
        assert!(problem["hint"].is_string(), "{problem:#}");
    }
    assert_eq!(ship.api.get("/v1/plugins").ok()["items"], json!([]));
}

#[test]
fn a_plugin_that_misbehaves_when_it_describes_itself_is_not_installed() {
    let Some(guest) = hostile() else { return };
    let Some(ship) = Ship::start() else { return };
    let cases = [
        ("trap", "trapped"),
        ("loop", "it may"),
        ("grow", "memory"),
        ("bad-name", "name"),
        ("huge", ""),
    ];
    for (act, words) in cases {
        let answer = ship
            .api
            .post_bytes("/v1/plugins", "application/wasm", acting(&guest, act));
        let problem = answer.problem(422, "plugin-rejected");
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert!(detail.contains(words), "{act}: {problem:#}");
        assert!(detail.len() < 1000, "{act}: {problem:#}");
    }
    assert_eq!(ship.api.get("/v1/plugins").ok()["items"], json!([]));
    ship.api.get("/readyz").text();
}

#[test]
fn a_source_that_misbehaves_fails_the_deployment_in_its_own_name() {
    let Some(guest) = hostile() else { return };
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = tiny(&ship);
    live.deploy().succeeded();
    ship.install(guest);
    live.change(json!({"plugins": {"release-sources": ["hostile"]}}));
    for (act, reason, words) in [
        ("trap", "plugin", "trapped"),
        ("loop", "timeout", "it may"),
        ("grow", "plugin", "memory"),
        ("bad-phase", "plugin", "phase"),
        ("nul", "plugin", "NUL"),
        ("many", "plugin", "command"),
        ("exit", "plugin", "it ended itself"),
    ] {
        next_version(&repo, &format!("2 with {act}"));
        fails_in_its_name(&live, act, reason, words);
        serves(&live, "1");
    }
    live.plugin_setting("hostile", "act", "honest");
    repo.write_program("migrate", "#!/bin/sh\necho migrating\n");
    next_version(&repo, "3");
    live.deploy().succeeded();
    serves(&live, "3");
}

fn fails_in_its_name(live: &Environment<'_>, act: &str, reason: &str, words: &str) {
    live.plugin_setting("hostile", "act", act);
    let deployment = live.deploy();
    let failure = deployment.failed("plan", reason);
    assert_eq!(failure["plugin"], "hostile", "{act}: {failure:#}");
    let said = said(&failure);
    assert!(
        said.contains("plugin hostile 1.0.0 (release-source)"),
        "{act}: {failure:#}"
    );
    assert!(said.contains(words), "{act}: {words:?} in {failure:#}");
    assert!(
        deployment.log().contains("plugin hostile 1.0.0"),
        "{act}: {}",
        deployment.log()
    );
}

#[test]
fn a_self_test_that_misbehaves_fails_the_deployment_in_its_own_name() {
    let Some(guest) = hostile() else { return };
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = tiny(&ship);
    live.deploy().succeeded();
    ship.install(guest);
    live.change(json!({"plugins": {"release-sources": [], "self-tests": ["hostile"]}}));
    live.plugin_setting("hostile", "act", "trap");
    next_version(&repo, "2");
    let failure = live.deploy().failed("self-test", "plugin");
    assert!(
        said(&failure).contains("plugin hostile 1.0.0 (self-test) trapped"),
        "{failure:#}"
    );
    serves(&live, "1");
}

#[test]
fn a_notifier_that_misbehaves_changes_nothing() {
    let Some(guest) = hostile() else { return };
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    ship.install(guest);
    live.change(json!({"plugins": {"release-sources": [], "notifiers": ["hostile"]}}));
    live.plugin_setting("hostile", "act", "trap");
    let deployment = live.deploy();
    deployment.succeeded();
    serves(&live, "1");
    shipway_tests::wait::until_true(
        "the log names it",
        std::time::Duration::from_secs(60),
        || deployment.log().contains("[hostile]"),
    );
}

/// The guest with another first act.
fn acting(guest: &[u8], act: &str) -> Vec<u8> {
    let at = guest
        .windows(ACT.len())
        .position(|part| part == ACT)
        .expect("the guest's first act");
    let mut changed = guest.to_vec();
    let text = format!("{:<32}", format!("describe-act:{act}"));
    changed[at..at + ACT.len()].copy_from_slice(text.as_bytes());
    changed
}
