//! What a failed deployment made is kept, ended, for a look inside.

use std::path::Path;

use serde_json::json;
use shipway_tests::deployment::Deployment;
use shipway_tests::docker::{containers_of, docker, running_containers_of};
use shipway_tests::machine::processes_with;
use shipway_tests::parts;
use shipway_tests::ship::Ship;

use crate::apps::{tiny, tiny_image};

#[test]
fn a_failed_run_keeps_its_folder_until_the_next_failure() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    live.command("Refuse", "echo here > \"$HOME/trace\"; sleep 600 & exit 3");
    let first = failed(live.deploy());
    let place = kept(&first, "release commands", "folder ");
    let trace = find(Path::new(&place), "trace").expect("what the command wrote");
    assert_eq!(std::fs::read_to_string(trace).unwrap(), "here\n");
    let ours = format!("SHIPWAY_DEPLOYMENT={}", first.id);
    assert_eq!(processes_with(&ours), Vec::<u32>::new(), "it has ended");

    let second = failed(live.deploy());
    assert!(!Path::new(&place).exists(), "one at a time is kept");
    let place = kept(&second, "release commands", "folder ");
    assert!(Path::new(&place).exists());

    live.change(json!({"keep_failed_seconds": 0}));
    let third = failed(live.deploy());
    assert!(!third.log().contains("kept for a look inside"));
}

#[test]
fn a_failed_container_can_be_looked_into_and_goes_with_a_success() {
    let Some(()) = parts::image(parts::STATIC_IMAGE) else {
        return;
    };
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny_image(&ship);
    live.command("Refuse", "echo here > /tmp/trace; exit 3");
    let name = kept(&failed(live.deploy()), "release commands", "container ");
    assert_eq!(running_containers_of(&live.app).len(), 0);
    let inside = docker(&["cp", &format!("{name}:/tmp/trace"), "-"]);
    assert!(inside.is_some_and(|archive| archive.contains("here")));

    live.drop_command("Refuse");
    live.deploy().succeeded();
    let all = containers_of(&live.app);
    assert_eq!(all.len(), 1, "only what serves is there: {all:?}");
}

fn failed(deployment: Deployment<'_>) -> Deployment<'_> {
    deployment.failed("release", "release-command");
    deployment
}

/// The place that the log names.
fn kept(deployment: &Deployment<'_>, what: &str, kind: &str) -> String {
    let log = deployment.log();
    assert!(log.contains("kept for a look inside until "), "{log}");
    let start = format!("{what}: {kind}");
    let mut places = log
        .lines()
        .filter_map(|line| line.trim().strip_prefix(&start));
    places.next().unwrap_or_else(|| panic!("{log}")).to_owned()
}

fn find(folder: &Path, name: &str) -> Option<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?.flatten();
    let mut paths = entries.map(|entry| entry.path());
    paths.find_map(|path| match path.is_dir() {
        true => find(&path, name),
        false => path.ends_with(name).then_some(path),
    })
}
