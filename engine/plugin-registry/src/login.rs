//! Who we are to a registry: a name and a password, or what `docker login`
//! wrote.

use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use oci_client::secrets::RegistryAuth;
use serde::Deserialize;

use crate::RegistryError;

/// A name and a password. Never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Login {
    pub username: String,
    pub password: String,
}

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Login({}, …)", self.username)
    }
}

/// The part of `config.json` that we read.
#[derive(Deserialize)]
struct Config {
    #[serde(default)]
    auths: BTreeMap<String, Auth>,
}

#[derive(Deserialize)]
struct Auth {
    #[serde(default)]
    auth: String,
}

impl Login {
    /// What `docker login` kept for a registry in `$DOCKER_CONFIG/config.json`
    /// or `~/.docker/config.json`. Helper programs are not asked.
    pub fn of_docker(registry: &str) -> Result<Option<Self>, RegistryError> {
        match config_file() {
            Some(path) => Self::in_file(&path, registry),
            None => Ok(None),
        }
    }

    fn in_file(path: &Path, registry: &str) -> Result<Option<Self>, RegistryError> {
        let unread = |why: String| RegistryError::DockerConfig {
            path: path.to_owned(),
            why,
        };
        let text = match fs::read(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unread(error.to_string())),
        };
        // Its place, and not its text: that may be a password.
        let config: Config = serde_json::from_slice(&text)
            .map_err(|error| unread(format!("no such JSON at line {}", error.line())))?;
        let found = config.auths.iter().find(|(key, _)| is_for(key, registry));
        let Some((key, Auth { auth })) = found else {
            return Ok(None);
        };
        if auth.is_empty() {
            return Ok(None);
        }
        let decoded = STANDARD.decode(auth).ok();
        let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
        match decoded.as_deref().and_then(|text| text.split_once(':')) {
            Some((username, password)) => Ok(Some(Self {
                username: username.to_owned(),
                password: password.trim_end_matches('\0').to_owned(),
            })),
            None => Err(unread(format!(
                "the entry of {key} is no name and password"
            ))),
        }
    }
}

/// Keys are hosts, or URLs as they once were.
fn is_for(key: &str, registry: &str) -> bool {
    let key = key.split_once("://").map_or(key, |(_, rest)| rest);
    key.split('/').next() == Some(registry)
}

fn config_file() -> Option<PathBuf> {
    let folder = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from);
    let folder = folder.or_else(|| Some(std::env::home_dir()?.join(".docker")));
    folder.map(|folder| folder.join("config.json"))
}

pub(crate) fn auth(login: Option<&Login>) -> RegistryAuth {
    match login {
        Some(login) => RegistryAuth::Basic(login.username.clone(), login.password.clone()),
        None => RegistryAuth::Anonymous,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, registry: &str) -> Result<Option<Login>, RegistryError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.json");
        fs::write(&path, text).unwrap();
        Login::in_file(&path, registry)
    }

    #[test]
    fn what_docker_login_wrote_is_found_by_the_host() {
        // ann:secret:with:colons
        let text = r#"{"auths": {"https://r.test/v1/": {"auth": "YW5uOnNlY3JldDp3aXRoOmNvbG9ucw=="},
            "empty.test": {}}, "credsStore": "x"}"#;
        let login = read(text, "r.test").unwrap().unwrap();
        assert_eq!(
            (&*login.username, &*login.password),
            ("ann", "secret:with:colons")
        );
        assert!(!format!("{login:?}").contains("secret"));
        assert_eq!(read(text, "r.test:5000").unwrap(), None);
        assert_eq!(read(text, "empty.test").unwrap(), None);
        assert_eq!(
            Login::in_file(Path::new("/nowhere/x"), "r.test").unwrap(),
            None
        );
    }

    #[test]
    fn a_broken_file_is_named_without_its_text() {
        for text in [
            "{\"auths\": s3cret",
            r#"{"auths": {"r.test": {"auth": "s3cret"}}}"#,
        ] {
            let error = read(text, "r.test").unwrap_err().to_string();
            assert!(
                error.contains("config.json") && !error.contains("s3cret"),
                "{error}"
            );
        }
    }
}
