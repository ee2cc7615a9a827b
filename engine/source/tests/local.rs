//! Repositories on this machine: references, trees, submodules, limits.

mod support;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use shipway_core::ports::source::{FilesError, Source, SourceError};
use support::{
    Desk, File, Link, Origin, Program, SmallDisk, Submodule, chain, deployment, missing, noise,
    request, text,
};

#[tokio::test]
async fn a_branch_a_tag_and_a_commit_are_found() -> Result<()> {
    let origin = Origin::new()?;
    let first = origin.commit("main", &[("a.txt", File(b"one"))])?;
    let object = origin.repository.find_object(first, None)?;
    let who = git2::Signature::now("A. Person", "a@example.com")?;
    origin.repository.tag_lightweight("light", &object, false)?;
    origin
        .repository
        .tag("v1.0", &object, &who, "the first", false)?;
    let second = origin.commit("feature/x", &[("a.txt", File(b"two"))])?;
    // A branch wins over a tag of the same name.
    origin
        .repository
        .tag_lightweight("feature/x", &object, false)?;

    let desk = Desk::new()?;
    let (full, short) = (first.to_string(), &first.to_string()[..8]);
    for reference in ["main", "light", "v1.0", &full, short, "refs/tags/v1.0"] {
        let checkout = desk.check_out(&origin.url(), reference).await?;
        assert_eq!(checkout.commit.id.as_str(), full, "{reference}");
        assert_eq!(text(&checkout, "a.txt")?, "one");
    }
    let checkout = desk
        .check_out(&format!("file://{}", origin.url()), "feature/x")
        .await?;
    assert_eq!(checkout.commit.id.as_str(), second.to_string());
    assert_eq!(checkout.commit.subject, "Change feature/x");
    assert_eq!(checkout.commit.author, "A. Person");
    Ok(())
}

#[tokio::test]
async fn what_is_not_there_is_said() -> Result<()> {
    let origin = Origin::new()?;
    origin.commit("main", &[("a.txt", File(b"one"))])?;
    let desk = Desk::new()?;
    let absent = "0123456789012345678901234567890123456789";
    for reference in [
        "nowhere", "main^", "HEAD~1", "-x", "../main", "0123", absent, "",
    ] {
        let error = desk.refusal(&origin.url(), reference).await?;
        assert!(
            matches!(error, SourceError::UnknownReference { .. }),
            "{reference}: {error:?}"
        );
        assert_eq!(
            error.to_string(),
            format!(
                "there is no branch, tag or commit {reference:?} in {}",
                origin.url()
            )
        );
    }
    let nowhere = origin.root().join("nowhere.git");
    for url in [
        nowhere.display().to_string(),
        origin.root().display().to_string(),
    ] {
        let error = desk.refusal(&url, "main").await?;
        assert!(
            matches!(error, SourceError::UnknownRepository { .. }),
            "{error:?}"
        );
    }
    let error = chain(desk.refusal("relative/path", "main").await?);
    ensure!(error.contains("an absolute path"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_repository_of_somebody_else_is_not_read() -> Result<()> {
    let origin = Origin::new()?;
    origin.commit("main", &[("a.txt", File(b"one"))])?;
    if std::os::unix::fs::chown(origin.path(), Some(54_321), None).is_err() {
        return missing("root, to give a repository away");
    }
    let error = Desk::new()?.refusal(&origin.url(), "main").await?;
    assert!(matches!(error, SourceError::Refused { .. }), "{error:?}");
    ensure!(error.to_string().contains("safe.directory"), "{error}");
    Ok(())
}

#[tokio::test]
async fn an_empty_repository_has_no_branch() -> Result<()> {
    let origin = Origin::new()?;
    let error = Desk::new()?.refusal(&origin.url(), "main").await?;
    assert!(
        matches!(error, SourceError::UnknownReference { .. }),
        "{error:?}"
    );
    Ok(())
}

#[tokio::test]
async fn the_mirror_follows_what_is_pushed() -> Result<()> {
    let origin = Origin::new()?;
    let old = origin.commit("main", &[("a.txt", File(b"one"))])?;
    let desk = Desk::new()?;
    desk.check_out(&origin.url(), "main").await?;

    // A force-push, and a branch that takes the place of another's folder.
    origin
        .repository
        .find_reference("refs/heads/main")?
        .delete()?;
    let new = origin.commit("main", &[("a.txt", File(b"other"))])?;
    origin.commit("topic", &[("a.txt", File(b"topic"))])?;
    let checkout = desk.check_out(&origin.url(), "main").await?;
    assert_eq!(checkout.commit.id.as_str(), new.to_string());
    assert_eq!(text(&checkout, "a.txt")?, "other");
    desk.check_out(&origin.url(), "topic").await?;
    origin
        .repository
        .find_reference("refs/heads/topic")?
        .delete()?;
    origin.commit("topic/sub", &[("a.txt", File(b"sub"))])?;
    desk.check_out(&origin.url(), "topic/sub").await?;
    let gone = desk.refusal(&origin.url(), "topic").await?;
    assert!(
        matches!(gone, SourceError::UnknownReference { .. }),
        "{gone:?}"
    );

    // What was deployed once can be deployed again.
    let checkout = desk.check_out(&origin.url(), &old.to_string()).await?;
    assert_eq!(text(&checkout, "a.txt")?, "one");
    Ok(())
}

#[tokio::test]
async fn a_known_commit_needs_no_network() -> Result<()> {
    let origin = Origin::new()?;
    let commit = origin.commit("main", &[("a.txt", File(b"one"))])?;
    let desk = Desk::new()?;
    desk.check_out(&origin.url(), "main").await?;
    std::fs::rename(origin.path(), origin.root().join("moved.git"))?;
    let checkout = desk.check_out(&origin.url(), &commit.to_string()).await?;
    assert_eq!(text(&checkout, "a.txt")?, "one");
    let error = desk.refusal(&origin.url(), "main").await?;
    assert!(
        matches!(error, SourceError::UnknownRepository { .. }),
        "{error:?}"
    );
    Ok(())
}

#[tokio::test]
async fn the_tree_is_as_it_was_committed_every_time() -> Result<()> {
    let origin = Origin::new()?;
    let attributes = b"* text=auto eol=crlf\n*.txt filter=evil ident\n";
    origin.commit(
        "main",
        &[
            (".gitattributes", File(attributes)),
            ("a.txt", File(b"one\ntwo\n$Id$\n")),
            ("bin/run", Program(b"#!/bin/sh\n")),
            ("deep/er/still", File(b"")),
            ("link", Link("deep/er/still")),
            ("away", Link("/etc/passwd")),
        ],
    )?;
    let desk = Desk::new()?;
    let checkout = desk.check_out(&origin.url(), "main").await?;
    let root = checkout.directory.clone();
    assert_eq!(
        root,
        desk.state
            .path()
            .join("work")
            .join(deployment().to_string())
    );
    assert_eq!(std::fs::read(root.join("a.txt"))?, b"one\ntwo\n$Id$\n");
    let mode = |path: &str| std::fs::metadata(root.join(path)).map(|m| m.permissions().mode());
    assert_eq!(
        (mode("bin/run")? & 0o777, mode("a.txt")? & 0o777),
        (0o755, 0o644)
    );
    assert_eq!(
        std::fs::read_link(root.join("away"))?,
        Path::new("/etc/passwd")
    );
    assert_eq!(
        std::fs::read_link(root.join("link"))?,
        Path::new("deep/er/still")
    );
    ensure!(!root.join(".git").exists());

    std::fs::write(root.join("left-over"), "x")?;
    std::fs::write(root.join("a.txt"), "changed")?;
    let again = desk.check_out(&origin.url(), "main").await?;
    ensure!(!root.join("left-over").exists());
    assert_eq!(text(&again, "a.txt")?, "one\ntwo\n$Id$\n");
    assert_eq!(
        std::fs::read_dir(desk.state.path().join("work"))?.count(),
        1
    );

    desk.source.discard(deployment()).await?;
    desk.source.discard(deployment()).await?;
    assert_eq!(
        std::fs::read_dir(desk.state.path().join("work"))?.count(),
        0
    );
    Ok(())
}

#[tokio::test]
async fn nothing_outside_the_commit_is_read() -> Result<()> {
    let origin = Origin::new()?;
    origin.commit(
        "main",
        &[
            ("Procfile", File(b"web: serve\n")),
            ("app/models.py", File(b"x")),
            ("app/deep/views.py", File(b"y")),
            ("app/up", Link("../Procfile")),
            ("passwd", Link("/etc/passwd")),
            ("above", Link("../../../../../../../../etc/passwd")),
            ("etc", Link("/etc")),
        ],
    )?;
    let desk = Desk::new()?;
    let files = desk.check_out(&origin.url(), "main").await?.files;
    assert_eq!(files.read("Procfile", 11)?, b"web: serve\n");
    assert_eq!(files.read("./app/up", 100)?, b"web: serve\n");
    assert!(matches!(
        files.read("Procfile", 10),
        Err(FilesError::TooLarge { limit: 10, .. })
    ));
    for path in ["nothing", "app", "Procfile/x", "app/nothing"] {
        let result = files.read(path, 10);
        assert!(
            matches!(result, Err(FilesError::NotFound(_))),
            "{path}: {result:?}"
        );
    }
    let outside = [
        "passwd",
        "above",
        "etc/passwd",
        "/etc/passwd",
        "../x",
        "app/../../x",
        "",
        "a\0b",
        ".git/config",
    ];
    for path in outside {
        let result = files.read(path, 10_000);
        assert!(
            matches!(result, Err(FilesError::Outside(_))),
            "{path}: {result:?}"
        );
    }

    assert_eq!(
        files.find("**/*.py", 10)?,
        ["app/deep/views.py", "app/models.py"]
    );
    assert_eq!(files.find("app/*", 10)?, ["app/models.py", "app/up"]);
    assert_eq!(files.find("{Proc,Docker}file", 10)?, ["Procfile"]);
    assert!(files.find("{etc/**,passwd,above}", 10)?.is_empty());
    assert!(matches!(
        files.find("**/*.py", 1),
        Err(FilesError::TooMany { limit: 1, .. })
    ));
    assert!(matches!(
        files.find("[", 1),
        Err(FilesError::BadGlob { .. })
    ));
    Ok(())
}

#[tokio::test]
async fn a_hostile_tree_is_refused() -> Result<()> {
    let origin = Origin::new()?;
    let blob = origin.repository.blob(b"x")?;
    let outside = origin.repository.blob(b"/tmp")?;
    let inner = origin.raw_tree(&[("100644", b"shipway-was-here", blob)])?;
    let trees: [&[(&str, &[u8], git2::Oid)]; 7] = [
        &[("40000", b"..", inner)],
        &[("40000", b".git", inner)],
        &[("40000", b".GIT", inner)],
        &[("100644", b"a/b", blob)],
        &[("100644", b".", blob)],
        // A link out, and a folder of the same name to write through it.
        &[("120000", b"a", outside), ("40000", b"a", inner)],
        &[("100644", b"a", blob), ("100644", b"a", blob)],
    ];
    let desk = Desk::new()?;
    for (number, entries) in trees.iter().enumerate() {
        let branch = format!("hostile-{number}");
        origin.commit_tree(&branch, origin.raw_tree(entries)?)?;
        let error = chain(desk.refusal(&origin.url(), &branch).await?);
        ensure!(
            error.contains("could not take this commit"),
            "{branch}: {error}"
        );
        ensure!(error.contains("not in good faith"), "{error}");
    }
    ensure!(!Path::new("/tmp/shipway-was-here").exists());
    assert_eq!(
        std::fs::read_dir(desk.state.path().join("work"))?.count(),
        0
    );
    Ok(())
}

fn gitmodules(path: &str, url: &str) -> String {
    format!("[submodule \"{path}\"]\n\tpath = {path}\n\turl = {url}\n")
}

/// `main` has `vendor/lib`, which has `inner`.
fn nested(folder: &Path) -> Result<(Origin, Origin, Origin)> {
    let at = |name: &str| Origin::at(tempfile::tempdir_in(folder)?, &folder.join(name));
    let (app, library, inner) = (at("app.git")?, at("lib.git")?, at("inner.git")?);
    let innermost = inner.commit("main", &[("inner.txt", File(b"inner"))])?;
    let text = gitmodules("inner", "../inner.git");
    let files = [
        (".gitmodules", File(text.as_bytes())),
        ("lib.txt", File(b"lib")),
        ("inner", Submodule(innermost)),
    ];
    let pinned = library.commit("main", &files)?;
    library.commit("main", &[("lib.txt", File(b"a newer one"))])?;
    let text = gitmodules("vendor/lib", "../lib.git");
    let files = [
        (".gitmodules", File(text.as_bytes())),
        ("app.txt", File(b"app")),
        ("vendor/lib", Submodule(pinned)),
    ];
    app.commit("main", &files)?;
    Ok((app, library, inner))
}

#[tokio::test]
async fn submodules_are_there_to_the_last() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (app, library, _inner) = nested(folder.path())?;
    let desk = Desk::new()?;
    let checkout = desk.check_out(&app.url(), "main").await?;
    assert_eq!(text(&checkout, "vendor/lib/lib.txt")?, "lib");
    assert_eq!(text(&checkout, "vendor/lib/inner/inner.txt")?, "inner");
    let commit = checkout.commit.id.to_string();

    // All of it is known now: no host is asked again.
    std::fs::remove_dir_all(library.path())?;
    std::fs::remove_dir_all(app.path())?;
    let again = desk.check_out(&app.url(), &commit).await?;
    assert_eq!(text(&again, "vendor/lib/inner/inner.txt")?, "inner");
    Ok(())
}

#[tokio::test]
async fn a_submodule_that_cannot_be_had_is_named() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (app, library, inner) = nested(folder.path())?;
    std::fs::remove_dir_all(inner.path())?;
    let error = Desk::new()?.refusal(&app.url(), "main").await?;
    let SourceError::Submodule {
        path,
        repository,
        message,
    } = error
    else {
        anyhow::bail!("{error:?}");
    };
    assert_eq!(
        (path.as_str(), repository),
        ("vendor/lib/inner", library.url())
    );
    ensure!(message.contains("there is no repository at"), "{message}");

    let unpushed = git2::Oid::from_str(&"1".repeat(40))?;
    let text = gitmodules("lib", "../lib.git");
    let cases = [
        (text.as_str(), unpushed, "no branch, tag or commit"),
        ("", unpushed, ".gitmodules has none for it"),
    ];
    for (text, commit, reason) in cases {
        let files = [
            (".gitmodules", File(text.as_bytes())),
            ("lib", Submodule(commit)),
        ];
        app.commit("broken", &files)?;
        let error = Desk::new()?
            .refusal(&app.url(), "broken")
            .await?
            .to_string();
        ensure!(error.starts_with("submodule \"lib\" of"), "{error}");
        ensure!(error.contains(reason), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn limits_are_kept() -> Result<()> {
    let origin = Origin::new()?;
    origin.commit("main", &[("zeros", File(&vec![0; 3 << 20]))])?;
    let desk = Desk::with(|config| config.tree_limit = 2 << 20)?;
    let error = desk.refusal(&origin.url(), "main").await?;
    assert_eq!(
        error.to_string(),
        "the commit with its submodules is larger than the limit of 2 MiB"
    );
    let desk = Desk::with(|config| config.timeout = Duration::ZERO)?;
    let error = desk.refusal(&origin.url(), "main").await?;
    assert!(matches!(error, SourceError::Timeout { .. }), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn many_at_once_share_one_mirror() -> Result<()> {
    let origin = Origin::new()?;
    for branch in ["a", "b", "c", "d"] {
        origin.commit(branch, &[("name", File(branch.as_bytes()))])?;
    }
    let desk = Desk::new()?;
    let mut tasks = tokio::task::JoinSet::new();
    for (number, branch) in ["a", "b", "c", "d", "a", "b"].into_iter().enumerate() {
        let mut request = request(&origin.url(), branch, None);
        request.deployment.0 = uuid::Uuid::from_u128(number as u128);
        let source = desk.source.clone();
        tasks.spawn(async move { (branch, source.check_out(&request).await) });
    }
    while let Some(done) = tasks.join_next().await {
        let (branch, checkout) = done?;
        assert_eq!(text(&checkout?, "name")?, branch);
    }
    assert_eq!(
        std::fs::read_dir(desk.state.path().join("mirrors"))?.count(),
        1
    );
    Ok(())
}

#[tokio::test]
async fn what_a_killed_engine_left_is_cleared() -> Result<()> {
    let origin = Origin::new()?;
    origin.commit("main", &[("a.txt", File(b"one"))])?;
    let desk = Desk::new()?;
    desk.check_out(&origin.url(), "main").await?;
    let mirror = std::fs::read_dir(desk.state.path().join("mirrors"))?.next();
    let mirror = mirror.context("no mirror")??.path();
    let half = mirror.join("objects/pack/pack_git2_XyZ");
    std::fs::write(&half, "PACK")?;
    std::fs::create_dir(desk.state.path().join("work/.half"))?;
    desk.check_out(&origin.url(), "main").await?;
    ensure!(!half.exists());

    std::fs::remove_file(mirror.join("HEAD"))?;
    let config = shipway_source::GitConfig::new(desk.state.path());
    let source = shipway_source::GitSource::new(config)?;
    ensure!(!desk.state.path().join("work/.half").exists());
    let checkout = source
        .check_out(&request(&origin.url(), "main", None))
        .await?;
    assert_eq!(text(&checkout, "a.txt")?, "one");
    Ok(())
}

#[tokio::test]
async fn a_full_disk_is_said() -> Result<()> {
    let Some(disk) = SmallDisk::mount("4m")? else {
        return missing("root, to mount a small disk");
    };
    let origin = Origin::new()?;
    // Small in the mirror, large in the tree; then large in both.
    origin.commit("tree", &[("zeros", File(&vec![0; 16 << 20]))])?;
    let source = shipway_source::GitSource::new(shipway_source::GitConfig::new(disk.path()))?;
    let error = source
        .check_out(&request(&origin.url(), "tree", None))
        .await;
    let Err(SourceError::DiskFull { directory }) = error else {
        anyhow::bail!("{error:?}");
    };
    assert_eq!(directory, disk.path().join("work"));
    assert_eq!(std::fs::read_dir(&directory)?.count(), 0);

    origin.commit("mirror", &[("noise", File(&noise(8 << 20)))])?;
    let error = source
        .check_out(&request(&origin.url(), "mirror", None))
        .await;
    let Err(SourceError::DiskFull { directory }) = error else {
        anyhow::bail!("{error:?}");
    };
    ensure!(directory.starts_with(disk.path().join("mirrors")));
    Ok(())
}
