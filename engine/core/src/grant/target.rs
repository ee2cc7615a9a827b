//! What a manifest asks for and where a secret may stand, read from the words
//! of the contract.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use globset::{GlobBuilder, GlobMatcher};
use serde::{Deserialize, Serialize};
use url::Url;

use crate::environment::Variable;
use crate::plugin::Request;

/// One target of an `http` request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpTarget {
    /// `scheme://host[:port]`, the port only if it is not the scheme's own.
    pub origin: String,
    /// Empty means all.
    pub methods: Vec<String>,
}

impl HttpTarget {
    /// `[METHOD[,METHOD] ]ORIGIN`, or `setting:NAME` for the origin of the URL
    /// in that setting. None while the setting has no such value.
    pub fn read(text: &str, settings: &BTreeMap<String, Variable>) -> Option<Self> {
        let (methods, origin) = split(text);
        let url = match origin.strip_prefix("setting:") {
            Some(name) => settings.get(name)?.reveal(),
            None => origin,
        };
        let origin = Url::parse(url).ok()?.origin();
        origin.is_tuple().then(|| Self {
            origin: origin.ascii_serialization(),
            methods,
        })
    }

    /// All targets of a request that are known yet.
    pub fn all(
        request: &Request,
        settings: &BTreeMap<String, Variable>,
    ) -> impl Iterator<Item = Self> {
        let targets = request.targets.iter();
        targets.filter_map(|text| Self::read(text, settings))
    }

    /// Whether a text is a target at all, with settings or without.
    pub fn is_one(text: &str) -> bool {
        let (methods, origin) = split(text);
        let methods = methods.iter().all(|method| {
            !method.is_empty() && method.bytes().all(|byte| byte.is_ascii_uppercase())
        });
        methods
            && match origin.strip_prefix("setting:") {
                Some(name) => is_setting_name(name),
                None => Url::parse(origin).is_ok_and(|url| {
                    matches!(url.scheme(), "http" | "https") && matches!(url.path(), "" | "/")
                }),
            }
    }
}

fn split(text: &str) -> (Vec<String>, &str) {
    match text.split_once(' ') {
        Some((methods, origin)) => (methods.split(',').map(str::to_owned).collect(), origin),
        None => (Vec::new(), text),
    }
}

/// Letters, digits, dashes and underscores, 1 to 128.
pub fn is_setting_name(name: &str) -> bool {
    (1..=128).contains(&name.len())
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// Where in a request a secret stands.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Place {
    /// The value of this header; its name in lower case.
    Header(String),
    Path,
    Query,
    Body,
    /// The URL as a whole is secret.
    Url,
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name) => write!(f, "header:{name}"),
            Self::Path => f.write_str("path"),
            Self::Query => f.write_str("query"),
            Self::Body => f.write_str("body"),
            Self::Url => f.write_str("url"),
        }
    }
}

/// A word that is no place.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no place of a secret: header:NAME, path, query, body or url")]
pub struct NoPlace(String);

impl FromStr for Place {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let is_token = |name: &str| {
            (1..=128).contains(&name.len())
                && name
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        match (text, text.strip_prefix("header:")) {
            (_, Some(name)) if is_token(name) => Ok(Self::Header(name.to_ascii_lowercase())),
            ("path", _) => Ok(Self::Path),
            ("query", _) => Ok(Self::Query),
            ("body", _) => Ok(Self::Body),
            ("url", _) => Ok(Self::Url),
            _ => Err(NoPlace(text.to_owned())),
        }
    }
}

impl TryFrom<String> for Place {
    type Error = NoPlace;

    fn try_from(text: String) -> Result<Self, NoPlace> {
        text.parse()
    }
}

impl From<Place> for String {
    fn from(place: Place) -> Self {
        place.to_string()
    }
}

/// A secret setting that may be sent: anywhere its manifest says, or in one
/// place only.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecretUse {
    pub setting: String,
    pub place: Option<Place>,
}

impl SecretUse {
    pub fn covers(&self, setting: &str, place: &Place) -> bool {
        self.setting == setting && self.place.as_ref().is_none_or(|own| own == place)
    }
}

impl FromStr for SecretUse {
    type Err = NoPlace;

    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let (setting, place) = match text.split_once('@') {
            Some((setting, place)) => (setting, Some(place.parse()?)),
            None => (text, None),
        };
        match is_setting_name(setting) {
            true => Ok(Self {
                setting: setting.to_owned(),
                place,
            }),
            false => Err(NoPlace(text.to_owned())),
        }
    }
}

pub fn is_glob(glob: &str) -> bool {
    matcher(glob).is_some()
}

/// `*` stays within a folder, `**` does not.
pub(super) fn matcher(glob: &str) -> Option<GlobMatcher> {
    GlobBuilder::new(glob)
        .literal_separator(true)
        .build()
        .ok()
        .map(|glob| glob.compile_matcher())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_an_origin_perhaps_after_its_methods() {
        let settings = BTreeMap::from([(
            "url".to_owned(),
            Variable::Plain("https://hooks.example.com:443/in?x".into()),
        )]);
        let read = |text: &str| HttpTarget::read(text, &settings);
        let target = read("POST,PUT setting:url").unwrap();
        assert_eq!(target.origin, "https://hooks.example.com");
        assert_eq!(target.methods, ["POST", "PUT"]);
        assert_eq!(read("http://a:8080").unwrap().methods, Vec::<String>::new());
        assert_eq!(read("setting:other"), None);
    }

    #[test]
    fn what_is_no_target_is_told_before_there_are_settings() {
        for good in [
            "https://x.org",
            "POST https://x.org:1",
            "setting:url",
            "GET setting:a-b",
        ] {
            assert!(HttpTarget::is_one(good), "{good}");
        }
        for bad in [
            "ftp://x",
            "x.org",
            "https://x/path",
            "setting:a b",
            "post https://x",
            "",
            " https://x",
            "POST, https://x",
        ] {
            assert!(!HttpTarget::is_one(bad), "{bad:?}");
        }
    }

    #[test]
    fn a_place_is_one_of_five_words() {
        for (text, place) in [
            ("header:X-Key", Place::Header("x-key".into())),
            ("path", Place::Path),
            ("query", Place::Query),
            ("body", Place::Body),
            ("url", Place::Url),
        ] {
            assert_eq!(text.parse::<Place>().unwrap(), place);
        }
        for bad in ["header:", "header:a b", "host", "", "Body"] {
            assert!(bad.parse::<Place>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_use_without_a_place_covers_every_place() {
        let anywhere: SecretUse = "token".parse().unwrap();
        let header: SecretUse = "token@header:Authorization".parse().unwrap();
        let place = Place::Header("authorization".into());
        assert!(anywhere.covers("token", &place) && header.covers("token", &place));
        assert!(anywhere.covers("token", &Place::Body) && !header.covers("token", &Place::Body));
        assert!(!anywhere.covers("other", &place));
        assert!("token@somewhere".parse::<SecretUse>().is_err());
    }
}
