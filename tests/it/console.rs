//! The console in a real browser, as a person uses it.

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use shipway_tests::app::Environment;
use shipway_tests::browser::{Browser, Screen, Theme};
use shipway_tests::deployment::Deployment;
use shipway_tests::repo::Repo;
use shipway_tests::ship::Ship;
use shipway_tests::wait::until_true;

use crate::apps::{next_version, serves, tiny};

const ENTER: char = '\u{e007}';
const PATIENCE: Duration = Duration::from_secs(60);

/// A browser in which somebody signed in as a person does.
pub fn signed_in(ship: &Ship) -> Option<Browser> {
    let browser = Browser::start(&format!("http://{}", ship.api_address()))?;
    browser.open("/");
    browser.wait_until_at("/sign-in");
    browser.write("#token", &ship.token);
    browser.click("form button");
    browser.wait_for("header form.out");
    Some(browser)
}

/// The path of a page of an environment.
pub fn page(environment: &Environment<'_>, rest: &str) -> String {
    let Environment { app, name, .. } = environment;
    format!("/apps/{app}/environments/{name}{rest}")
}

/// A release command that says something and waits for a file.
fn waits_for(environment: &Environment<'_>, file: &Path) {
    let run = format!(
        "echo it waits; while [ ! -e {} ]; do sleep 0.1; done; echo it goes on",
        file.display()
    );
    environment.command("Wait", &run);
}

/// From the environment's page to the page of a deployment that runs.
fn deploy(browser: &Browser, live: &Environment<'_>) -> String {
    browser.open(&page(live, ""));
    browser.click_words("Deploy");
    browser.wait_for("form.question");
    browser.click_words("Deploy");
    browser.wait_until_at("/deployments/");
    browser.place()
}

#[test]
fn a_deployment_is_triggered_and_watched_to_its_end() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    let file = ship.state_dir().join("go-on");
    waits_for(&live, &file);
    let Some(browser) = signed_in(&ship) else {
        return;
    };
    assert!(browser.text("main").contains(&live.app));
    browser.open(&page(&live, "/deploy"));
    let asked = browser.text("main");
    assert!(
        asked.contains("main is at commit") && asked.contains("Wait"),
        "{asked}"
    );
    assert!(
        asked.contains("Nothing serves this environment yet"),
        "{asked}"
    );

    deploy(&browser, &live);
    // It is gone if the page is ever loaded again.
    browser.run("window.theSamePage = true; return 1");
    browser.wait_until_says("#log", "it waits");
    browser.wait_until_says("#facts .badge", "running (release)");
    browser.wait_until_says("#said", "running: release");
    std::fs::write(&file, "").expect("a file");
    browser.wait_until_says("#log", "it goes on");
    browser.wait_until_says("#facts .badge", "succeeded");
    browser.wait_until_says("#facts", "serving");
    browser.wait_until_says("#more", "Wait");
    assert_eq!(browser.run("return window.theSamePage"), true);
    let said = browser.run(
        "return [...document.querySelectorAll('#log div')] \
           .filter((line) => line.textContent === 'it waits').length",
    );
    assert_eq!(said, 1, "{}", browser.text("#log"));
    assert_eq!(browser.complaints(), [] as [&str; 0]);
    serves(&live, "1");
}

#[test]
fn a_deployment_is_cancelled_and_another_rolled_back() {
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = tiny(&ship);
    live.deploy().succeeded();
    next_version(&repo, "2");
    live.deploy().succeeded();
    serves(&live, "2");
    let Some(browser) = signed_in(&ship) else {
        return;
    };
    browser.open(&page(&live, ""));
    browser.click_words("Roll back");
    browser.wait_for("form.question");
    let asked = browser.text("main");
    assert!(
        asked.contains("Version 1") && asked.contains("goes on serving"),
        "{asked}"
    );
    browser.click_words("Roll back");
    browser.wait_until_at("/deployments/");
    browser.wait_until_says("#facts .badge", "succeeded");
    serves(&live, "1");

    waits_for(&live, &ship.state_dir().join("never"));
    deploy(&browser, &live);
    browser.wait_until_says("#log", "it waits");
    browser.click("#cancel");
    browser.wait_for("form.question");
    assert!(browser.text("main").contains("Its step release is stopped"));
    browser.click_words("Cancel the deployment");
    browser.wait_until_at("/deployments/");
    browser.wait_until_says("#facts .badge", "cancelled");
    serves(&live, "1");
}

#[test]
fn an_app_is_made_deployed_and_deleted_without_the_command_line() {
    let Some(ship) = Ship::start() else { return };
    let repo = Repo::of("tests/apps/tiny");
    let Some(browser) = signed_in(&ship) else {
        return;
    };
    browser.click_words("New app");
    browser.wait_until_at("/new-app");
    browser.write("#name", "Shop!");
    browser.write("#repository", &repo.path().display().to_string());
    browser.click_words("Make it");
    browser.wait_until_says("[role=alert]", "is no app name");
    browser.run("document.querySelector('#name').value = 'shop'; return 1");
    browser.click_words("Make it");
    browser.wait_until_says("#told", "Made.");

    browser.click_words("New environment");
    browser.wait_until_at("/apps/shop/new-environment");
    browser.write("#name", "live");
    browser.write("#services", "database");
    browser.click_words("Make it");
    browser.wait_until_says("[role=alert]", "database $DATABASE_URL 10");
    browser.run("document.querySelector('#services').value = ''; return 1");
    browser.write("#drain", "5");
    browser.click_words("Make it");
    browser.wait_until_at("/apps/shop/environments/live");
    let live = "/v1/apps/shop/environments/live";
    let made = ship.api.get(live).ok();
    assert_eq!(made["drain_seconds"], 5);
    assert_eq!(made["domains"], json!(["live.shop.localhost"]));

    browser.click_words("Settings");
    browser.wait_until_at("/apps/shop/environments/live/settings");
    browser.write("#volumes", "uploads /app/media\n");
    browser.write("#memory", "256");
    browser.click_words("Save");
    browser.wait_until_says("#told", "next deployment");
    let changed = ship.api.get(live).ok();
    let volumes = json!([{"name": "uploads", "path": "/app/media"}]);
    assert_eq!(changed["volumes"], volumes);
    assert_eq!(changed["limits"]["memory_mib"], 256);
    assert_eq!(changed["domains"], made["domains"], "what was there stays");

    let deployment = ship.api.post(&format!("{live}/deployments"), &json!({}));
    let id = deployment.ok()["id"].as_str().expect("an id").to_owned();
    Deployment::new(&ship, id).ended().succeeded();
    browser.open("/apps/shop/settings");
    browser.click_words("Delete this app");
    browser.wait_until_at("/apps/shop/delete");
    browser.click_words("Delete it");
    browser.wait_until_says("#told", "Deleted.");
    ship.api.get("/v1/apps/shop").problem(404, "not-found");
}

#[test]
fn tokens_and_webhooks_are_made_and_shown_once() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    let Some(browser) = signed_in(&ship) else {
        return;
    };
    browser.click("nav.places a[href='/tokens']");
    browser.wait_until_at("/tokens");
    browser.write("#name", "ci of the shop");
    browser.write("#apps", "nowhere");
    browser.write("#days", "30");
    browser.click_words("Make it");
    browser.wait_until_says("[role=alert]", "there is no app nowhere");
    let write = format!(
        "document.querySelector('#apps').value = '{}'; return 1",
        live.app
    );
    browser.run(&write);
    browser.click_words("Make it");
    browser.wait_for("#made-token");
    let token = browser.text("#made-token");
    let theirs = ship.api.with_token(Some(&token));
    let own = theirs.get("/v1/token").ok();
    assert_eq!(
        (&own["scope"], &own["apps"][0]),
        (&json!("deploy"), &json!(live.app))
    );
    assert!(own["expires_at"].is_string(), "{own}");
    browser.click_words("I have it");
    browser.wait_until_says("main", "ci of the shop");
    assert!(!browser.text("main").contains(&token));
    browser.open("/tokens/delete?name=ci+of+the+shop");
    browser.click_words("Delete it");
    browser.wait_until_says("#told", "Deleted.");
    theirs.get("/v1/token").problem(401, "unauthorized");

    browser.open(&format!("/apps/{}", live.app));
    browser.click_words("Webhooks");
    browser.wait_until_says("main", "No webhooks yet");
    browser.write("#branches", "main=nowhere");
    browser.click_words("Make it");
    browser.wait_until_says("[role=alert]", "has no environment nowhere");
    browser.run("document.querySelector('#branches').value = 'main=live'; return 1");
    browser.click_words("Make it");
    browser.wait_for("#made-secret");
    let (address, secret) = (browser.text("#made-address"), browser.text("#made-secret"));
    let server = format!("http://{}/v1/webhooks/", ship.api_address());
    assert!(address.starts_with(&server), "{address}");
    let list = format!("/v1/apps/{}/webhooks", live.app);
    let made = ship.api.get(&list).ok()["items"][0].clone();
    assert!(address.ends_with(made["path"].as_str().expect("a path")));
    browser.click_words("I have them");
    browser.wait_until_says("main", "branch main to live");
    assert!(!browser.text("main").contains(&secret));
    browser.click_words("Remove");
    browser.wait_for("form.question");
    browser.click_words("Remove it");
    browser.wait_until_says("#told", "Removed.");
    assert_eq!(ship.api.get(&list).ok()["items"], json!([]));

    let audited = ship.api.get("/v1/audit?limit=100").ok();
    let acts = audited["items"].as_array().expect("records").iter();
    let subjects: Vec<&str> = acts.filter_map(|act| act["subject"].as_str()).collect();
    assert!(subjects.contains(&"/tokens/ci of the shop"), "{subjects:?}");
    let text = audited.to_string();
    assert!(!text.contains(&token) && !text.contains(&secret), "{text}");
}

#[test]
fn release_commands_are_put_in_order_by_key_button_and_mouse() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    let Some(browser) = signed_in(&ship) else {
        return;
    };
    let path = page(&live, "/release-commands");
    for label in ["one", "two", "three"] {
        browser.open(&format!("{path}/new"));
        browser.write("#label", label);
        browser.write("#run", &format!("echo {label}"));
        browser.click_words("Add");
        browser.wait_until_says("#told", "Added.");
    }
    let order = || {
        let listed = ship.api.get(&live.path("/release-commands")).ok();
        let items = listed["items"].as_array().expect("a list").clone();
        let labels = items.iter().filter_map(|item| item["label"].as_str());
        labels.map(str::to_owned).collect::<Vec<_>>()
    };
    // By keyboard: the focus goes with what is moved.
    browser.run("document.querySelector('[aria-label=\"Move three up\"]').focus(); return 1");
    browser.press(ENTER);
    browser.wait_until_says("#told", "Moved to place 2.");
    assert_eq!(order(), ["one", "three", "two"]);
    assert_eq!(browser.focus(), "Move three up");
    browser.press(ENTER);
    browser.wait_until_says("#told", "Moved to place 1.");
    assert_eq!(order(), ["three", "one", "two"]);
    assert_eq!(browser.focus(), "Move three down");
    // By button.
    browser.click("[aria-label='Move one down']");
    browser.wait_until_says("#told", "Moved to place 3.");
    assert_eq!(order(), ["three", "two", "one"]);
    // By mouse, from the last place to the first, once the script is there.
    browser.wait_for("ol.ordered > li[draggable='true']:nth-child(3)");
    browser.look(Screen::Desktop, Theme::Light);
    browser.run("scrollTo(0, 0); return 1");
    browser.drag(
        "ol.ordered > li:nth-child(3)",
        "ol.ordered > li:nth-child(1)",
    );
    until_true("it was dropped in the first place", PATIENCE, || {
        order() == ["one", "three", "two"]
    });
    browser.wait_until_says("#told", "Moved to place 1.");
    assert_eq!(browser.complaints(), [] as [&str; 0]);
}

#[test]
fn a_secret_is_set_and_nowhere_in_any_page() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    live.command("Print it", "echo key=$API_KEY");
    let Some(browser) = signed_in(&ship) else {
        return;
    };
    let variables = page(&live, "/variables");
    browser.open(&variables);
    browser.write("#name", "API_KEY");
    browser.write("#value", "hunter2-xyzzy");
    browser.click("#secret");
    browser.click_words("Set");
    browser.wait_until_says("#told", "Set.");
    let deployment = deploy(&browser, &live);
    browser.wait_until_says("#facts .badge", "succeeded");
    browser.wait_until_says("#log", "key=[secret]");
    assert_eq!(live.get("/env").json()["API_KEY"], "hunter2-xyzzy");
    let change = format!("{variables}?name=API_KEY");
    for path in [
        &deployment,
        &variables,
        &change,
        &page(&live, ""),
        &page(&live, "/deploy"),
    ] {
        browser.open(path);
        assert!(!browser.source().contains("xyzzy"), "{path}");
    }
}

#[test]
fn everything_works_without_scripts() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    live.command("one", "true").command("two", "echo two runs");
    let Some(browser) = signed_in(&ship) else {
        return;
    };
    browser.without_scripts();
    browser.open(&page(&live, "/release-commands"));
    browser.click("[aria-label='Move two up']");
    browser.wait_for("[aria-label='Move two up']:disabled");
    let deployment = deploy(&browser, &live);
    until_true("the page says that it succeeded", PATIENCE, || {
        browser.open(&deployment);
        browser.source().contains("badge succeeded")
    });
    assert!(browser.source().contains("two runs"));
    browser.click("form.out button");
    browser.wait_until_at("/sign-in");
    browser.open("/");
    browser.wait_until_at("/sign-in");
}
