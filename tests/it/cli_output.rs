//! What people see: listings and errors, as they were last agreed upon. The
//! help of each verb is snapshotted beside the verbs.

use serde_json::json;
use shipway_tests::cli::Cli;
use shipway_tests::ship::Ship;

use crate::apps::tiny;

/// What differs from run to run, by its kind.
fn settings(ship: &Ship) -> insta::Settings {
    let mut settings = insta::Settings::clone_current();
    settings.set_prepend_module_to_snapshot(false);
    let tail = ship.unique("x");
    let tail = tail.trim_start_matches('x').to_owned();
    for (pattern, name) in [
        (
            r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}",
            "[deployment]",
        ),
        (r"-[0-9a-f]{32}\b", "-[instance]"),
        (r"\b[0-9a-f]{40}\b", "[commit]"),
        (r"\b[0-9a-f]{7,12}\b", "[short]"),
        (r"\d+ (s|min) ago", "[ago]"),
        (r"\d+(\.\d)? m?s\b", "[time]"),
        (r"/\S*/\.?tmp\S*|/tmp/\S+", "[folder]"),
        (r"127\.0\.0\.1:\d+", "[address]"),
        (r"shipway_[0-9A-Za-z]+", "[token]"),
    ] {
        settings.add_filter(pattern, name);
    }
    settings.add_filter(&tail, "-XXXXX");
    // Columns are as wide as what stood in them before.
    settings.add_filter(r" {2,}", "  ");
    settings
}

fn shown(cli: &Cli, arguments: &[&str]) -> String {
    let ran = cli.run(arguments);
    format!("exit code {}\n{}{}", ran.code, ran.stdout, ran.stderr)
}

#[test]
fn listings_are_as_they_were() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    let (cli, key, app) = (ship.cli(), live.key(), live.app.clone());
    live.variable("GREETING", "hello").secret("API_KEY", "k-1");
    live.command_with(json!({"label": "Migrate", "run": "true", "timeout_seconds": 90}));
    live.deploy().succeeded();
    live.command("Break", "echo no such table; exit 3");
    live.deploy();
    settings(&ship).bind(|| {
        for (name, arguments) in [
            ("listing-apps", vec!["app", "list"]),
            ("listing-app", vec!["app", "show", &app]),
            ("listing-environments", vec!["env", "list", &app]),
            ("listing-environment", vec!["env", "show", &key]),
            ("listing-variables", vec!["var", "list", &key]),
            ("listing-release-commands", vec!["release", "list", &key]),
            ("listing-plan", vec!["plan", &key]),
            ("listing-status", vec!["status", &key]),
            ("listing-history", vec!["history", &key]),
            ("listing-tokens", vec!["token", "list"]),
            ("listing-plugins", vec!["plugin", "list"]),
        ] {
            insta::assert_snapshot!(name, shown(&cli, &arguments));
        }
    });
}

#[test]
fn errors_have_a_heading_a_cause_a_hint_and_an_exit_code() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    let cli = ship.cli();
    let reader = ship
        .api
        .post("/v1/tokens", &json!({"name": "reader", "scope": "read"}));
    let reader = reader.ok()["token"].as_str().expect("a token").to_owned();
    let key = live.key();
    settings(&ship).bind(|| {
        for (name, arguments) in [
            ("error-no-app", vec!["app", "show", "nothing"]),
            ("error-no-environment", vec!["deploy", "nothing/live"]),
            ("error-no-deployment", vec!["logs", &key]),
            ("error-no-place", vec!["deploy", "no-slash"]),
            ("error-no-verb", vec!["deplyo"]),
            (
                "error-bad-setting",
                vec!["env", "set", &key, "--domain", "no domain"],
            ),
            ("error-nothing-to-set", vec!["env", "set", &key]),
            ("error-taken", vec!["env", "create", &key]),
            ("error-nobody-says-yes", vec!["app", "delete", &live.app]),
            ("error-no-file", vec!["plugin", "add", "no-such-file.wasm"]),
            ("error-no-plugin", vec!["plugin", "show", "nothing"]),
            ("error-no-rollback", vec!["rollback", &key]),
            (
                "error-no-context",
                vec!["app", "list", "--context", "nowhere"],
            ),
            ("error-no-url", vec!["app", "list", "--server", "nowhere"]),
            (
                "error-no-token",
                vec!["app", "list", "--server", "https://deploy.example.com"],
            ),
        ] {
            insta::assert_snapshot!(name, shown(&cli, &arguments));
        }
        let reading = cli.with_variable("SHIPWAY_TOKEN", &reader);
        insta::assert_snapshot!("error-forbidden", shown(&reading, &["deploy", &key]));
        let wrong = cli.with_variable("SHIPWAY_TOKEN", "shipway_wrong");
        insta::assert_snapshot!("error-wrong-token", shown(&wrong, &["app", "list"]));
        ship.kill_serve();
        insta::assert_snapshot!("error-unreachable", shown(&cli, &["app", "list"]));
        ship.serve();
    });
}
