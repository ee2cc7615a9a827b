//! Apps and repositories that cannot be deployed: each says what to change, and
//! what served before goes on serving.

use serde_json::json;
use shipway_tests::app::Environment;
use shipway_tests::parts;
use shipway_tests::repo::Repo;
use shipway_tests::ship::Ship;

use crate::apps::{next_version, quick, said, serves, tiny, tiny_image};

/// The failure of a next version, after which version 1 still serves.
#[track_caller]
fn fails_while_the_old_one_serves(
    live: &Environment<'_>,
    step: &str,
    reason: &str,
    words: &[&str],
) {
    let deployment = live.deploy();
    let failure = deployment.failed(step, reason);
    let said = said(&failure);
    for word in words {
        assert!(said.contains(word), "{word:?} in {failure:#}");
    }
    let log = deployment.log();
    for shown in [
        "===== deployment failed =====",
        &format!("failed at: {step} ({reason})"),
        "goes on serving",
    ] {
        assert!(log.contains(shown), "{shown:?} in\n{log}");
    }
    serves(live, "1");
}

#[test]
fn an_app_that_never_opens_its_port() {
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = tiny(&ship);
    live.deploy().succeeded();
    repo.write("behaviour", "never-listen");
    next_version(&repo, "2");
    live.change(json!({"processes": {"web": {"health": {"tries": 10}}}}));
    fails_while_the_old_one_serves(
        &live,
        "start",
        "unhealthy",
        &["10 tries", "PORT", "0.0.0.0", "tiny 2 starts"],
    );
}

#[test]
fn an_app_that_answers_503() {
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = tiny(&ship);
    live.deploy().succeeded();
    repo.write("behaviour", "answer-503");
    next_version(&repo, "2");
    fails_while_the_old_one_serves(&live, "start", "unhealthy", &["503", "answer /"]);
}

#[test]
fn an_app_that_exits_at_once() {
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = tiny(&ship);
    live.deploy().succeeded();
    repo.write("behaviour", "exit-at-once");
    next_version(&repo, "2");
    let words = [
        "exited with code 7",
        "before it was healthy",
        "no configuration: giving up",
    ];
    fails_while_the_old_one_serves(&live, "start", "unhealthy", &words);
}

#[test]
fn on_docker_each_of_them_is_told_apart_and_leaves_nothing_behind() {
    let Some(()) = parts::image(parts::STATIC_IMAGE) else {
        return;
    };
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = tiny_image(&ship);
    live.deploy().succeeded();
    live.change(json!({"processes": {"web": {"health": {"tries": 5}}}}));
    let start_with =
        |command: &str| live.change(json!({"processes": {"web": {"command": command}}}));

    start_with("exec sleep 600");
    fails_while_the_old_one_serves(&live, "start", "unhealthy", &["5 tries", "PORT"]);
    start_with(
        "printf 'HTTP/1.1 503 No\\r\\nContent-Length: 0\\r\\n\\r\\n' > /tmp/no; while true; do nc -l -p 8000 < /tmp/no; done",
    );
    fails_while_the_old_one_serves(&live, "start", "unhealthy", &["503"]);
    start_with("echo no configuration >&2; exit 7");
    fails_while_the_old_one_serves(
        &live,
        "start",
        "unhealthy",
        &["exited with code 7", "no configuration"],
    );
    start_with("no-such-server --port 8000");
    fails_while_the_old_one_serves(&live, "start", "unhealthy", &["127", "no-such-server"]);
    let running = shipway_tests::docker::running_containers_of(&live.app);
    assert_eq!(running.len(), 1);
    let all = shipway_tests::docker::containers_of(&live.app);
    assert_eq!(all.len(), 2, "only the newest that failed is kept: {all:?}");

    repo.remove("Dockerfile");
    next_version(&repo, "2");
    live.change(json!({"processes": {"web": {"command": null}}}));
    fails_while_the_old_one_serves(&live, "build", "build", &["Dockerfile"]);
    repo.write(
        "Dockerfile",
        "ARG BASE_IMAGE\nFROM ${BASE_IMAGE}\nRUN echo trying; echo no such package >&2; exit 42\n",
    );
    next_version(&repo, "3");
    fails_while_the_old_one_serves(&live, "build", "build", &["42"]);
    repo.write("Dockerfile", "FORM scratch\n");
    next_version(&repo, "4");
    fails_while_the_old_one_serves(&live, "build", "build", &["FORM"]);
}

#[test]
fn a_build_command_that_fails_shows_its_output() {
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = tiny(&ship);
    live.deploy().succeeded();
    next_version(&repo, "2");
    live.change(
        json!({"build": {"command": "echo compiling; echo syntax error in line 3 >&2; exit 2"}}),
    );
    let deployment = live.deploy();
    let failure = deployment.failed("build", "build");
    assert!(said(&failure).contains("code 2"), "{failure:#}");
    let build = deployment.section("process build");
    assert!(
        build.contains("compiling") && build.contains("syntax error in line 3"),
        "{build}"
    );
    serves(&live, "1");
}

#[test]
fn no_procfile_and_no_command() {
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = tiny(&ship);
    live.deploy().succeeded();
    repo.remove("Procfile");
    next_version(&repo, "2");
    let deployment = live.deploy();
    let now = deployment.now();
    assert_eq!(now["status"], "failed");
    let said = said(&now["ending"]["failure"]);
    for word in [
        "nothing says how to start the app",
        "Procfile",
        "web: COMMAND",
        "shipway.toml",
    ] {
        assert!(said.contains(word), "{word:?} in {now:#}");
    }
    serves(&live, "1");
}

#[test]
fn a_file_of_settings_with_a_slip_names_the_line() {
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = tiny(&ship);
    live.deploy().succeeded();
    repo.write("shipway.toml", "[build]\ncomand = \"make\"\n");
    next_version(&repo, "2");
    let deployment = live.deploy();
    let said = said(&deployment.now()["ending"]["failure"]);
    assert!(
        said.contains("shipway.toml") && said.contains("line 2") && said.contains("comand"),
        "{said}"
    );
    serves(&live, "1");
}

#[test]
fn a_reference_that_is_not_there() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    live.deploy().succeeded();
    for reference in ["no-such-branch", "0123456789012345678901234567890123456789"] {
        let failure = live
            .deploy_reference(reference)
            .failed("checkout", "checkout");
        let said = said(&failure);
        assert!(
            said.contains(reference) && said.contains("push it first"),
            "{failure:#}"
        );
    }
    serves(&live, "1");
}

#[test]
fn tags_branches_and_commits_are_all_references() {
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = tiny(&ship);
    let first = repo.git(&["rev-parse", "HEAD"]);
    repo.git(&["tag", "-a", "v1.0", "-m", "One"]);
    next_version(&repo, "2");
    repo.git(&["branch", "feature/two"]);
    next_version(&repo, "3");
    for (reference, version) in [
        ("v1.0", "1"),
        ("feature/two", "2"),
        ("main", "3"),
        (first.as_str(), "1"),
    ] {
        live.deploy_reference(reference).succeeded();
        serves(&live, version);
    }
}

#[test]
fn a_repository_that_is_not_there() {
    let Some(ship) = Ship::start() else { return };
    let repo = Repo::of("tests/apps/tiny");
    let live = ship
        .app("tiny", &repo)
        .environment("live", quick("process"));
    live.deploy().succeeded();
    let gone = ship.state_dir().join("no-such-repository");
    ship.api
        .patch(
            &format!("/v1/apps/{}", live.app),
            &json!({"repository": gone}),
        )
        .ok();
    let failure = live.deploy().failed("checkout", "checkout");
    assert!(said(&failure).contains("no-such-repository"), "{failure:#}");
    assert!(failure["hint"].is_string(), "{failure:#}");

    let nobody = shipway_tests::ship::free_address();
    let url = format!("http://{nobody}/shop.git");
    ship.api
        .patch(
            &format!("/v1/apps/{}", live.app),
            &json!({"repository": url}),
        )
        .ok();
    let failure = live.deploy().failed("checkout", "checkout");
    assert!(said(&failure).contains("did not answer"), "{failure:#}");
    serves(&live, "1");
}

#[test]
fn two_sources_that_both_speak_are_an_error_until_one_is_chosen() {
    let Some(honest) = crate::bad_plugins::hostile() else {
        return;
    };
    let Some(ship) = Ship::start_with_plugins(&["procfile"]) else {
        return;
    };
    ship.install(honest);
    let (repo, live) = tiny(&ship);
    live.deploy().succeeded();
    repo.write(
        "Procfile",
        "web: exec python3 serve.py\nrelease: echo releasing\n",
    );
    next_version(&repo, "2");
    live.plugin_setting("hostile", "act", "honest");
    let failure = live.deploy().failed("plan", "plugin");
    let said = said(&failure);
    assert!(
        said.contains("procfile") && said.contains("hostile") && said.contains("choose"),
        "{failure:#}"
    );
    live.change(json!({"plugins": {"release-sources": ["procfile"]}}));
    live.deploy().succeeded();
    serves(&live, "2");
}
