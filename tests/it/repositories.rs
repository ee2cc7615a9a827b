//! Git repositories as people have them: empty ones, links, submodules, odd
//! names, rewritten history.

use std::os::unix::fs::symlink;

use shipway_tests::repo::Repo;
use shipway_tests::ship::Ship;

use crate::apps::{next_version, quick, said, serves, tiny};

#[test]
fn one_without_a_commit() {
    let Some(ship) = Ship::start() else { return };
    let live = ship
        .app("tiny", &Repo::empty())
        .environment("live", quick("process"));
    let failure = live.deploy().failed("checkout", "checkout");
    assert!(failure["hint"].is_string(), "{failure:#}");
}

#[test]
fn links_inside_are_kept_and_links_out_are_not_read() {
    let Some(ship) = Ship::start() else { return };
    let repo = Repo::of("tests/apps/tiny");
    std::fs::rename(repo.path().join("version"), repo.path().join("the-version")).expect("renamed");
    symlink("the-version", repo.path().join("version")).expect("a link");
    repo.commit("A link inside");
    let live = ship
        .app("tiny", &repo)
        .environment("live", quick("process"));
    live.deploy().succeeded();
    serves(&live, "1");

    let outside = ship.state_dir().join("outside");
    std::fs::write(&outside, "[build]\ncommand = \"echo SHOULD-NOT-BE-READ\"\n").expect("a file");
    symlink(&outside, repo.path().join("shipway.toml")).expect("a link");
    next_version(&repo, "2");
    let deployment = live.deploy();
    assert!(
        !deployment.log().contains("SHOULD-NOT-BE-READ"),
        "{}",
        deployment.log()
    );
    if deployment.now()["status"] == "failed" {
        let said = said(&deployment.ending()["failure"]);
        assert!(said.contains("shipway.toml"), "{said}");
    }
}

#[test]
fn submodules_odd_names_and_programs_are_checked_out() {
    let Some(ship) = Ship::start() else { return };
    let library = Repo::empty();
    library
        .write("words.txt", "from the submodule\n")
        .commit("Words");
    let repo = Repo::of("tests/apps/tiny");
    repo.write("a name with spaces", "spaces\n")
        .write("ünïcödé", "unicode\n");
    repo.write_program("bin/hello", "#!/bin/sh\necho from a program\n");
    let from = library.path().to_str().expect("a path");
    repo.git(&[
        "-c",
        "protocol.file.allow=always",
        "submodule",
        "add",
        "-q",
        from,
        "lib/words",
    ]);
    repo.commit("All sorts");
    let live = ship
        .app("tiny", &repo)
        .environment("live", quick("process"));
    live.command(
        "Look",
        "cat 'a name with spaces' ünïcödé lib/words/words.txt; bin/hello; test ! -e .git",
    );
    let deployment = live.deploy();
    deployment.succeeded();
    let log = deployment.section("process release commands");
    for shown in [
        "spaces\n",
        "unicode\n",
        "from the submodule\n",
        "from a program\n",
    ] {
        assert!(log.contains(shown), "{shown:?} in {log}");
    }
}

#[test]
fn a_branch_that_was_rewritten_is_deployed_as_it_is_now() {
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = tiny(&ship);
    next_version(&repo, "2");
    live.deploy().succeeded();
    serves(&live, "2");
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    next_version(&repo, "3");
    live.deploy().succeeded();
    serves(&live, "3");
}

#[test]
fn names_as_long_as_they_may_be() {
    let Some(ship) = Ship::start() else { return };
    let repo = Repo::of("tests/apps/tiny");
    let app = ship.app(&"a".repeat(57), &repo);
    assert_eq!(app.name.len(), 63);
    let live = app.environment(&"e".repeat(63), quick("process"));
    live.deploy().succeeded();
    serves(&live, "1");
}

#[test]
fn names_as_long_as_they_may_be_on_docker() {
    let Some(()) = shipway_tests::parts::image(shipway_tests::parts::STATIC_IMAGE) else {
        return;
    };
    let Some(ship) = Ship::start() else { return };
    let repo = Repo::of("tests/apps/tiny-image");
    let app = ship.app(&"a".repeat(57), &repo);
    let live = app.environment(&"e".repeat(63), crate::apps::on_static_image());
    live.change(serde_json::json!({"volumes": [{"name": "v".repeat(63), "path": "/data"}]}));
    live.command("Look", "hostname; ls -d /data");
    live.deploy().succeeded();
    serves(&live, "1");
}
