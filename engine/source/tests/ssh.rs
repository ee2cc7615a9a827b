//! Repositories over ssh, from a real sshd.

mod support;

use anyhow::{Context, Result, ensure};
use shipway_core::app::Credentials;
use shipway_core::ports::source::SourceError;
use shipway_core::secret::Secret;
use support::ssh::SshServer;
use support::{Desk, File, Origin, has_git, missing, text};

struct Setting {
    server: SshServer,
    origin: Origin,
    desk: Desk,
}

impl Setting {
    fn new() -> Result<Option<Self>> {
        let server = SshServer::start()?.filter(|_| has_git());
        let Some(server) = server else {
            missing("sshd with git")?;
            return Ok(None);
        };
        let origin = Origin::new()?;
        origin.commit("main", &[("a.txt", File(b"one"))])?;
        let desk = Desk::new()?;
        Ok(Some(Self {
            server,
            origin,
            desk,
        }))
    }

    fn url(&self) -> String {
        self.server.url(&self.origin.url())
    }

    fn key(&self, private: String, passphrase: &str) -> Result<Credentials> {
        Ok(Credentials::Key {
            username: self.server.user.clone(),
            private_key: Secret::new(private),
            passphrase: Some(passphrase)
                .filter(|text| !text.is_empty())
                .map(Secret::new),
            known_hosts: Some(self.server.known_hosts()?),
        })
    }

    async fn refusal(&self, url: &str, credentials: Credentials) -> Result<SourceError> {
        let result = self.desk.check_out_with(url, credentials).await;
        result.err().context("it was checked out")
    }
}

#[tokio::test]
async fn keys_of_each_kind_are_taken() -> Result<()> {
    let Some(setting) = Setting::new()? else {
        return Ok(());
    };
    for (kind, passphrase) in [
        ("ed25519", ""),
        ("ed25519", "open sesame"),
        ("rsa", ""),
        ("ecdsa", "x"),
    ] {
        let private = setting.server.new_key(kind, passphrase)?;
        let credentials = setting.key(private, passphrase)?;
        let checkout = setting
            .desk
            .check_out_with(&setting.url(), credentials)
            .await;
        let checkout = checkout.with_context(|| format!("{kind} {passphrase:?}"))?;
        assert_eq!(text(&checkout, "a.txt")?, "one");
    }
    Ok(())
}

#[tokio::test]
async fn a_key_that_is_not_taken_is_said() -> Result<()> {
    let Some(setting) = Setting::new()? else {
        return Ok(());
    };
    let (strange, _) = setting.server.strange_key("ed25519", "")?;
    let locked = setting.server.new_key("ed25519", "open sesame")?;
    let nonsense = "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n".to_owned();
    for (private, passphrase) in [(strange, ""), (locked, "wrong"), (nonsense, "")] {
        let credentials = setting.key(private, passphrase)?;
        let error = setting.refusal(&setting.url(), credentials).await?;
        assert!(matches!(error, SourceError::Refused { .. }), "{error:?}");
        ensure!(!error.to_string().contains("sesame"), "{error}");
    }
    let none = setting.desk.refusal(&setting.url(), "main").await?;
    let untrusted = matches!(none, SourceError::Untrusted { .. });
    ensure!(
        untrusted,
        "without known hosts the user's own are asked: {none:?}"
    );
    Ok(())
}

#[tokio::test]
async fn a_host_must_prove_who_it_is() -> Result<()> {
    let Some(setting) = Setting::new()? else {
        return Ok(());
    };
    let private = setting.server.new_key("ed25519", "")?;
    let (_, other) = setting.server.strange_key("ecdsa", "")?;
    let port = setting.server.address.port();
    let cases = [
        (Some(String::new()), "is not among the app's known hosts"),
        (
            Some(format!("[127.0.0.1]:{port} {other}")),
            "have another for it",
        ),
        (None, "known hosts"),
    ];
    for (lines, reason) in cases {
        let mut credentials = setting.key(private.clone(), "")?;
        if let Credentials::Key { known_hosts, .. } = &mut credentials {
            *known_hosts = lines;
        }
        let error = setting.refusal(&setting.url(), credentials).await?;
        assert!(matches!(error, SourceError::Untrusted { .. }), "{error:?}");
        ensure!(error.to_string().contains(reason), "{error}");
    }
    Ok(())
}

#[tokio::test]
async fn a_repository_that_is_not_there_is_said() -> Result<()> {
    let Some(setting) = Setting::new()? else {
        return Ok(());
    };
    let private = setting.server.new_key("ed25519", "")?;
    let url = setting.server.url("/nowhere/at-all.git");
    let error = setting.refusal(&url, setting.key(private, "")?).await?;
    assert!(
        matches!(error, SourceError::UnknownRepository { .. }),
        "{error:?}"
    );
    ensure!(!error.to_string().contains('@'), "{error}");
    Ok(())
}
