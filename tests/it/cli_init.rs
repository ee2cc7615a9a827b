//! `shipway init` writes what the engine reads, and what it writes deploys.

use serde_json::json;
use shipway_tests::app::Environment;
use shipway_tests::parts;
use shipway_tests::repo::Repo;
use shipway_tests::ship::Ship;

use crate::apps::{on_static_image, quick};

/// The app as it is, but for a `shipway.toml` that `init` wrote.
fn initialised(ship: &Ship, folder: &str) -> Repo {
    let repo = Repo::of(folder);
    let cli = ship.cli().in_folder(repo.path());
    let file = repo.path().join("shipway.toml");
    let _ = std::fs::remove_file(&file);
    let shown = cli.ok(&["init", "--dry-run"]).stdout;
    assert!(!file.exists(), "a dry run writes nothing");
    let ran = cli.ok(&["init"]);
    assert!(ran.stderr.contains("found "), "{ran:?}");
    let written = std::fs::read_to_string(&file).expect("the file");
    assert_eq!(written, shown);
    repo.commit("Begin with Shipway");
    repo
}

fn serves(live: &Environment<'_>, path: &str) {
    let deployment = live.deploy();
    deployment.succeeded();
    let answer = live.get(path);
    assert_eq!(answer.status, 200, "{}", answer.text());
}

#[test]
fn the_example_apps_deploy_with_what_init_writes() {
    let Some(ship) = Ship::start() else { return };
    let repo = initialised(&ship, "examples/apps/guestbook/v1");
    let live = ship
        .app("guestbook", &repo)
        .environment("live", quick("process"));
    let database = ship.state_dir().join("guestbook.sqlite3");
    live.variable("GUESTBOOK_DATABASE", database.to_str().expect("a path"));
    serves(&live, "/version");
    let commands = live.plan(json!({})).ok()["commands"].clone();
    assert_eq!(commands[0]["run"], "python3 manage.py migrate");
    assert_eq!(commands[0]["phase"], "release");

    let repo = initialised(&ship, "examples/apps/scalingo-app/v1");
    let live = ship
        .app("scalingo", &repo)
        .environment("live", quick("process"));
    let markers = ship.state_dir().join("markers.jsonl");
    live.variable("GREETING", "hello")
        .variable("API_KEY", "k-1")
        .variable("MARKERS_FILE", markers.to_str().expect("a path"));
    serves(&live, "/");
    let commands = live.plan(json!({})).ok()["commands"].clone();
    assert_eq!(commands[0]["phase"], "gate");

    let repo = initialised(&ship, "tests/apps/tiny");
    let live = ship
        .app("tiny", &repo)
        .environment("live", quick("process"));
    serves(&live, "/");
}

#[test]
fn an_image_deploys_with_what_init_writes() {
    let Some(()) = parts::image(parts::STATIC_IMAGE) else {
        return;
    };
    let Some(ship) = Ship::start() else { return };
    let repo = initialised(&ship, "tests/apps/tiny-image");
    let live = ship
        .app("tiny", &repo)
        .environment("live", on_static_image());
    serves(&live, "/");
}

#[test]
fn a_file_that_is_there_is_kept() {
    let Some(ship) = Ship::start() else { return };
    let repo = Repo::of("examples/apps/guestbook/v1");
    let cli = ship.cli().in_folder(repo.path());
    let file = repo.path().join("shipway.toml");
    let before = std::fs::read_to_string(&file).expect("the file");
    let refused = cli.run(&["init"]);
    assert_eq!(refused.code, 2, "{refused:?}");
    assert!(refused.stderr.contains("--force"), "{refused:?}");
    assert_eq!(std::fs::read_to_string(&file).expect("the file"), before);
    cli.ok(&["init", "--force"]);
    assert_ne!(std::fs::read_to_string(&file).expect("the file"), before);
    assert_eq!(cli.run(&["init", "no/such/folder"]).code, 2);
}
