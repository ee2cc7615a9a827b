//! The servers that `shipway login` knows, each under a name, with the token
//! for it. One is the current one; `local` is the engine of this machine, whose
//! credentials file `serve` writes.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use shipway_core::secret::Secret;
use url::Url;

use crate::failure::Failure;
use crate::private_file;

const LONGEST_NAME: usize = 100;

/// What people call a server.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ContextName(String);

impl ContextName {
    /// The engine of this machine.
    pub fn local() -> Self {
        Self("local".to_owned())
    }

    pub fn is_local(&self) -> bool {
        *self == Self::local()
    }

    /// The name of a server that was given none: its host, and its port when
    /// that is not the usual one.
    pub fn of_server(server: &Url) -> Option<Self> {
        let host = server.host_str()?.trim_matches(['[', ']']);
        let host = host.replace(':', "-");
        match server.port() {
            Some(port) => format!("{host}-{port}").parse().ok(),
            None => host.parse().ok(),
        }
    }
}

impl FromStr for ContextName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        if (1..=LONGEST_NAME).contains(&text.len()) && text.chars().all(allowed) {
            return Ok(Self(text.to_owned()));
        }
        Err("a context's name has 1 to 100 letters, digits, dots, dashes and underscores".into())
    }
}

impl TryFrom<String> for ContextName {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<ContextName> for String {
    fn from(name: ContextName) -> Self {
        name.0
    }
}

impl fmt::Display for ContextName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// A server, and the token for it until `logout`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Context {
    pub server: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<Secret>,
}

#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Contexts {
    /// None means `local`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<ContextName>,
    #[serde(rename = "context")]
    pub all: BTreeMap<ContextName, Context>,
}

impl Contexts {
    /// Beside the credentials of the engine of this machine.
    pub fn path() -> anyhow::Result<PathBuf> {
        Ok(private_file::folder()?.join("contexts.toml"))
    }

    pub fn read(path: &Path) -> anyhow::Result<Self> {
        Ok(private_file::read(path)?.unwrap_or_default())
    }

    pub fn write(&self, path: &Path) -> anyhow::Result<()> {
        private_file::write(path, self)
    }

    pub fn get(&self, name: &ContextName) -> Result<&Context, Failure> {
        self.all.get(name).ok_or_else(|| {
            Failure::usage(format!("there is no context {name}")).with_hint(format!(
                "`shipway context list` shows them; `shipway login URL --context {name}` makes it"
            ))
        })
    }

    pub fn is_current(&self, name: &ContextName) -> bool {
        match &self.current {
            Some(current) => current == name,
            None => name.is_local(),
        }
    }

    /// Makes one the current one.
    pub fn choose(&mut self, name: &ContextName) {
        self.current = Some(name.clone()).filter(|name| !name.is_local());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> ContextName {
        text.parse().unwrap()
    }

    #[test]
    fn a_server_without_a_name_is_called_by_its_host() {
        let called = |url: &str| ContextName::of_server(&Url::parse(url).unwrap()).unwrap();
        assert_eq!(
            called("https://deploy.example.com/"),
            name("deploy.example.com")
        );
        assert_eq!(called("http://10.0.0.7:7766"), name("10.0.0.7-7766"));
        assert_eq!(called("http://[::1]:7766"), name("--1-7766"));
    }

    #[test]
    fn the_file_is_plain_and_a_name_is_checked() {
        let mut contexts = Contexts::default();
        let team = Context {
            server: "https://deploy.example.com".into(),
            token: Some(Secret::new("shipway_x")),
        };
        contexts.all.insert(name("team"), team);
        contexts.choose(&name("team"));
        let text = toml::to_string(&contexts).unwrap();
        insta::assert_snapshot!(text, @r#"
        current = "team"

        [context.team]
        server = "https://deploy.example.com"
        token = "shipway_x"
        "#);
        let read: Contexts = toml::from_str(&text).unwrap();
        assert!(read.is_current(&name("team")) && !read.is_current(&ContextName::local()));
        contexts.choose(&ContextName::local());
        assert_eq!(contexts.current, None);
        assert!("a b".parse::<ContextName>().is_err() && "".parse::<ContextName>().is_err());
    }

    #[test]
    fn an_unreadable_file_does_not_show_its_token() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("contexts.toml");
        std::fs::write(&path, "[context.a]\nserver = 1\ntoken = \"shipway_secret").unwrap();
        let error = format!("{:#}", Contexts::read(&path).unwrap_err());
        assert!(!error.contains("shipway_secret"), "{error}");
        assert!(error.contains("line"), "{error}");
    }
}
