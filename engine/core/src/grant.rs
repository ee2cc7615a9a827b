//! Grants: what an operator lets a plugin do. The effective right is what the
//! plugin asks for and what the operator grants, and this module alone decides.

use globset::{GlobBuilder, GlobMatcher};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::plugin::Request;

/// What the operator granted. The default grants nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(default, deny_unknown_fields)]
pub struct Grants {
    /// Globs of the commit's files.
    pub files: Vec<String>,
    /// Whether it may run the image probe.
    pub image: ImageGrant,
    pub http: Vec<HttpGrant>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ImageGrant {
    #[default]
    Denied,
    Granted,
}

/// One origin that a plugin may talk to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(deny_unknown_fields)]
pub struct HttpGrant {
    /// `https://host[:port]`.
    pub origin: String,
    /// Upper-case; empty means all.
    #[serde(default)]
    pub methods: Vec<String>,
    /// Whether the host may be a private, loopback or link-local address.
    #[serde(default)]
    pub addresses: Addresses,
    /// Names of secret settings that may be sent there.
    #[serde(default)]
    pub secrets: Vec<String>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Addresses {
    #[default]
    Public,
    /// Private ones too.
    Any,
}

/// A refusal: what was refused, and the command that would allow it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} is not granted; to allow it: shipway plugin grant {arguments}")]
pub struct Denied {
    pub what: String,
    /// The arguments of `shipway plugin grant` that would allow it.
    pub arguments: String,
}

/// Files that nobody is granted, whatever the globs say.
fn is_never_readable(path: &str) -> bool {
    path.is_empty()
        || path.starts_with('/')
        || path.contains('\\')
        || path.contains('\0')
        || path.split('/').any(|part| {
            matches!(part, "" | "." | "..")
                || part.eq_ignore_ascii_case(".git")
                || part.to_ascii_lowercase().starts_with(".env")
        })
}

/// What one plugin may do: its requests and the grants, intersected.
#[derive(Debug, Clone)]
pub struct Rights {
    plugin: String,
    asked: Vec<GlobMatcher>,
    granted: Vec<GlobMatcher>,
    asks_for_http: bool,
    image: ImageGrant,
    asks_for_image: bool,
    http: Vec<HttpGrant>,
}

impl Rights {
    pub fn new(plugin: &str, requests: &[Request], grants: &Grants) -> Self {
        let asks = |capability: &str| requests.iter().any(|r| r.capability == capability);
        let asked = requests
            .iter()
            .filter(|request| request.capability == "files")
            .flat_map(|request| &request.targets);
        Self {
            plugin: plugin.to_owned(),
            asked: asked.filter_map(|glob| matcher(glob)).collect(),
            granted: grants
                .files
                .iter()
                .filter_map(|glob| matcher(glob))
                .collect(),
            asks_for_http: asks("http"),
            image: grants.image,
            asks_for_image: asks("image"),
            http: grants.http.clone(),
        }
    }

    /// Whether a file of the commit may be read or named.
    pub fn file(&self, path: &str) -> Result<(), Denied> {
        let covered = |globs: &[GlobMatcher]| globs.iter().any(|glob| glob.is_match(path));
        if !is_never_readable(path) && covered(&self.asked) && covered(&self.granted) {
            return Ok(());
        }
        Err(self.denied(format!("file {path:?}"), format!("--files '{path}'")))
    }

    /// Whether the image probe may be run.
    pub fn image(&self) -> Result<(), Denied> {
        match (self.asks_for_image, self.image) {
            (true, ImageGrant::Granted) => Ok(()),
            _ => Err(self.denied("the image probe".to_owned(), "--image".to_owned())),
        }
    }

    /// The grant under which a request may be sent.
    pub fn http(&self, method: &str, url: &Url) -> Result<&HttpGrant, Denied> {
        let origin = url.origin().ascii_serialization();
        let fits = |grant: &&HttpGrant| {
            Url::parse(&grant.origin).is_ok_and(|granted| granted.origin() == url.origin())
                && (grant.methods.is_empty() || grant.methods.iter().any(|m| m == method))
        };
        self.http
            .iter()
            .find(fits)
            .filter(|_| self.asks_for_http && url.origin().is_tuple())
            .ok_or_else(|| self.denied(format!("{method} {origin}"), format!("--http {origin}")))
    }

    fn denied(&self, what: String, flag: String) -> Denied {
        Denied {
            what,
            arguments: format!("{} {flag}", self.plugin),
        }
    }
}

/// `*` stays within a folder, `**` does not.
fn matcher(glob: &str) -> Option<GlobMatcher> {
    GlobBuilder::new(glob)
        .literal_separator(true)
        .build()
        .ok()
        .map(|glob| glob.compile_matcher())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(capability: &str, targets: &[&str]) -> Request {
        Request {
            capability: capability.into(),
            targets: targets.iter().map(|t| (*t).to_owned()).collect(),
            reason: "because".into(),
        }
    }

    fn http(origin: &str, methods: &[&str]) -> HttpGrant {
        HttpGrant {
            origin: origin.into(),
            methods: methods.iter().map(|m| (*m).to_owned()).collect(),
            addresses: Addresses::Public,
            secrets: vec![],
        }
    }

    #[test]
    fn nothing_is_granted_by_default_and_a_request_is_no_grant() {
        let asked = [
            request("files", &["**"]),
            request("image", &[]),
            request("http", &[]),
        ];
        let rights = Rights::new("p", &asked, &Grants::default());
        assert!(rights.file("Procfile").is_err());
        assert!(rights.image().is_err());
        assert!(
            rights
                .http("GET", &Url::parse("https://example.com").unwrap())
                .is_err()
        );
    }

    #[test]
    fn a_grant_without_a_request_is_none_either() {
        let grants = Grants {
            files: vec!["**".into()],
            image: ImageGrant::Granted,
            http: vec![http("https://example.com", &[])],
        };
        let rights = Rights::new("p", &[], &grants);
        assert!(rights.file("Procfile").is_err());
        assert!(rights.image().is_err());
        assert!(
            rights
                .http("GET", &Url::parse("https://example.com").unwrap())
                .is_err()
        );
    }

    #[test]
    fn no_glob_reaches_git_env_files_or_out_of_the_tree() {
        let grants = Grants {
            files: vec!["**".into()],
            ..Grants::default()
        };
        let rights = Rights::new("p", &[request("files", &["**"])], &grants);
        assert!(rights.file("addons/x/addon.json").is_ok());
        for path in [
            "../x",
            "/etc/passwd",
            ".git/config",
            "a/.GIT/x",
            ".env",
            "a/.env.local",
            "a//b",
            "./a",
            "a\\b",
            "",
        ] {
            assert!(rights.file(path).is_err(), "{path:?}");
        }
    }

    #[test]
    fn an_http_grant_is_scheme_host_port_and_methods() {
        let grants = Grants {
            http: vec![http("https://hooks.example.com", &["POST"])],
            ..Grants::default()
        };
        let rights = Rights::new("p", &[request("http", &[])], &grants);
        let may = |method: &str, url: &str| rights.http(method, &Url::parse(url).unwrap()).is_ok();
        assert!(may("POST", "https://hooks.example.com/x?y"));
        assert!(may("POST", "https://hooks.example.com:443/"));
        assert!(!may("GET", "https://hooks.example.com/"));
        assert!(!may("POST", "http://hooks.example.com/"));
        assert!(!may("POST", "https://hooks.example.com:8443/"));
        assert!(!may("POST", "https://hooks.example.com.evil.org/"));
        assert!(!may("POST", "data:text/plain,x"));
    }

    #[test]
    fn a_denial_says_the_command_that_would_allow_it() {
        let rights = Rights::new("procfile", &[], &Grants::default());
        let denied = rights.file("Procfile").unwrap_err().to_string();
        assert!(
            denied.ends_with("shipway plugin grant procfile --files 'Procfile'"),
            "{denied}"
        );
    }
}
