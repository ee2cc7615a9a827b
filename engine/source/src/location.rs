//! The URL of a repository: which kind it is, what may be shown of it, and
//! where a relative one leads.

use std::path::Path;

use sha2::{Digest, Sha256};
use shipway_core::name::AppName;
use url::Url;

/// A repository's URL, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Location {
    /// As Git is given it; it may hold a password.
    raw: String,
    shown: String,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Web(Url),
    Ssh(Ssh),
    /// `file://…` or a path.
    Local,
    /// What was pushed to the engine.
    Pushed,
}

/// `ssh://user@host:port/path`, or `user@host:path` for short.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Ssh {
    user: Option<String>,
    host: String,
    port: u16,
    path: String,
    form: Form,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Url,
    Short,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BadLocation {
    #[error("{0:?} is no URL of a Git repository: {1}")]
    NotAUrl(String, &'static str),
    #[error("a submodule may not point to {0:?}, into this machine, from a repository elsewhere")]
    IntoThisMachine(String),
}

const FORMS: &str = "it must be https://…, ssh://…, user@host:path, file://… or an absolute path";
const SSH_PORT: u16 = 22;

impl Location {
    pub fn parse(raw: &str) -> Result<Self, BadLocation> {
        if raw.contains(char::is_control) || raw.trim() != raw {
            return Err(bad(raw, "it holds white space or control characters"));
        }
        if let Some(url) = raw.split_once("://").and_then(|_| Url::parse(raw).ok()) {
            return Self::of_url(raw, url);
        }
        if Path::new(raw).is_absolute() {
            return Ok(Self::new(raw, raw.to_owned(), Kind::Local));
        }
        match short_form(raw) {
            Some(ssh) => Ok(Self::new(
                raw,
                format!("{}:{}", ssh.host, ssh.path),
                Kind::Ssh(ssh),
            )),
            None => Err(bad(raw, FORMS)),
        }
    }

    /// What was pushed to an app. Its submodules may lie anywhere but on this
    /// machine.
    pub fn pushed(app: &AppName) -> Self {
        let shown = format!("what was pushed to {app}");
        Self::new(&shown, shown.clone(), Kind::Pushed)
    }

    pub fn is_pushed(&self) -> bool {
        self.kind == Kind::Pushed
    }

    fn of_url(raw: &str, url: Url) -> Result<Self, BadLocation> {
        let shown = without_user(&url);
        match url.scheme() {
            "https" | "http" => Ok(Self::new(raw, shown, Kind::Web(url))),
            "file" => Ok(Self::new(raw, shown, Kind::Local)),
            "ssh" | "git+ssh" | "ssh+git" => {
                let host = url
                    .host_str()
                    .ok_or_else(|| bad(&shown, "it has no host"))?;
                let ssh = Ssh {
                    user: Some(url.username().to_owned()).filter(|user| !user.is_empty()),
                    host: host.trim_matches(['[', ']']).to_owned(),
                    port: url.port().unwrap_or(SSH_PORT),
                    path: url.path().to_owned(),
                    form: Form::Url,
                };
                Ok(Self::new(raw, shown, Kind::Ssh(ssh)))
            }
            _ => Err(bad(&shown, FORMS)),
        }
    }

    fn new(raw: &str, shown: String, kind: Kind) -> Self {
        let raw = raw.to_owned();
        Self { raw, shown, kind }
    }

    /// For Git; it may hold a password.
    pub fn raw(&self) -> &str {
        &self.raw
    }

    /// For people: without user, password or query.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The name of its mirror's folder. A password is no part of it, so that a
    /// new one does not mean a new mirror.
    pub fn mirror_name(&self) -> String {
        let user = match &self.kind {
            Kind::Ssh(ssh) => ssh.user.as_deref().unwrap_or_default(),
            Kind::Web(_) | Kind::Local | Kind::Pushed => "",
        };
        let hash = Sha256::digest(format!("{user}\n{}", self.shown));
        hash.iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    pub fn is_local(&self) -> bool {
        self.kind == Kind::Local
    }

    pub fn user(&self) -> Option<&str> {
        match &self.kind {
            Kind::Ssh(ssh) => ssh.user.as_deref(),
            Kind::Web(_) | Kind::Local | Kind::Pushed => None,
        }
    }

    /// Whether the URL brings credentials of its own.
    pub fn has_password(&self) -> bool {
        match &self.kind {
            Kind::Web(url) => url.password().is_some() || !url.username().is_empty(),
            Kind::Ssh(_) | Kind::Local | Kind::Pushed => false,
        }
    }

    /// Host and port of an ssh server, as `known_hosts` names them.
    pub fn ssh_host(&self) -> Option<(&str, u16)> {
        match &self.kind {
            Kind::Ssh(ssh) => Some((&ssh.host, ssh.port)),
            Kind::Web(_) | Kind::Local | Kind::Pushed => None,
        }
    }

    /// Whether credentials for this may be shown to the other: same way, same
    /// host, same port.
    pub fn shares_credentials(&self, other: &Self) -> bool {
        match (&self.kind, &other.kind) {
            (Kind::Web(a), Kind::Web(b)) => a.origin() == b.origin(),
            (Kind::Ssh(a), Kind::Ssh(b)) => (&a.host, a.port) == (&b.host, b.port),
            _ => false,
        }
    }

    /// Where a submodule's URL leads, seen from here. A repository elsewhere
    /// may not point into this machine.
    pub fn join(&self, submodule: &str) -> Result<Self, BadLocation> {
        if !submodule.starts_with("./") && !submodule.starts_with("../") {
            let location = Self::parse(submodule)?;
            if location.is_local() && !self.is_local() {
                return Err(BadLocation::IntoThisMachine(location.shown));
            }
            return Ok(location);
        }
        if self.is_pushed() {
            return Err(bad(
                submodule,
                "nothing lies beside a pushed repository; give a whole URL",
            ));
        }
        let beyond = || bad(submodule, "it leads above the root of its host");
        let path = relative(self.path(), submodule).ok_or_else(beyond)?;
        Self::parse(&self.with_path(&path))
    }

    fn path(&self) -> &str {
        match &self.kind {
            Kind::Web(url) => url.path(),
            Kind::Ssh(ssh) => &ssh.path,
            Kind::Local => self.raw.strip_prefix("file://").unwrap_or(&self.raw),
            Kind::Pushed => "",
        }
    }

    fn with_path(&self, path: &str) -> String {
        match &self.kind {
            Kind::Web(url) => {
                let mut url = url.clone();
                url.set_path(path);
                url.into()
            }
            Kind::Ssh(ssh) => ssh.with_path(path),
            Kind::Local if self.raw.starts_with("file://") => format!("file://{path}"),
            Kind::Local | Kind::Pushed => path.to_owned(),
        }
    }
}

impl Ssh {
    fn with_path(&self, path: &str) -> String {
        let user = match &self.user {
            Some(user) => format!("{user}@"),
            None => String::new(),
        };
        match self.form {
            Form::Short => format!("{user}{}:{path}", self.host),
            Form::Url if self.host.contains(':') => {
                format!("ssh://{user}[{}]:{}{path}", self.host, self.port)
            }
            Form::Url => format!("ssh://{user}{}:{}{path}", self.host, self.port),
        }
    }
}

/// `[user@]host:path`, when it is that.
fn short_form(raw: &str) -> Option<Ssh> {
    let (address, path) = raw.split_once(':')?;
    let (user, host) = match address.split_once('@') {
        Some((user, host)) => (Some(user.to_owned()), host),
        None => (None, address),
    };
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_');
    let is_host = !host.is_empty() && !host.starts_with('-') && host.chars().all(fits);
    (is_host && !path.is_empty() && !path.starts_with(':')).then(|| Ssh {
        user,
        host: host.to_owned(),
        port: SSH_PORT,
        path: path.to_owned(),
        form: Form::Short,
    })
}

fn without_user(url: &Url) -> String {
    let mut url = url.clone();
    // These fail for URLs that cannot have a user; then there is none to hide.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}

/// A path, and from there a relative one; None when it climbs too far.
fn relative(base: &str, relative: &str) -> Option<String> {
    let mut parts: Vec<&str> = base.trim_end_matches('/').split('/').collect();
    for part in relative.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop().filter(|part| !part.is_empty())?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/")).filter(|path| !path.is_empty())
}

fn bad(raw: &str, why: &'static str) -> BadLocation {
    BadLocation::NotAUrl(raw.to_owned(), why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn location(raw: &str) -> Location {
        Location::parse(raw).unwrap()
    }

    #[test]
    fn nothing_secret_is_shown() {
        for (raw, shown) in [
            (
                "https://me:hush@git.example.com/a.git?key=1",
                "https://git.example.com/a.git",
            ),
            (
                "https://hush@git.example.com/a",
                "https://git.example.com/a",
            ),
            (
                "ssh://git@example.com:2222/a.git",
                "ssh://example.com:2222/a.git",
            ),
            ("git@example.com:team/a.git", "example.com:team/a.git"),
            ("example.com:a", "example.com:a"),
            ("file:///srv/a.git", "file:///srv/a.git"),
            ("/srv/a.git", "/srv/a.git"),
        ] {
            assert_eq!(location(raw).shown(), shown);
        }
    }

    #[test]
    fn what_is_no_repository_is_refused_and_named_without_its_password() {
        for raw in [
            "",
            "a",
            "./a",
            "ext::sh -c x",
            "git://example.com/a",
            "a b:c",
            "-o:x",
            ":x",
            "ftp://u:hush@h/p",
        ] {
            let error = Location::parse(raw).unwrap_err().to_string();
            assert!(!error.contains("hush"), "{error}");
        }
    }

    #[test]
    fn a_new_password_keeps_the_mirror() {
        let one = location("https://me:one@example.com/a.git").mirror_name();
        let two = location("https://me:two@example.com/a.git").mirror_name();
        assert_eq!(one, two);
        assert_ne!(one, location("https://example.com/b.git").mirror_name());
    }

    #[test]
    fn a_relative_submodule_is_beside_its_parent() {
        for (parent, relative, expected) in [
            (
                "https://u:p@example.com/team/a.git",
                "../b.git",
                "https://u:p@example.com/team/b.git",
            ),
            (
                "https://example.com/team/a.git/",
                "./b",
                "https://example.com/team/a.git/b",
            ),
            (
                "git@example.com:team/a.git",
                "../b.git",
                "git@example.com:team/b.git",
            ),
            ("git@example.com:a.git", "../b.git", "git@example.com:b.git"),
            (
                "ssh://git@example.com:2222/team/a",
                "../../b",
                "ssh://git@example.com:2222/b",
            ),
            ("file:///srv/a", "../b", "file:///srv/b"),
            ("/srv/a", "../b", "/srv/b"),
        ] {
            assert_eq!(location(parent).join(relative).unwrap().raw(), expected);
        }
        assert!(location("https://example.com/a").join("../../b").is_err());
    }

    #[test]
    fn only_a_local_repository_has_local_submodules() {
        let web = location("https://example.com/a");
        assert!(matches!(
            web.join("/srv/b"),
            Err(BadLocation::IntoThisMachine(_))
        ));
        assert!(matches!(
            web.join("file:///srv/b"),
            Err(BadLocation::IntoThisMachine(_))
        ));
        assert!(location("/srv/a").join("file:///srv/b").is_ok());
    }

    #[test]
    fn what_was_pushed_has_no_submodules_on_this_machine() {
        let pushed = Location::pushed(&"shop".parse().unwrap());
        assert_eq!(pushed.shown(), "what was pushed to shop");
        for wrong in ["../other.git", "./other", "/srv/b", "file:///srv/b"] {
            assert!(pushed.join(wrong).is_err(), "{wrong}");
        }
        assert!(pushed.join("https://example.com/b").is_ok());
    }

    #[test]
    fn credentials_stay_with_their_host() {
        let web = location("https://example.com/a");
        assert!(web.shares_credentials(&location("https://example.com/b")));
        for other in [
            "http://example.com/b",
            "https://example.com:8443/b",
            "https://example.org/b",
            "git@example.com:b",
            "/b",
        ] {
            assert!(!web.shares_credentials(&location(other)), "{other}");
        }
        let ssh = location("git@example.com:a");
        assert!(ssh.shares_credentials(&location("ssh://git@example.com/b")));
        assert!(!ssh.shares_credentials(&location("ssh://git@example.com:2222/b")));
    }
}
