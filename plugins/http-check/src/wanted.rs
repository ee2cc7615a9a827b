//! What is asked of the candidate, from the settings.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use serde::de::{self, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use shipway_sdk::prelude::*;

/// One request, and what its answer must be.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    pub path: String,
    #[serde(default = "get")]
    pub method: String,
    #[serde(default)]
    pub status: Status,
    #[serde(default)]
    pub header: BTreeMap<String, String>,
    pub contains: Option<String>,
    pub process: Option<String>,
    timeout_ms: Option<u32>,
    name: Option<String>,
}

/// Which statuses are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Status {
    OneOf(Vec<u16>),
    /// Anything but an error of the server. Only where nothing is set.
    Below500,
}

/// The longest that the host waits for an answer, in milliseconds.
const LONGEST_TIMEOUT: u32 = 60_000;

/// What the settings ask for.
///
/// # Errors
/// `invalid`, with the setting and what to put right in it.
pub fn from_settings() -> Result<Vec<Wanted>, Failure> {
    let checks: Option<Vec<Wanted>> = settings::json("checks")?;
    let paths = settings::get("paths");
    match (checks, paths) {
        (None, None) => Ok(vec![Wanted::front_door()]),
        (Some(_), Some(_)) => Err(Failure::setting(
            "paths",
            "is set together with `checks`; keep one of them",
        )),
        (Some(checks), None) => valid("checks", checks),
        (None, Some(paths)) => valid("paths", listed(&paths)),
    }
}

impl Wanted {
    /// A path that must answer 200.
    pub fn path(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            method: get(),
            status: Status::default(),
            header: BTreeMap::new(),
            contains: None,
            process: None,
            timeout_ms: None,
            name: None,
        }
    }

    fn front_door() -> Self {
        Self {
            status: Status::Below500,
            ..Self::path("/")
        }
    }

    /// What the report calls it.
    pub fn name(&self) -> String {
        self.name
            .clone()
            .unwrap_or_else(|| format!("{} {}", self.method, self.path))
    }

    pub fn timeout(&self) -> Option<Duration> {
        self.timeout_ms
            .map(|milliseconds| Duration::from_millis(milliseconds.into()))
    }

    /// What is wrong with it, for the one who wrote it.
    fn fault(&self) -> Option<String> {
        let path = &self.path;
        if !path.starts_with('/') {
            return Some(format!("the path `{path}` must begin with `/`"));
        }
        if path.contains(|character: char| character.is_whitespace() || character.is_control()) {
            return Some(format!(
                "the path `{path}` has white space in it; write `%20`"
            ));
        }
        if self.method.is_empty() || !self.method.bytes().all(|byte| byte.is_ascii_uppercase()) {
            return Some(format!(
                "`{}` is no method; write one such as `GET` or `HEAD`",
                self.method
            ));
        }
        if self.method == "HEAD" && self.contains.is_some() {
            return Some(format!(
                "`{path}`: an answer to HEAD has no body that could contain a text; use GET"
            ));
        }
        let timeout = self.timeout_ms.unwrap_or(LONGEST_TIMEOUT);
        if !(1..=LONGEST_TIMEOUT).contains(&timeout) {
            return Some(format!(
                "`{path}`: timeout_ms is {timeout}; it may be 1 to {LONGEST_TIMEOUT}"
            ));
        }
        self.status.fault()
    }
}

impl Status {
    pub fn accepts(&self, status: u16) -> bool {
        match self {
            Self::OneOf(wanted) => wanted.contains(&status),
            Self::Below500 => status < 500,
        }
    }

    fn fault(&self) -> Option<String> {
        let Self::OneOf(wanted) = self else {
            return None;
        };
        if wanted.is_empty() {
            return Some("the list of statuses is empty; name one".to_owned());
        }
        let strange = wanted
            .iter()
            .find(|status| !(100..=599).contains(*status))?;
        Some(format!("{strange} is no HTTP status"))
    }
}

impl Default for Status {
    fn default() -> Self {
        Self::OneOf(vec![200])
    }
}

/// As people say it: `200`, `200 or 204`, `below 500`.
impl fmt::Display for Status {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OneOf(wanted) => {
                let wanted: Vec<String> = wanted.iter().map(u16::to_string).collect();
                formatter.write_str(&wanted.join(" or "))
            }
            Self::Below500 => formatter.write_str("a status below 500"),
        }
    }
}

impl<'de> Deserialize<'de> for Status {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(StatusVisitor)
    }
}

struct StatusVisitor;

impl<'de> Visitor<'de> for StatusVisitor {
    type Value = Status;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a status such as 200, or a list such as [200, 204]")
    }

    fn visit_u64<E: de::Error>(self, status: u64) -> Result<Self::Value, E> {
        u16::try_from(status)
            .map(|status| Status::OneOf(vec![status]))
            .map_err(|_| E::invalid_value(de::Unexpected::Unsigned(status), &self))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut wanted = Vec::new();
        while let Some(status) = list.next_element()? {
            wanted.push(status);
        }
        Ok(Status::OneOf(wanted))
    }
}

fn listed(paths: &str) -> Vec<Wanted> {
    paths
        .split(',')
        .map(str::trim)
        .filter(|path| !path.is_empty())
        .map(Wanted::path)
        .collect()
}

fn valid(setting: &str, wanted: Vec<Wanted>) -> Result<Vec<Wanted>, Failure> {
    if wanted.is_empty() {
        return Err(Failure::setting(
            setting,
            "lists nothing; remove it to have `/` checked",
        ));
    }
    match wanted.iter().find_map(Wanted::fault) {
        Some(fault) => Err(Failure::setting(setting, fault)),
        None => Ok(wanted),
    }
}

fn get() -> String {
    "GET".to_owned()
}

#[cfg(test)]
mod tests {
    use shipway_sdk::testing::Host;

    use super::*;
    use crate::plugin::HttpCheck;

    fn read(setting: &str, value: &str) -> Result<Vec<Wanted>, Failure> {
        Host::of::<HttpCheck>()
            .setting(setting, value)
            .run(from_settings)
    }

    #[test]
    fn with_nothing_set_the_front_door_is_asked() {
        let wanted = Host::of::<HttpCheck>().run(from_settings).unwrap();
        assert_eq!(wanted, [Wanted::front_door()]);
        assert!(wanted[0].status.accepts(404));
        assert!(!wanted[0].status.accepts(500));
    }

    #[test]
    fn paths_are_separated_by_commas() {
        assert_eq!(
            read("paths", " /, /health ,").unwrap(),
            [Wanted::path("/"), Wanted::path("/health")]
        );
    }

    #[test]
    fn checks_have_defaults() {
        assert_eq!(
            read("checks", r#"[{"path": "/"}]"#).unwrap(),
            [Wanted::path("/")]
        );
        let full = read(
            "checks",
            r#"[{"path": "/a", "method": "POST", "status": [200, 201], "header": {"X": "y"},
                "contains": "ok", "process": "web", "timeout_ms": 50, "name": "n"}]"#,
        )
        .unwrap();
        assert_eq!(full[0].status, Status::OneOf(vec![200, 201]));
        assert_eq!(full[0].timeout(), Some(Duration::from_millis(50)));
        assert_eq!(full[0].name(), "n");
    }

    #[test]
    fn what_is_wrong_is_said_with_its_setting() {
        for (setting, value, said) in [
            ("paths", "health", "the path `health` must begin with `/`"),
            ("paths", ",", "lists nothing"),
            ("checks", "[]", "lists nothing"),
            ("checks", "[", "is not the JSON expected: EOF while parsing"),
            ("checks", "[{}]", "missing field `path`"),
            (
                "checks",
                r#"[{"path": "/", "stat": 1}]"#,
                "unknown field `stat`",
            ),
            (
                "checks",
                r#"[{"path": "/", "status": "ok"}]"#,
                "expected a status such as 200, or a list such as [200, 204]",
            ),
            (
                "checks",
                r#"[{"path": "/", "status": 999}]"#,
                "999 is no HTTP status",
            ),
            ("checks", r#"[{"path": "/", "status": []}]"#, "is empty"),
            ("checks", r#"[{"path": "/a b"}]"#, "write `%20`"),
            (
                "checks",
                r#"[{"path": "/", "method": "get"}]"#,
                "`get` is no method",
            ),
            (
                "checks",
                r#"[{"path": "/", "method": "HEAD", "contains": "x"}]"#,
                "use GET",
            ),
            (
                "checks",
                r#"[{"path": "/", "timeout_ms": 0}]"#,
                "1 to 60000",
            ),
        ] {
            let failure = read(setting, value).unwrap_err();
            assert_eq!(failure.code.as_str(), "invalid");
            assert!(
                failure
                    .message
                    .starts_with(&format!("setting `{setting}`: ")),
                "{failure}"
            );
            assert!(failure.message.contains(said), "{failure}");
        }
    }

    #[test]
    fn both_settings_at_once_are_refused() {
        let failure = Host::of::<HttpCheck>()
            .setting("paths", "/")
            .setting("checks", r#"[{"path": "/"}]"#)
            .run(from_settings)
            .unwrap_err();
        assert!(failure.message.contains("keep one of them"));
    }
}
