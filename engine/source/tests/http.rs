//! Repositories over smart HTTP, from Git's own server.

mod support;

use std::net::TcpListener;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use shipway_core::app::Credentials;
use shipway_core::ports::source::SourceError;
use shipway_core::secret::Secret;
use support::http::{GitServer, Manner};
use support::tls::TlsServer;
use support::{Desk, File, Origin, Submodule, has_git, missing, noise, text};

fn password(password: &str) -> Credentials {
    Credentials::Password {
        username: "deploy".into(),
        password: Secret::new(password),
    }
}

fn guarded(origin: &Origin) -> Result<GitServer> {
    let manner = Manner::Ask {
        user: "deploy".into(),
        password: "swordfish".into(),
    };
    GitServer::start(origin.root(), manner)
}

fn small() -> Result<Origin> {
    let origin = Origin::new()?;
    origin.commit("main", &[("a.txt", File(b"one"))])?;
    Ok(origin)
}

#[tokio::test]
async fn a_public_repository_is_checked_out() -> Result<()> {
    if !has_git() {
        return missing("git");
    }
    let origin = small()?;
    let server = GitServer::start(origin.root(), Manner::Serve)?;
    let desk = Desk::new()?;
    let url = server.url("origin.git");
    assert_eq!(text(&desk.check_out(&url, "main").await?, "a.txt")?, "one");
    origin.commit("main", &[("a.txt", File(b"two"))])?;
    assert_eq!(text(&desk.check_out(&url, "main").await?, "a.txt")?, "two");
    let error = desk.refusal(&server.url("nothing.git"), "main").await?;
    assert!(
        matches!(error, SourceError::UnknownRepository { .. }),
        "{error:?}"
    );
    Ok(())
}

#[tokio::test]
async fn credentials_are_asked_for_and_checked() -> Result<()> {
    if !has_git() {
        return missing("git");
    }
    let origin = small()?;
    let server = guarded(&origin)?;
    let url = server.url("origin.git");
    let desk = Desk::new()?;
    let checkout = desk.check_out_with(&url, password("swordfish")).await?;
    assert_eq!(text(&checkout, "a.txt")?, "one");

    let wrong = desk.check_out_with(&url, password("trout")).await;
    let wrong = wrong.err().context("it was checked out")?;
    assert!(matches!(wrong, SourceError::Refused { .. }), "{wrong:?}");
    ensure!(!format!("{wrong} {wrong:?}").contains("trout"), "{wrong:?}");
    ensure!(wrong.hint().is_some());

    let none = desk.refusal(&url, "main").await?;
    assert!(matches!(none, SourceError::Refused { .. }), "{none:?}");
    ensure!(none.to_string().contains("the app has none"), "{none}");
    Ok(())
}

#[tokio::test]
async fn a_password_in_the_url_works_and_is_not_shown() -> Result<()> {
    if !has_git() {
        return missing("git");
    }
    let origin = small()?;
    let server = guarded(&origin)?;
    let url = |secret: &str| format!("http://deploy:{secret}@{}/origin.git", server.address);
    let desk = Desk::new()?;
    let checkout = desk.check_out(&url("swordfish"), "main").await?;
    assert_eq!(text(&checkout, "a.txt")?, "one");
    let error = desk.refusal(&url("trout"), "main").await?;
    assert!(matches!(error, SourceError::Refused { .. }), "{error:?}");
    ensure!(error.to_string().contains("did not take them"), "{error}");
    let error = format!("{error} {error:?}");
    ensure!(
        !error.contains("trout") && !error.contains("deploy:"),
        "{error}"
    );
    Ok(())
}

#[tokio::test]
async fn each_status_has_its_meaning() -> Result<()> {
    let origin = small()?;
    let desk = Desk::new()?;
    for status in [403, 404, 500, 503] {
        let server = GitServer::start(origin.root(), Manner::Status(status))?;
        let error = desk.refusal(&server.url("origin.git"), "main").await?;
        let fits = match status {
            403 => matches!(error, SourceError::Refused { .. }),
            404 => matches!(error, SourceError::UnknownRepository { .. }),
            _ => matches!(error, SourceError::Unreachable { .. }),
        };
        ensure!(fits, "{status}: {error:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_host_that_does_not_answer_is_given_up() -> Result<()> {
    let origin = small()?;
    let server = GitServer::start(origin.root(), Manner::Silent)?;
    let url = server.url("origin.git");
    let error = Desk::new()?.refusal(&url, "main").await?;
    assert!(
        matches!(error, SourceError::Unreachable { .. }),
        "{error:?}"
    );

    let desk = Desk::with(|config| config.timeout = Duration::from_secs(1))?;
    let error = desk.refusal(&url, "main").await?;
    assert!(
        matches!(error, SourceError::Timeout { seconds: 1, .. }),
        "{error:?}"
    );

    let nobody = TcpListener::bind("127.0.0.1:0")?.local_addr()?;
    let error = desk
        .refusal(&format!("http://{nobody}/a.git"), "main")
        .await?;
    assert!(
        matches!(error, SourceError::Unreachable { .. }),
        "{error:?}"
    );
    let error = desk
        .refusal("https://nowhere.invalid/a.git", "main")
        .await?;
    assert!(
        matches!(error, SourceError::Unreachable { .. }),
        "{error:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused() -> Result<()> {
    let Some(server) = TlsServer::start()? else {
        return missing("openssl");
    };
    let url = format!("https://{}/a.git", server.address);
    let error = Desk::new()?.refusal(&url, "main").await?;
    assert!(matches!(error, SourceError::Untrusted { .. }), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn credentials_do_not_follow_a_redirect() -> Result<()> {
    if !has_git() {
        return missing("git");
    }
    let origin = small()?;
    let target = guarded(&origin)?;
    let to = format!("http://localhost:{}", target.address.port());
    let server = GitServer::start(origin.root(), Manner::Redirect { to })?;
    let desk = Desk::new()?;
    let url = server.url("origin.git");
    let result = desk.check_out_with(&url, password("swordfish")).await;
    let error = result.err().context("it was checked out")?;
    assert!(
        matches!(error, SourceError::Unreachable { .. }),
        "{error:?}"
    );
    let seen = target
        .seen
        .lock()
        .map_err(|_| anyhow::anyhow!("poisoned"))?;
    ensure!(
        seen.iter()
            .all(|(_, authorization)| authorization.is_none())
    );
    Ok(())
}

#[tokio::test]
async fn a_submodule_gets_the_credentials_of_its_own_host_only() -> Result<()> {
    if !has_git() {
        return missing("git");
    }
    let origin = small()?;
    let library = Origin::at(tempfile::tempdir()?, &origin.root().join("lib.git"))?;
    let pinned = library.commit("main", &[("lib.txt", File(b"lib"))])?;
    let (server, elsewhere) = (guarded(&origin)?, guarded(&origin)?);
    let desk = Desk::new()?;
    let with = async |url: &str| {
        let text = format!("[submodule \"lib\"]\npath = lib\nurl = {url}\n");
        let files = [
            (".gitmodules", File(text.as_bytes())),
            ("lib", Submodule(pinned)),
        ];
        origin.commit("main", &files)?;
        anyhow::Ok(
            desk.check_out_with(&server.url("origin.git"), password("swordfish"))
                .await,
        )
    };
    let stranger = with(&elsewhere.url("lib.git")).await?;
    assert!(
        matches!(stranger, Err(SourceError::Submodule { .. })),
        "{stranger:?}"
    );
    let seen = elsewhere
        .seen
        .lock()
        .map_err(|_| anyhow::anyhow!("poisoned"))?
        .clone();
    ensure!(
        !seen.is_empty()
            && seen
                .iter()
                .all(|(_, authorization)| authorization.is_none())
    );

    let inward = with(&library.url()).await?;
    let error = inward.err().context("it was checked out")?.to_string();
    ensure!(error.contains("into this machine"), "{error}");
    assert_eq!(text(&with("../lib.git").await??, "lib/lib.txt")?, "lib");
    Ok(())
}

#[tokio::test]
async fn a_transfer_has_a_limit() -> Result<()> {
    if !has_git() {
        return missing("git");
    }
    let origin = Origin::new()?;
    origin.commit("main", &[("noise", File(&noise(2 << 20)))])?;
    let server = GitServer::start(origin.root(), Manner::Serve)?;
    let desk = Desk::with(|config| config.transfer_limit = 1 << 20)?;
    let error = desk.refusal(&server.url("origin.git"), "main").await?;
    assert!(matches!(error, SourceError::TooLarge { .. }), "{error:?}");
    Ok(())
}
