//! What one plugin may do: what it asks for and what it is granted,
//! intersected.

use std::collections::BTreeMap;
use std::sync::OnceLock;

use globset::GlobMatcher;
use url::Url;

use super::target::matcher;
use super::{Addresses, Grants, HttpGrant, HttpTarget, Permission, Place, SecretUse};
use crate::environment::Variable;
use crate::plugin::{Description, Request};

/// A refusal: what was refused, and what helps.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} is not granted; {remedy}")]
pub struct Denied {
    pub what: String,
    pub remedy: Remedy,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Remedy {
    /// The arguments of `shipway plugin grant` that would allow it.
    Grant(String),
    /// The plugin's own manifest is silent.
    NotAsked,
    /// Nobody may.
    Never,
}

impl std::fmt::Display for Remedy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Grant(arguments) => {
                write!(f, "to allow it: shipway plugin grant {arguments}")
            }
            Self::NotAsked => {
                f.write_str("no grant helps, since the plugin's manifest does not ask for it")
            }
            Self::Never => f.write_str("no plugin may have it"),
        }
    }
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

/// What one plugin may do in one call.
#[derive(Debug, Clone, Default)]
pub struct Rights {
    plugin: String,
    asked: Asked,
    granted_files: Globs,
    granted: Grants,
}

/// What the manifest asks for, read once.
#[derive(Debug, Clone, Default)]
struct Asked {
    files: Globs,
    variables: Vec<String>,
    image: bool,
    exec: bool,
    http: Vec<HttpTarget>,
    places: BTreeMap<String, Vec<Place>>,
}

/// Globs, each compiled when the first path is held against it that it may
/// match: many a call reads no file, and many a glob is a path.
#[derive(Debug, Clone, Default)]
struct Globs(Vec<LazyGlob>);

#[derive(Debug, Clone)]
struct LazyGlob {
    text: String,
    matcher: OnceLock<Option<GlobMatcher>>,
}

impl Globs {
    fn new<'a>(texts: impl IntoIterator<Item = &'a String>) -> Self {
        let lazy = |text: &String| LazyGlob {
            text: text.clone(),
            matcher: OnceLock::new(),
        };
        Self(texts.into_iter().map(lazy).collect())
    }

    fn cover(&self, path: &str) -> bool {
        self.0.iter().any(|glob| glob.covers(path))
    }
}

impl LazyGlob {
    /// What stands before the first sign with a meaning stands in the path
    /// too; a glob without one is the path itself.
    fn covers(&self, path: &str) -> bool {
        let is_sign = |c| matches!(c, '*' | '?' | '[' | ']' | '{' | '}' | '\\' | '!' | ',');
        match self.text.find(is_sign) {
            None => self.text == path,
            Some(sign) => {
                let fixed = self.text.get(..sign).unwrap_or_default();
                path.starts_with(fixed) && self.compiled().is_some_and(|glob| glob.is_match(path))
            }
        }
    }

    fn compiled(&self) -> Option<&GlobMatcher> {
        self.matcher.get_or_init(|| matcher(&self.text)).as_ref()
    }
}

impl Asked {
    fn read(description: &Description, settings: &BTreeMap<String, Variable>) -> Self {
        let of = |capability: &'static str| {
            let requests = description.requests.iter();
            requests.filter(move |request| request.capability == capability)
        };
        let targets = |capability| of(capability).flat_map(|request: &Request| &request.targets);
        let secrets = description.settings.iter();
        Self {
            files: Globs::new(targets("files")),
            variables: targets("variables").cloned().collect(),
            image: of("image").next().is_some(),
            exec: of("exec").next().is_some(),
            http: of("http")
                .flat_map(|request| HttpTarget::all(request, settings))
                .collect(),
            places: secrets
                .map(|setting| (setting.name.clone(), setting.places.clone()))
                .collect(),
        }
    }

    fn http(&self, method: &str, origin: &str) -> bool {
        self.http.iter().any(|target| {
            target.origin == origin
                && (target.methods.is_empty() || target.methods.iter().any(|own| own == method))
        })
    }

    fn sends(&self, setting: &str, place: &Place) -> bool {
        let places = self.places.get(setting);
        places.is_some_and(|places| places.contains(place))
    }
}

impl Rights {
    /// The settings are those of the call: an origin may stand in one.
    pub fn new(
        description: &Description,
        settings: &BTreeMap<String, Variable>,
        grants: &Grants,
    ) -> Self {
        Self {
            plugin: description.name.to_string(),
            asked: Asked::read(description, settings),
            granted_files: Globs::new(&grants.files),
            granted: grants.clone(),
        }
    }

    /// Whether a file of the commit may be read or named.
    pub fn file(&self, path: &str) -> Result<(), Denied> {
        let what = || format!("file {path:?}");
        if is_never_readable(path) {
            return Err(Denied {
                what: what(),
                remedy: Remedy::Never,
            });
        }
        let granted = self.granted_files.cover(path);
        self.decide(self.asked.files.cover(path), granted, what, || {
            format!("--files '{path}'")
        })
    }

    /// Whether a variable of the environment may be read.
    pub fn variable(&self, name: &str) -> Result<(), Denied> {
        let named = |names: &[String]| names.iter().any(|own| own == name);
        self.decide(
            named(&self.asked.variables),
            named(&self.granted.variables),
            || format!("the variable {name:?}"),
            || format!("--variables {name}"),
        )
    }

    /// Whether the image probe may be run.
    pub fn image(&self) -> Result<(), Denied> {
        self.decide(
            self.asked.image,
            self.granted.image == Permission::Granted,
            || "the image probe".to_owned(),
            || "--image".to_owned(),
        )
    }

    /// Whether commands may be run in the candidate.
    pub fn exec(&self) -> Result<(), Denied> {
        self.decide(
            self.asked.exec,
            self.granted.exec == Permission::Granted,
            || "a command in the candidate".to_owned(),
            || "--exec".to_owned(),
        )
    }

    /// The grant under which a request may be sent.
    pub fn http(&self, method: &str, url: &Url) -> Result<&HttpGrant, Denied> {
        let origin = url.origin().ascii_serialization();
        let asked = url.origin().is_tuple() && self.asked.http(method, &origin);
        let mut of_origin = self
            .granted
            .http
            .iter()
            .filter(|grant| grant.is_for(&origin));
        let first = of_origin.clone().next();
        let granted = of_origin.find(|grant| grant.allows(method));
        let wanted = || {
            let mut wanted = first.cloned().unwrap_or_else(|| HttpGrant::bare(&origin));
            if !wanted.methods.is_empty() {
                wanted.methods.push(method.to_owned());
            }
            wanted.arguments()
        };
        let what = || format!("{method} {origin}");
        self.decide(asked, granted.is_some(), what, wanted)?;
        granted.ok_or_else(|| Denied {
            what: what(),
            remedy: Remedy::NotAsked,
        })
    }

    /// Whether an origin that is granted may be an address that is not public.
    pub fn private_address(&self, grant: &HttpGrant) -> Result<(), Denied> {
        let wanted = HttpGrant {
            addresses: Addresses::Any,
            ..grant.clone()
        };
        self.decide(
            true,
            grant.addresses == Addresses::Any,
            || format!("{}, which is no public address,", grant.origin),
            || wanted.arguments(),
        )
    }

    /// Whether a secret setting may be sent under a grant, in this place.
    pub fn secret(&self, grant: &HttpGrant, setting: &str, place: &Place) -> Result<(), Denied> {
        let uses = grant.secrets.iter();
        let mut uses = uses.filter_map(|text| text.parse::<SecretUse>().ok());
        let granted = uses.any(|granted| granted.covers(setting, place));
        self.decide_secret(grant.clone(), granted, setting, place)
    }

    /// The refusal to send a secret to an origin that has no grant at all.
    pub fn secret_without_grant(
        &self,
        origin: &str,
        setting: &str,
        place: &Place,
    ) -> Result<(), Denied> {
        self.decide_secret(HttpGrant::bare(origin), false, setting, place)
    }

    fn decide_secret(
        &self,
        mut wanted: HttpGrant,
        granted: bool,
        setting: &str,
        place: &Place,
    ) -> Result<(), Denied> {
        let what = format!(
            "the secret {setting:?} in the {place} for {}",
            wanted.origin
        );
        wanted.secrets.push(setting.to_owned());
        self.decide(
            self.asked.sends(setting, place),
            granted,
            || what,
            || wanted.arguments(),
        )
    }

    /// A right is asked for *and* granted; nothing else is one.
    fn decide(
        &self,
        asked: bool,
        granted: bool,
        what: impl FnOnce() -> String,
        arguments: impl FnOnce() -> String,
    ) -> Result<(), Denied> {
        let remedy = match (asked, granted) {
            (true, true) => return Ok(()),
            (true, false) => Remedy::Grant(format!("{} {}", self.plugin, arguments())),
            (false, _) => Remedy::NotAsked,
        };
        Err(Denied {
            what: what(),
            remedy,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plugin::{Role, SettingDescription};

    #[test]
    fn a_glob_that_is_not_compiled_says_what_it_would_say() {
        let globs = [
            "Releasefile",
            "Releasefile.d/*",
            "a,b",
            "**/Procfile",
            "{a,b}/c",
            "x[0-9]",
            "x\\*",
            "!x",
            "",
        ];
        let paths = [
            "Releasefile",
            "Releasefile.d/x",
            "Releasefile.d/x/y",
            "a,b",
            "Procfile",
            "deep/Procfile",
            "b/c",
            "x7",
            "x*",
            "!x",
            "releasefile",
        ];
        for text in globs.map(str::to_owned) {
            let lazy = Globs::new([&text]);
            for path in paths {
                let compiled = matcher(&text).is_some_and(|glob| glob.is_match(path));
                assert_eq!(lazy.cover(path), compiled, "{text:?} and {path:?}");
            }
        }
    }

    fn request(capability: &str, targets: &[&str]) -> Request {
        Request {
            capability: capability.into(),
            targets: targets.iter().map(|t| (*t).to_owned()).collect(),
            reason: "because".into(),
        }
    }

    fn http(origin: &str, methods: &[&str]) -> HttpGrant {
        HttpGrant {
            methods: methods.iter().map(|m| (*m).to_owned()).collect(),
            ..HttpGrant::bare(origin)
        }
    }

    fn secret(name: &str, places: &[&str]) -> SettingDescription {
        SettingDescription {
            name: name.into(),
            summary: "A secret.".into(),
            required: false,
            secret: true,
            places: places.iter().map(|place| place.parse().unwrap()).collect(),
        }
    }

    fn description(requests: Vec<Request>, settings: Vec<SettingDescription>) -> Description {
        Description {
            name: "p".parse().unwrap(),
            version: "1.0.0".into(),
            summary: "A plugin.".into(),
            digest: "a".repeat(64).parse().unwrap(),
            size: 1,
            roles: vec![Role::Notifier],
            settings,
            requests,
        }
    }

    fn rights(requests: &[Request], grants: &Grants) -> Rights {
        let description = description(requests.to_vec(), vec![]);
        Rights::new(&description, &BTreeMap::new(), grants)
    }

    fn everything_asked() -> [Request; 5] {
        [
            request("files", &["**"]),
            request("variables", &["STAGE"]),
            request("image", &[]),
            request("exec", &[]),
            request("http", &["https://example.com"]),
        ]
    }

    fn everything_granted() -> Grants {
        Grants {
            files: vec!["**".into()],
            variables: vec!["STAGE".into()],
            image: Permission::Granted,
            exec: Permission::Granted,
            http: vec![http("https://example.com", &[])],
        }
    }

    fn answers(rights: &Rights) -> [bool; 5] {
        let url = Url::parse("https://example.com/x").unwrap();
        [
            rights.file("Procfile").is_ok(),
            rights.variable("STAGE").is_ok(),
            rights.image().is_ok(),
            rights.exec().is_ok(),
            rights.http("GET", &url).is_ok(),
        ]
    }

    #[test]
    fn a_right_is_asked_for_and_granted() {
        let (asked, granted) = (everything_asked(), everything_granted());
        assert_eq!(answers(&rights(&asked, &granted)), [true; 5]);
        assert_eq!(answers(&rights(&asked, &Grants::default())), [false; 5]);
        assert_eq!(answers(&rights(&[], &granted)), [false; 5]);
        assert_eq!(answers(&Rights::default()), [false; 5]);
    }

    #[test]
    fn no_glob_reaches_git_env_files_or_out_of_the_tree() {
        let rights = rights(&everything_asked(), &everything_granted());
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
    fn an_http_right_is_scheme_host_port_and_methods() {
        let asked = [request(
            "http",
            &[
                "POST,GET https://hooks.example.com",
                "http://any.example.com",
            ],
        )];
        let grants = Grants {
            http: vec![
                http("https://hooks.example.com", &["POST", "PUT"]),
                http("http://any.example.com", &["GET"]),
                http("https://not-asked.example.com", &[]),
            ],
            ..Grants::default()
        };
        let rights = rights(&asked, &grants);
        let may = |method: &str, url: &str| rights.http(method, &Url::parse(url).unwrap()).is_ok();
        assert!(may("POST", "https://hooks.example.com/x?y"));
        assert!(may("POST", "https://hooks.example.com:443/"));
        assert!(may("GET", "http://any.example.com/"));
        for (method, url, why) in [
            ("GET", "https://hooks.example.com/", "asked, not granted"),
            ("PUT", "https://hooks.example.com/", "granted, not asked"),
            ("POST", "http://any.example.com/", "another method"),
            ("POST", "http://hooks.example.com/", "another scheme"),
            ("POST", "https://hooks.example.com:8443/", "another port"),
            (
                "POST",
                "https://hooks.example.com.evil.org/",
                "another host",
            ),
            ("GET", "https://not-asked.example.com/", "not asked"),
            ("POST", "data:text/plain,x", "no origin"),
        ] {
            assert!(!may(method, url), "{why}");
        }
    }

    #[test]
    fn an_origin_may_stand_in_a_setting() {
        let asked = description(vec![request("http", &["POST setting:url"])], vec![]);
        let url = "https://hooks.example.com/in";
        let settings = BTreeMap::from([("url".to_owned(), Variable::Plain(url.into()))]);
        let grants = Grants::requested(&asked, &settings);
        assert_eq!(grants.http, [http("https://hooks.example.com", &["POST"])]);
        assert!(grants.lacks(&asked, &settings).is_empty());
        let rights = Rights::new(&asked, &settings, &grants);
        assert!(rights.http("POST", &Url::parse(url).unwrap()).is_ok());

        let elsewhere = "https://other.example.com/in";
        let settings = BTreeMap::from([("url".to_owned(), Variable::Plain(elsewhere.into()))]);
        let rights = Rights::new(&asked, &settings, &grants);
        let denied = rights.http("POST", &Url::parse(elsewhere).unwrap());
        assert_ne!(denied.unwrap_err().remedy, Remedy::NotAsked);
        assert!(rights.http("POST", &Url::parse(url).unwrap()).is_err());
        assert_eq!(grants.lacks(&asked, &settings).len(), 1);
    }

    #[test]
    fn a_secret_is_sent_where_it_is_asked_for_and_granted() {
        let asked = description(
            vec![],
            vec![secret("token", &["header:authorization", "body"])],
        );
        let rights = Rights::new(&asked, &BTreeMap::new(), &Grants::default());
        let header = Place::Header("authorization".into());
        let mut grant = http("https://hooks.example.com", &["POST"]);
        let denied = rights.secret(&grant, "token", &header).unwrap_err();
        assert_eq!(
            denied.remedy,
            Remedy::Grant("p --http https://hooks.example.com --methods POST --send token".into())
        );
        grant.secrets = vec!["token@header:Authorization".into()];
        assert!(rights.secret(&grant, "token", &header).is_ok());
        assert!(rights.secret(&grant, "token", &Place::Body).is_err());
        grant.secrets = vec!["token".into()];
        assert!(rights.secret(&grant, "token", &Place::Body).is_ok());
        let denied = rights.secret(&grant, "token", &Place::Query).unwrap_err();
        assert_eq!(
            denied.remedy,
            Remedy::NotAsked,
            "the manifest names no query"
        );
        assert!(rights.secret(&grant, "other", &header).is_err());
    }

    #[test]
    fn private_addresses_are_granted_one_by_one() {
        let rights = rights(&everything_asked(), &everything_granted());
        let mut grant = http("https://hooks.example.com", &["POST"]);
        let denied = rights.private_address(&grant).unwrap_err();
        assert_eq!(
            denied.remedy,
            Remedy::Grant("p --http https://hooks.example.com --methods POST --private".into())
        );
        grant.addresses = Addresses::Any;
        assert!(rights.private_address(&grant).is_ok());
    }

    #[test]
    fn a_denied_method_is_granted_beside_the_others() {
        let grants = Grants {
            http: vec![http("https://hooks.example.com", &["POST"])],
            ..Grants::default()
        };
        let rights = rights(&[request("http", &["https://hooks.example.com"])], &grants);
        let url = Url::parse("https://hooks.example.com/x").unwrap();
        let denied = rights.http("PUT", &url).unwrap_err();
        assert_eq!(
            denied.remedy,
            Remedy::Grant("p --http https://hooks.example.com --methods POST,PUT".into())
        );
    }

    #[test]
    fn a_denial_says_the_command_that_would_allow_it_or_that_none_does() {
        let asked = rights(&[request("files", &["Procfile"])], &Grants::default());
        let denied = asked.file("Procfile").unwrap_err().to_string();
        assert!(
            denied.ends_with("shipway plugin grant p --files 'Procfile'"),
            "{denied}"
        );
        let denied = asked.image().unwrap_err().to_string();
        assert!(denied.contains("does not ask for it"), "{denied}");
    }
}
