//! Back to an earlier deployment, and on from one environment to another: the
//! very same image, and nothing run that nobody asked for.

use serde_json::{Value, json};
use shipway_tests::app::Environment;
use shipway_tests::deployment::Deployment;
use shipway_tests::parts;
use shipway_tests::repo::Repo;
use shipway_tests::ship::Ship;

use crate::apps::{next_version, on_static_image, quick, serves, tiny};

#[test]
fn a_rollback_brings_the_earlier_image_and_plan_back() {
    let Some(ship) = Ship::start() else { return };
    goes_back(&ship, "tests/apps/tiny", &quick("process"));
}

#[test]
fn a_rollback_brings_the_earlier_image_and_plan_back_on_docker() {
    let Some(()) = parts::image(parts::STATIC_IMAGE) else {
        return;
    };
    let Some(ship) = Ship::start() else { return };
    goes_back(&ship, "tests/apps/tiny-image", &on_static_image());
}

fn goes_back(ship: &Ship, folder: &str, settings: &Value) {
    let repo = Repo::of(folder);
    let app = ship.app("tiny", &repo);
    let live = app.environment("live", settings.clone());
    live.command("Migrate", "echo migrated");
    let first = live.deploy();
    first.succeeded();
    next_version(&repo, "2");
    let second = live.deploy();
    second.succeeded();
    next_version(&repo, "3");
    let third = live.deploy();
    third.succeeded();
    // The plan is the one that was frozen, not what the settings say now.
    live.command("Added later", "echo later");

    let back = go_back(ship, &live, json!({}));
    serves(&live, "2");
    assert_eq!(back.now()["subject"]["to"], second.id.as_str());
    let (image, earlier) = (back.output("build"), second.output("build"));
    assert_eq!(image["reference"], earlier["reference"]);
    assert_eq!(image["reused"], true);
    assert_eq!(back.commands_finished(), Vec::<String>::new());
    assert_eq!(back.plan()["skipped"][0]["what"], "Migrate");

    // Once more: not to where it came from, but further back.
    let further = go_back(ship, &live, json!({"release_commands": "run"}));
    serves(&live, "1");
    assert_eq!(further.now()["subject"]["to"], first.id.as_str());
    assert_eq!(further.commands_finished(), ["Migrate"]);

    let nothing = ship.api.post(&live.path("/rollback"), &json!({}));
    nothing.problem(409, "nothing-to-deploy");
    let chosen = go_back(ship, &live, json!({"to": third.id}));
    serves(&live, "3");
    assert_eq!(chosen.now()["commit"], third.now()["commit"]);
}

#[test]
fn a_rollback_goes_only_to_what_was_there() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    let rollback = |body: Value| ship.api.post(&live.path("/rollback"), &body);
    rollback(json!({})).problem(409, "nothing-to-deploy");
    live.command("Break", "exit 3");
    let broken = live.trigger(json!({})).ended();
    broken.failed("release", "release-command");
    rollback(json!({"to": broken.id})).problem(409, "nothing-to-deploy");
    let unknown = "01a202d5-c559-7143-be03-9938111e928e";
    rollback(json!({"to": unknown})).problem(404, "not-found");
}

#[test]
fn a_promotion_takes_what_serves_with_its_image() {
    let Some(ship) = Ship::start() else { return };
    let repo = Repo::of("tests/apps/tiny");
    let app = ship.app("tiny", &repo);
    let test = app.environment("test", quick("process"));
    // Other build settings would make another image of the same commit.
    let mut settings = quick("process");
    settings["build"] = json!({"command": "touch other"});
    let live = app.environment("live", settings);
    live.command("Migrate", "true");
    let promote = |from: &str| {
        ship.api
            .post(&live.path("/promote"), &json!({"from": from}))
    };
    promote("test").problem(409, "nothing-to-deploy");
    promote("live").problem(409, "nothing-to-deploy");
    promote("staging").problem(404, "not-found");

    let first = test.deploy();
    first.succeeded();
    next_version(&repo, "2");
    let accepted = promote("test").json();
    let id = accepted["id"].as_str().expect("an id").to_owned();
    let promoted = Deployment::new(&ship, id).ended();
    promoted.succeeded();
    serves(&live, "1");
    let (image, tested) = (promoted.output("build"), first.output("build"));
    assert_eq!(image["reference"], tested["reference"]);
    assert_eq!(promoted.commands_finished(), ["Migrate"]);
}

fn go_back<'a>(ship: &'a Ship, live: &Environment<'_>, body: Value) -> Deployment<'a> {
    let accepted = ship.api.post(&live.path("/rollback"), &body).json();
    let id = accepted["id"].as_str().expect("an id").to_owned();
    let back = Deployment::new(ship, id).ended();
    back.succeeded();
    back
}
