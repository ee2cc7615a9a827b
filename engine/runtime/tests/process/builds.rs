//! Building release directories.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::Trial;
use shipway_core::ports::Stream;
use shipway_core::ports::runtime::{BuildRequest, Runtime, RuntimeError};

use crate::conformance::recorder::{Lines, record};
use crate::conformance::{shell, variables};
use crate::fixture::{House, build_request, entries, runtime_in, start_web, web};
use crate::{not_here, trial};

pub async fn a_build_sees_none_of_the_variables() {
    let house = House::new();
    fs::write(house.path("commit/settings.txt"), "from the commit\n").unwrap();
    let (image, lines) = house
        .try_build("cat settings.txt; env; echo problem >&2; echo made > made.txt")
        .await;
    image.unwrap();
    let names: Vec<String> = lines
        .all()
        .into_iter()
        .filter(|(stream, _)| *stream == Stream::Stdout)
        .filter_map(|(_, line)| line.split_once('=').map(|(name, _)| name.to_owned()))
        .filter(|name| !["PWD", "OLDPWD", "SHLVL", "_"].contains(&name.as_str()))
        .collect();
    let mut sorted = names.clone();
    sorted.sort();
    assert_eq!(sorted, ["HOME", "LANG", "PATH", "TMPDIR"]);
    assert!(lines.text().contains("from the commit"));
    assert!(
        lines
            .all()
            .contains(&(Stream::Stderr, "problem".to_owned()))
    );
}

pub async fn a_build_that_fails_says_how() {
    let house = House::new();
    let (image, lines) = house.try_build("echo trying; exit 7").await;
    let error = image.unwrap_err();
    assert!(matches!(error, RuntimeError::BuildFailed { .. }), "{error}");
    assert!(error.to_string().contains("exited with code 7"), "{error}");
    assert_eq!(lines.text(), "trying");
    assert_eq!(entries(&house.path("state/images/guestbook")), 0);

    let (image, _) = house.try_build("no-such-tool").await;
    let error = image.unwrap_err().to_string();
    assert!(error.contains("command not found"), "{error}");
}

pub async fn a_build_that_never_ends_is_stopped() {
    let house = House::new();
    let request = BuildRequest {
        timeout: Duration::from_secs(1),
        ..house.build_request(Some("sleep 600"))
    };
    let built = house.runtime.build(&request, unheard()).await;
    let error = built.unwrap_err();
    assert!(
        matches!(error, RuntimeError::Timeout { seconds: 1, .. }),
        "{error}"
    );
    assert_eq!(house.runtime.find_image(&request.key).await.unwrap(), None);
}

/// Its scripts name their own place, so an image must never be moved.
pub async fn a_virtual_environment_stays_valid() {
    let house = House::new();
    let fixture = house
        .fixture(Some(
            "printf '#!/bin/sh\\necho \"I am $0\"\\n' > tool; chmod +x tool; echo \"$PWD\" > place",
        ))
        .await;
    let run = fixture.command_run(vec![shell(
        "\"$(cat place)/tool\"; test \"$PWD\" = \"$(cat place)\"",
    )]);
    let recorder = record(&*fixture.runtime, &run).await;
    assert!(recorder.exits()[0].is_success());
    assert!(recorder.lines(Stream::Stdout)[0].ends_with("/app/tool"));
}

pub async fn a_half_built_image_is_not_found_and_is_cleaned_up() {
    let house = House::new();
    let request = house.build_request(Some("echo begun > begun; sleep 600"));
    let images = house.path("state/images/guestbook");
    let building = house.runtime.clone();
    let wanted = request.clone();
    let task = tokio::spawn(async move { building.build(&wanted, unheard()).await });
    crate::conformance::eventually("the build runs", || async {
        fs::read_dir(&images).is_ok_and(|mut all| {
            all.any(|one| one.is_ok_and(|one| one.path().join("app/begun").exists()))
        })
    })
    .await;
    task.abort();
    let _ = task.await;
    assert_eq!(house.runtime.find_image(&request.key).await.unwrap(), None);
    let pruned = house.runtime.prune_images(&request.key.app, &[]).await;
    assert_eq!(
        pruned.unwrap(),
        [""; 0],
        "it may belong to a build that runs"
    );
    house.runtime.clean_up(request.deployment).await.unwrap();
    assert_eq!(entries(&images), 0);
    assert_eq!(entries(&house.path("state/runs")), 0);
}

pub async fn other_settings_are_another_image() {
    let house = House::new();
    let fixture = house.fixture(Some("true")).await;
    let other = house.build_request(Some("true # other"));
    assert_eq!(house.runtime.find_image(&other.key).await.unwrap(), None);

    let again = house.build_request(Some("true"));
    let found = house.runtime.find_image(&again.key).await.unwrap().unwrap();
    assert_eq!(found.reference, fixture.image.reference);
    assert!(found.reused);

    let fresh = house.runtime.build(&again, unheard()).await.unwrap();
    assert_ne!(
        fresh.reference, fixture.image.reference,
        "a fresh build is a new image"
    );
    let newest = house.runtime.find_image(&again.key).await.unwrap().unwrap();
    assert_eq!(newest.reference, fresh.reference);
}

pub async fn an_image_in_use_is_not_pruned() {
    let house = House::new();
    let fixture = house.fixture(None).await;
    let (_, instance) = start_web(&fixture, &web()).await;
    let app = &fixture.build.key.app;
    assert_eq!(house.runtime.prune_images(app, &[]).await.unwrap(), [""; 0]);
    house
        .runtime
        .stop(&instance, Duration::from_secs(5))
        .await
        .unwrap();
    let pruned = house.runtime.prune_images(app, &[]).await.unwrap();
    assert_eq!(pruned, [fixture.image.reference]);
    assert_eq!(entries(&house.path("state/images/guestbook")), 0);
}

pub async fn an_image_is_read_only() {
    let house = House::new();
    let fixture = house.fixture(Some("mkdir made; echo x > made/file")).await;
    let image = house.path("state/images").join(&fixture.image.reference);
    for path in ["app", "app/made", "app/made/file", "home"] {
        let mode = fs::metadata(image.join(path)).unwrap().permissions().mode();
        assert_eq!(mode & 0o222, 0, "{path}");
    }
    let mut run = fixture.command_run(vec![shell("echo y > \"$HOME/mine\"; cat made/file")]);
    run.variables = variables(&[]);
    let recorder = record(&*fixture.runtime, &run).await;
    assert!(recorder.exits()[0].is_success(), "{:?}", recorder.heard());
}

/// Only root can make a small disk.
pub fn trial_on_a_full_disk() -> Trial {
    let name = "builds::a_full_disk_is_said";
    if nix::unistd::geteuid().is_root() && cfg!(target_os = "linux") {
        trial(name, a_full_disk_is_said)
    } else {
        not_here(name, "needs Linux and root, to mount a small disk")
    }
}

async fn a_full_disk_is_said() {
    let house = House::new();
    let small = SmallDisk::mount(house.path("small"));
    fs::write(house.path("commit/large"), vec![1; 3 * 1024 * 1024]).unwrap();
    let runtime = runtime_in(&house.path("small"));
    let request = build_request(&house.path("commit"), None);
    let error = runtime.build(&request, unheard()).await.unwrap_err();
    assert!(matches!(error, RuntimeError::DiskFull { .. }), "{error}");
    assert!(error.to_string().contains("copy the commit"), "{error}");
    assert_eq!(
        entries(&house.path("small/images/guestbook")),
        0,
        "the space is free again"
    );

    fs::remove_file(house.path("commit/large")).unwrap();
    let filling = "dd if=/dev/zero of=big bs=1M count=9";
    let request = build_request(&house.path("commit"), Some(filling));
    let error = runtime.build(&request, unheard()).await.unwrap_err();
    assert!(matches!(error, RuntimeError::DiskFull { .. }), "{error}");
    drop(small);
}

struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(path: PathBuf) -> Self {
        fs::create_dir(&path).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"])
            .arg(&path)
            .status();
        assert!(mounted.unwrap().success());
        Self(path)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).status();
    }
}

/// Output that a test does not look at.
fn unheard() -> Arc<Lines> {
    Arc::default()
}
