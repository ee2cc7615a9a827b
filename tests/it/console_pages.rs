//! Every page of the console on a desktop and a phone, in light and dark: it
//! fits, axe finds nothing wrong with it, it loads nothing from elsewhere, and
//! a picture of it lies below `target/screenshots`.

use serde_json::json;
use shipway_tests::app::Environment;
use shipway_tests::browser::{Browser, Screen, Theme};
use shipway_tests::ship::Ship;

use crate::apps::{next_version, quick, tiny};
use crate::console::{page, signed_in};

const LOOKS: [(Screen, Theme, &str); 4] = [
    (Screen::Desktop, Theme::Light, "desktop-light"),
    (Screen::Desktop, Theme::Dark, "desktop-dark"),
    (Screen::Phone, Theme::Light, "phone-light"),
    (Screen::Phone, Theme::Dark, "phone-dark"),
];

/// An app with a past: successes, a failure, commands of every kind, settings.
fn story<'a>(ship: &'a Ship, live: &Environment<'a>, repo: &shipway_tests::repo::Repo) -> String {
    live.variable("GREETING", "hello there")
        .secret("API_KEY", "hunter2-xyzzy");
    live.command(
        "Migrate the database",
        "echo applying 0042_add_comments; echo done",
    );
    live.command_with(
        json!({"label": "Warm the cache", "run": ["echo", "warm", "everything"],
        "phase": "gate", "timeout_seconds": 90, "undo": "echo cold again"}),
    );
    live.change(json!({"plugins": {"self-tests": ["http-check"], "release-sources": []}}));
    live.plugin_setting("http-check", "paths", "/");
    let rules = json!([{"on": "branch", "pattern": "main", "environment": "live"},
        {"on": "tag", "pattern": "v*", "environment": "live"}]);
    let webhook = json!({"provider": "github", "rules": rules});
    ship.api
        .post(&format!("/v1/apps/{}/webhooks", live.app), &webhook)
        .ok();
    live.deploy().succeeded();
    next_version(repo, "2");
    live.command("Fail", "echo no such table: guests >&2; exit 3");
    let failed = live.deploy();
    failed.failed("release", "release-command");
    ship.api.delete(&live.path("/release-commands/Fail")).ok();
    live.deploy().succeeded();
    failed.id
}

fn pages(live: &Environment<'_>, failed: &str) -> Vec<(&'static str, String)> {
    let newest = live.serving().expect("something serves");
    let at = |rest: &str| page(live, rest);
    vec![
        ("apps", "/".to_owned()),
        ("app", format!("/apps/{}", live.app)),
        ("environment", at("")),
        ("release-commands", at("/release-commands")),
        (
            "release-command",
            at("/release-commands/edit?label=Warm+the+cache"),
        ),
        (
            "release-command-remove",
            at("/release-commands/remove?label=Warm+the+cache"),
        ),
        ("variables", at("/variables?name=GREETING")),
        ("environment-plugins", at("/plugins")),
        ("environment-settings", at("/settings")),
        ("environment-delete", at("/delete")),
        (
            "environment-new",
            format!("/apps/{}/new-environment", live.app),
        ),
        ("app-new", "/new-app".to_owned()),
        ("app-settings", format!("/apps/{}/settings", live.app)),
        ("webhooks", format!("/apps/{}/webhooks", live.app)),
        ("tokens", "/tokens".to_owned()),
        ("token-delete", "/tokens/delete?name=first".to_owned()),
        ("deploy", at("/deploy")),
        ("rollback", at("/rollback")),
        ("promote", at("/promote?from=test")),
        ("deployment", format!("/deployments/{newest}")),
        ("deployment-failed", format!("/deployments/{failed}")),
        ("deployments", "/deployments".to_owned()),
        ("plugins", "/plugins".to_owned()),
        ("plugin", "/plugins/http-check".to_owned()),
        ("reference", "/docs".to_owned()),
        ("reference-apps", "/docs/apps".to_owned()),
        ("reference-deployments", "/docs/deployments".to_owned()),
    ]
}

fn look_at(browser: &Browser, name: &str, path: &str) -> Option<()> {
    for (screen, theme, look) in LOOKS {
        browser.look(screen, theme);
        browser.open(path);
        browser.run(
            "document.querySelectorAll('details').forEach((d) => { d.open = true }); return 1",
        );
        assert_eq!(
            browser.overflowing(),
            json!([]),
            "{path} is too wide ({look})"
        );
        assert_eq!(
            browser.strangers(),
            json!([]),
            "{path} loads from elsewhere"
        );
        assert_eq!(browser.axe()?, [] as [&str; 0], "{path} ({look})");
        browser.screenshot(&format!("{name}-{look}"));
    }
    Some(())
}

#[test]
fn every_page_fits_and_is_for_everybody() {
    let Some(ship) = Ship::start_with_plugins(&["http-check", "procfile", "webhook"]) else {
        return;
    };
    let (repo, live) = tiny(&ship);
    let test = ship.api.post(
        &format!("/v1/apps/{}/environments", live.app),
        &json!({"name": "test", "processes": quick("process")["processes"], "plugins": {"release-sources": []}}),
    );
    test.ok();
    let failed = story(&ship, &live, &repo);
    let on_test = ship.api.post(
        &format!("/v1/apps/{}/environments/test/deployments", live.app),
        &json!({}),
    );
    let id = on_test.ok()["id"].as_str().expect("an id").to_owned();
    shipway_tests::deployment::Deployment::new(&ship, id)
        .ended()
        .succeeded();
    let Some(browser) = signed_in(&ship) else {
        return;
    };
    for (name, path) in pages(&live, &failed) {
        if look_at(&browser, name, &path).is_none() {
            return;
        }
        assert_eq!(browser.complaints(), [] as [&str; 0], "{path}");
    }
    look_at(&browser, "not-found", "/nowhere");
    browser.click("form.out button");
    browser.wait_until_at("/sign-in");
    look_at(&browser, "sign-in", "/sign-in");
}

#[test]
fn a_page_with_everything_is_small() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    live.command(
        "Talk",
        "i=0; while [ $i -lt 3000 ]; do echo line $i of a log that says a lot; i=$((i+1)); done",
    );
    let deployment = live.deploy();
    deployment.succeeded();
    let Some(browser) = signed_in(&ship) else {
        return;
    };
    browser.open(&format!("/deployments/{}", deployment.id));
    browser.wait_until_says("#log", "line 2999 of");
    let bytes = browser.run(
        "return performance.getEntriesByType('resource').concat(performance.getEntriesByType('navigation')) \
           .reduce((sum, e) => sum + e.decodedBodySize, 0)",
    );
    let bytes = bytes.as_f64().expect("a number");
    assert!((20_000.0..100_000.0).contains(&bytes), "{bytes} bytes");
}
