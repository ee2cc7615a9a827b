//! Built once and used again: from test to live, and by a mirror app; never
//! with the environment's variables.

use serde_json::json;
use shipway_tests::app::Environment;
use shipway_tests::docker::docker;
use shipway_tests::parts;
use shipway_tests::repo::Repo;
use shipway_tests::ship::Ship;

use crate::apps::{next_version, on_static_image, quick, serves};

#[test]
fn an_image_is_reused_from_test_to_live_and_by_a_mirror_on_docker() {
    let Some(()) = parts::image(parts::STATIC_IMAGE) else {
        return;
    };
    let Some(ship) = Ship::start() else { return };
    reused_for_the_same_commit(&ship, "tests/apps/tiny-image", &on_static_image());
}

#[test]
fn a_release_directory_is_reused_from_test_to_live_and_by_a_mirror() {
    let Some(ship) = Ship::start() else { return };
    let mut settings = quick("process");
    settings["build"] = json!({"command": "echo built; date +%s%N > built-at"});
    reused_for_the_same_commit(&ship, "tests/apps/tiny", &settings);
}

fn reused_for_the_same_commit(ship: &Ship, folder: &str, settings: &serde_json::Value) {
    let repo = Repo::of(folder);
    let app = ship.app("shop", &repo);
    let test = app.environment("test", settings.clone());
    let live = app.environment("live", settings.clone());
    let mirror = ship.app_with(
        "mirror",
        json!({"repository": repo.path(), "mirror_of": app.name}),
    );
    let mirror = mirror.environment("live", settings.clone());

    let first = image_of(&test, json!({}));
    assert_eq!(first["reused"], false);
    for environment in [&live, &mirror] {
        let again = image_of(environment, json!({}));
        assert_eq!(again["reused"], true);
        assert_eq!(again["reference"], first["reference"]);
        serves(environment, "1");
    }

    let fresh = image_of(&live, json!({"build": "fresh"}));
    assert_eq!(fresh["reused"], false, "a fresh build was asked for");

    next_version(&repo, "2");
    let next = image_of(&test, json!({}));
    assert_eq!(next["reused"], false, "another commit");
    serves(&test, "2");
    serves(&live, "1");
    let other =
        test.change(json!({"build": {"command": "echo other", "args": {"COLOUR": "blue"}}}));
    let other = image_of(other, json!({}));
    assert_eq!(other["reused"], false, "other build settings");
}

fn image_of(environment: &Environment<'_>, wish: serde_json::Value) -> serde_json::Value {
    let deployment = environment.trigger(wish).ended();
    deployment.succeeded();
    deployment.output("build")
}

#[test]
fn a_docker_build_sees_no_variable_of_the_environment() {
    let Some(()) = parts::image(parts::STATIC_IMAGE) else {
        return;
    };
    let Some(ship) = Ship::start() else { return };
    let repo = Repo::of("tests/apps/tiny-image");
    let live = ship
        .app("tiny", &repo)
        .environment("live", on_static_image());
    live.variable("PLAIN_VARIABLE", "plain-value")
        .secret("SECRET_VARIABLE", "secret-value");
    let deployment = live.deploy();
    deployment.succeeded();
    let build = deployment.section("docker build");
    assert!(
        build.contains("PATH="),
        "the Dockerfile prints its environment: {build}"
    );
    assert!(
        !build.contains("_VARIABLE") && !build.contains("CONTAINER_VERSION"),
        "{build}"
    );
    let image = deployment.output("build")["reference"]
        .as_str()
        .expect("an image")
        .to_owned();
    let kept = docker(&[
        "run",
        "--rm",
        "--network",
        "none",
        &image,
        "cat",
        "/srv/build-environment",
    ]);
    let kept = kept.expect("what the build saw");
    assert!(
        kept.contains("PATH=") && !kept.contains("_VARIABLE"),
        "{kept}"
    );
}

#[test]
fn the_build_command_of_the_process_runtime_sees_no_variable_of_the_environment() {
    let Some(ship) = Ship::start() else { return };
    let repo = Repo::of("tests/apps/tiny");
    let live = ship
        .app("tiny", &repo)
        .environment("live", quick("process"));
    live.change(json!({"build": {"command": "env | sort"}}));
    live.variable("PLAIN_VARIABLE", "plain-value")
        .secret("SECRET_VARIABLE", "secret-value");
    let deployment = live.deploy();
    deployment.succeeded();
    let build = deployment.section("process build");
    assert!(build.contains("PATH="), "{build}");
    assert!(
        !build.contains("_VARIABLE") && !build.contains("CONTAINER_VERSION"),
        "{build}"
    );
}

#[test]
fn the_dockerignore_file_is_honoured() {
    let Some(()) = parts::image(parts::STATIC_IMAGE) else {
        return;
    };
    let Some(ship) = Ship::start() else { return };
    let repo = Repo::of("tests/apps/tiny-image");
    repo.write(".dockerignore", "site/private*\n!site/private-not\n");
    repo.write("site/private", "do not tell\n")
        .write("site/private-not", "do tell\n");
    repo.commit("Some of it is private");
    let live = ship
        .app("tiny", &repo)
        .environment("live", on_static_image());
    live.deploy().succeeded();
    assert_eq!(live.get("/private").status, 404);
    assert_eq!(live.get("/private-not").text(), "do tell\n");
}
