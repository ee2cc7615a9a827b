//! Grants: what an operator lets a plugin do. The effective right is what the
//! plugin asks for and what the operator grants, and this module alone decides.

use std::collections::BTreeMap;

use globset::{GlobBuilder, GlobMatcher};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::environment::Variable;
use crate::plugin::{Description, Request};

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

impl Grants {
    /// Grants that allow all that a plugin asks for, as far as it can be told:
    /// an origin that stands in a setting is known once the setting has a value.
    pub fn requested(description: &Description, settings: &BTreeMap<String, Variable>) -> Self {
        let mut grants = Self::default();
        for request in &description.requests {
            match request.capability.as_str() {
                "files" => grants.files.extend(request.targets.iter().cloned()),
                "image" => grants.image = ImageGrant::Granted,
                "http" => grants.http.extend(
                    request
                        .targets
                        .iter()
                        .filter_map(|target| origin_of(target, settings))
                        .map(|origin| HttpGrant::full(origin, description)),
                ),
                _ => {}
            }
        }
        grants
    }

    /// The requests that these grants do not allow, or allow in part.
    pub fn lacks(
        &self,
        description: &Description,
        settings: &BTreeMap<String, Variable>,
    ) -> Vec<Request> {
        let has_origin = |target: &String| {
            origin_of(target, settings)
                .is_some_and(|origin| self.http.iter().any(|grant| grant.origin == origin))
        };
        let lacking = |request: &&Request| match request.capability.as_str() {
            "files" => !request.targets.iter().all(|t| self.files.contains(t)),
            "image" => self.image == ImageGrant::Denied,
            "http" => !request.targets.iter().all(has_origin),
            _ => false,
        };
        description
            .requests
            .iter()
            .filter(lacking)
            .cloned()
            .collect()
    }

    /// The first thing wrong with them, in words.
    pub fn problem(&self) -> Option<String> {
        if let Some(glob) = self.files.iter().find(|glob| matcher(glob).is_none()) {
            return Some(format!("files: {glob:?} is no glob"));
        }
        let is_origin = |text: &str| {
            Url::parse(text).is_ok_and(|url| {
                matches!(url.scheme(), "http" | "https")
                    && url.origin().ascii_serialization() == text.trim_end_matches('/')
            })
        };
        self.http
            .iter()
            .find(|grant| !is_origin(&grant.origin))
            .map(|grant| {
                format!(
                    "http: {:?} is no origin such as https://hooks.example.com, without a path",
                    grant.origin
                )
            })
    }
}

impl HttpGrant {
    /// Every method, public addresses, and the plugin's own secrets.
    fn full(origin: String, description: &Description) -> Self {
        let secrets = description.settings.iter().filter(|setting| setting.secret);
        Self {
            origin,
            methods: Vec::new(),
            addresses: Addresses::Public,
            secrets: secrets.map(|setting| setting.name.clone()).collect(),
        }
    }
}

impl HttpGrant {
    /// As arguments of `shipway plugin grant`, which replaces what was granted
    /// to the origin before.
    fn arguments(&self) -> String {
        let mut arguments = format!("--http {}", self.origin);
        if !self.methods.is_empty() {
            arguments += &format!(" --methods {}", self.methods.join(","));
        }
        if self.addresses == Addresses::Any {
            arguments += " --private";
        }
        if !self.secrets.is_empty() {
            arguments += &format!(" --send {}", self.secrets.join(","));
        }
        arguments
    }

    fn bare(origin: &str) -> Self {
        Self {
            origin: origin.to_owned(),
            methods: Vec::new(),
            addresses: Addresses::Public,
            secrets: Vec::new(),
        }
    }
}

/// The origin that a request's target means: itself, or that of the URL in
/// `setting:NAME`.
fn origin_of(target: &str, settings: &BTreeMap<String, Variable>) -> Option<String> {
    let text = match target.strip_prefix("setting:") {
        Some(name) => settings.get(name)?.reveal(),
        None => target,
    };
    let origin = Url::parse(text).ok()?.origin();
    origin.is_tuple().then(|| origin.ascii_serialization())
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
pub fn is_never_readable(path: &str) -> bool {
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
        let asked = covered(&self.asked);
        if !is_never_readable(path) && asked && covered(&self.granted) {
            return Ok(());
        }
        Err(self.denied(
            format!("file {path:?}{}", unless_asked(asked)),
            format!("--files '{path}'"),
        ))
    }

    /// Whether the image probe may be run.
    pub fn image(&self) -> Result<(), Denied> {
        match (self.asks_for_image, self.image) {
            (true, ImageGrant::Granted) => Ok(()),
            (asked, _) => Err(self.denied(
                format!("the image probe{}", unless_asked(asked)),
                "--image".to_owned(),
            )),
        }
    }

    /// The grant under which a request may be sent.
    pub fn http(&self, method: &str, url: &Url) -> Result<&HttpGrant, Denied> {
        let same_origin = |grant: &&HttpGrant| {
            Url::parse(&grant.origin).is_ok_and(|granted| granted.origin() == url.origin())
        };
        let allows = |grant: &&HttpGrant| {
            grant.methods.is_empty() || grant.methods.iter().any(|m| m == method)
        };
        let mut of_origin = self.http.iter().filter(same_origin);
        let first = of_origin.clone().next();
        of_origin
            .find(allows)
            .filter(|_| self.asks_for_http && url.origin().is_tuple())
            .ok_or_else(|| self.http_denied(method, url, first))
    }

    /// Whether an origin that is granted may be an address that is not public.
    pub fn private_address(&self, grant: &HttpGrant) -> Result<(), Denied> {
        let what = format!("{}, which is no public address,", grant.origin);
        let wanted = HttpGrant {
            addresses: Addresses::Any,
            ..grant.clone()
        };
        match grant.addresses {
            Addresses::Any => Ok(()),
            Addresses::Public => Err(self.denied(what, wanted.arguments())),
        }
    }

    /// Whether a secret setting may be sent under a grant.
    pub fn secret(&self, grant: &HttpGrant, setting: &str) -> Result<(), Denied> {
        match grant.secrets.iter().any(|granted| granted == setting) {
            true => Ok(()),
            false => Err(self.secret_denied(grant.clone(), setting)),
        }
    }

    /// The refusal to send a secret to an origin that has no grant at all.
    pub fn secret_without_grant(&self, origin: &str, setting: &str) -> Denied {
        self.secret_denied(HttpGrant::bare(origin), setting)
    }

    fn secret_denied(&self, mut wanted: HttpGrant, setting: &str) -> Denied {
        wanted.secrets.push(setting.to_owned());
        let what = format!("the secret {setting:?} for {}", wanted.origin);
        self.denied(what, wanted.arguments())
    }

    fn http_denied(&self, method: &str, url: &Url, granted: Option<&HttpGrant>) -> Denied {
        let origin = url.origin().ascii_serialization();
        let mut wanted = granted.cloned().unwrap_or_else(|| HttpGrant::bare(&origin));
        if !wanted.methods.is_empty() {
            wanted.methods.push(method.to_owned());
        }
        let what = format!("{method} {origin}{}", unless_asked(self.asks_for_http));
        self.denied(what, wanted.arguments())
    }

    fn denied(&self, what: String, flag: String) -> Denied {
        Denied {
            what,
            arguments: format!("{} {flag}", self.plugin),
        }
    }
}

/// What no grant helps against: the plugin's own manifest is silent.
fn unless_asked(asked: bool) -> &'static str {
    match asked {
        true => "",
        false => ", which the plugin's manifest does not ask for,",
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
    fn private_addresses_and_secrets_are_granted_one_by_one() {
        let rights = Rights::new("webhook", &[], &Grants::default());
        let mut grant = http("https://hooks.example.com", &["POST"]);
        let grant_all = "webhook --http https://hooks.example.com --methods POST --private";
        let denied = rights.private_address(&grant).unwrap_err();
        assert_eq!(denied.arguments, grant_all);
        grant.addresses = Addresses::Any;
        grant.secrets = vec!["key".into()];
        let denied = rights.secret(&grant, "token").unwrap_err();
        assert_eq!(denied.arguments, format!("{grant_all} --send key,token"));
        grant.secrets.push("token".into());
        assert!(rights.private_address(&grant).is_ok());
        assert!(rights.secret(&grant, "token").is_ok());
        assert!(rights.secret(&grant, "other").is_err());
    }

    #[test]
    fn a_denied_method_is_granted_beside_the_others() {
        let grants = Grants {
            http: vec![http("https://hooks.example.com", &["POST"])],
            ..Grants::default()
        };
        let rights = Rights::new("p", &[request("http", &[])], &grants);
        let url = Url::parse("https://hooks.example.com/x").unwrap();
        let denied = rights.http("PUT", &url).unwrap_err();
        assert_eq!(
            denied.arguments,
            "p --http https://hooks.example.com --methods POST,PUT"
        );
    }

    #[test]
    fn a_denial_says_when_no_grant_would_help() {
        let rights = Rights::new("p", &[], &Grants::default());
        let denied = rights.image().unwrap_err();
        assert!(denied.what.contains("does not ask for"), "{denied}");
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
