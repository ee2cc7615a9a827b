//! What the machine may lack: Docker, room on the disk.

use std::path::{Path, PathBuf};
use std::process::Command;

use shipway_tests::parts;
use shipway_tests::repo::Repo;
use shipway_tests::ship::Ship;

use crate::apps::{next_version, on_static_image, quick, said, serves};

#[test]
fn docker_that_is_not_there_fails_its_own_environments_only() {
    let nowhere = std::env::temp_dir().join("no-docker-here.sock");
    let host = format!("unix://{}", nowhere.display());
    let Some(ship) = Ship::start_with(&[("DOCKER_HOST", &host)]) else {
        return;
    };
    let repo = Repo::of("tests/apps/tiny");
    repo.copy("tests/apps/tiny-image")
        .commit("For both runtimes");
    let app = ship.app("tiny", &repo);
    let process = app.environment("live", quick("process"));
    let docker = app.environment("contained", on_static_image());
    process.deploy().succeeded();
    let failure = docker.deploy().failed("build", "build");
    let said = said(&failure);
    assert!(
        said.contains("Docker") && said.contains("no-docker-here.sock"),
        "{failure:#}"
    );
    assert!(failure["hint"].is_string(), "{failure:#}");
    next_version(&repo, "2");
    process.deploy().succeeded();
    serves(&process, "2");
}

#[test]
fn a_full_disk_for_the_working_directory_is_said_and_the_old_version_serves() {
    let Some(disk) = SmallDisk::mount_of("8m") else {
        return;
    };
    let state = tempfile::Builder::new()
        .prefix("ship-")
        .tempdir()
        .expect("a state directory");
    std::os::unix::fs::symlink(&disk.0, state.path().join("git")).expect("a link");
    let ship = Ship::start_in(state, &[]);
    let repo = Repo::of("tests/apps/tiny");
    let live = ship
        .app("tiny", &repo)
        .environment("live", quick("process"));
    live.deploy().succeeded();

    // What Git cannot compress, larger than the whole disk.
    let noise = std::process::Command::new("head")
        .args(["-c", "12000000", "/dev/urandom"])
        .output();
    std::fs::write(repo.path().join("noise"), noise.expect("noise").stdout).expect("a large file");
    next_version(&repo, "2");
    let failure = live.deploy().failed("checkout", "checkout");
    let said = said(&failure);
    assert!(
        said.contains("is full") && said.contains("free some space"),
        "{failure:#}"
    );
    serves(&live, "1");
}

#[test]
fn a_full_disk_for_all_of_the_state_is_survived() {
    let Some(disk) = SmallDisk::mount_of("48m") else {
        return;
    };
    let state = tempfile::Builder::new().prefix("ship-").tempdir_in(&disk.0);
    let ship = Ship::start_in(state.expect("a state directory"), &[]);
    let repo = Repo::of("tests/apps/tiny");
    let live = ship
        .app("tiny", &repo)
        .environment("live", quick("process"));
    live.deploy().succeeded();
    next_version(&repo, "2");

    let filler = disk.0.join("filler");
    let full = Command::new("dd")
        .args(["if=/dev/zero", "bs=4096"])
        .arg(format!("of={}", filler.display()))
        .stderr(std::process::Stdio::null())
        .status()
        .expect("dd");
    assert!(!full.success(), "the disk is full");
    let answer = ship
        .api
        .post(&live.path("/deployments"), &serde_json::json!({}));
    serves(&live, "1");
    if answer.status == 507 {
        answer.problem(507, "disk-full");
    }
    std::fs::remove_file(&filler).expect("the filler goes");
    shipway_tests::wait::until_true(
        "a deployment succeeds again",
        std::time::Duration::from_secs(60),
        || live.deploy().now()["status"] == "succeeded",
    );
    serves(&live, "2");
}

/// A small file system, unmounted when it goes.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount_of(size: &str) -> Option<Self> {
        if !nix::unistd::Uid::effective().is_root() {
            return parts::lacking("a small disk can be mounted by root only");
        }
        let folder = tempfile::Builder::new()
            .prefix("disk-")
            .tempdir()
            .expect("a folder")
            .keep();
        let mounted = mount(
            &["-t", "tmpfs", "-o", &format!("size={size}"), "shipway-test"],
            &folder,
        );
        if !mounted {
            return parts::lacking("a small disk cannot be mounted on this machine");
        }
        Some(Self(folder))
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(&self.0).status();
        if unmounted.is_ok_and(|status| status.success()) {
            let _ = std::fs::remove_dir(&self.0);
        }
    }
}

fn mount(arguments: &[&str], folder: &Path) -> bool {
    let status = Command::new("mount").args(arguments).arg(folder).status();
    status.is_ok_and(|status| status.success())
}
