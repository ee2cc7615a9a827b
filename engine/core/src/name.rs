//! Ids, and names with rules. Each is a type of its own, checked when made,
//! so that the rest of the code never asks again.

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::release::Phase;

/// A text that breaks the rules of its name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is no {what}: {rule}")]
pub struct InvalidName {
    pub what: &'static str,
    pub text: String,
    pub rule: &'static str,
}

/// Declares a checked string type: its doc, its noun, its rule in words, as the
/// pattern that the API's description has, and the function that decides.
macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:literal, $pattern:literal, $check:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        #[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = String, pattern = $pattern))]
        pub struct $name(String);

        impl $name {
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                let check: fn(&str) -> bool = $check;
                if check(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(InvalidName { what: $what, text: shortened(text), rule: $rule })
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidName;

            fn try_from(text: String) -> Result<Self, InvalidName> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> String {
                name.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

name!(
    /// The name of an app. It becomes part of image tags, labels and folders.
    AppName, "app name", "1 to 63 lower-case letters, digits and dashes, beginning with a letter",
    r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$",
    is_slug
);
name!(
    /// The name of an environment: `test`, `live`, …
    EnvironmentName, "environment name", "1 to 63 lower-case letters, digits and dashes, beginning with a letter",
    r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$",
    is_slug
);
name!(
    /// The name under which a plugin is installed.
    PluginName, "plugin name", "1 to 63 lower-case letters, digits and dashes, beginning with a letter",
    r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$",
    is_slug
);
name!(
    /// The name of a volume of an environment.
    VolumeName, "volume name", "1 to 63 lower-case letters, digits and dashes, beginning with a letter",
    r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$",
    is_slug
);
name!(
    /// The name of a run of commands, unique within its deployment: `release`,
    /// `gate`, `undo-3`, …
    RunName, "name of a run", "1 to 63 lower-case letters, digits and dashes, beginning with a letter",
    r"^[a-z]([a-z0-9-]{0,61}[a-z0-9])?$",
    is_slug
);
name!(
    /// The name of a process type: `web`, `worker`, …
    ProcessName, "process type", "1 to 63 letters, digits, dashes and underscores",
    r"^[A-Za-z0-9_-]{1,63}$",
    is_process_name
);
name!(
    /// The name of an environment variable, or of a plugin's setting.
    VariableName, "variable name", "1 to 128 letters, digits and underscores, not beginning with a digit",
    r"^[A-Za-z_][A-Za-z0-9_]{0,127}$",
    is_variable_name
);
name!(
    /// What people call a release command; unique among an environment's.
    Label, "label", "1 to 200 characters on one line",
    r"^[^\s\x00-\x1f\x7f]([^\x00-\x1f\x7f]{0,198}[^\s\x00-\x1f\x7f])?$",
    is_label
);
name!(
    /// A host name that the proxy routes, in lower case.
    Domain, "domain", "a host name such as example.com, in lower case, without scheme or port",
    r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$",
    is_domain
);
name!(
    /// The full id of a Git commit.
    CommitId, "commit id", "40 or 64 hexadecimal digits in lower case",
    r"^([0-9a-f]{40}|[0-9a-f]{64})$",
    is_commit
);
name!(
    /// A SHA-256 digest in hexadecimal.
    Digest, "digest", "64 hexadecimal digits in lower case",
    r"^[0-9a-f]{64}$",
    |text| text.len() == 64 && is_hex(text)
);
name!(
    /// The id of a webhook, which nobody guesses.
<<<<<<< HEAD
    WebhookId, "webhook id", "32 hexadecimal digits in lower case",
    r"^[0-9a-f]{32}$",
    |text| text.len() == 32 && is_hex(text)
=======
    WebhookId, "webhook id", "32 hexadecimal digits in lower case", "^[0-9a-f]{32}$", |text| text.len() == 32 && is_hex(text)
>>>>>>> a7d294c (Tell clients behind trusted proxies apart in the rate limit too)
);

impl RunName {
    /// The one run of all commands of a phase.
    pub fn of_phase(phase: Phase) -> Self {
        Self(phase.to_string())
    }

    /// The run that undoes the command with this number.
    pub fn undo(number: usize) -> Self {
        Self(format!("undo-{number}"))
    }
}

impl CommitId {
    /// The first twelve digits, for people.
    pub fn short(&self) -> &str {
        self.0.get(..12).unwrap_or(&self.0)
    }
}

/// The id of a deployment: a UUIDv7, so ids sort by time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct DeploymentId(pub Uuid);

impl fmt::Display for DeploymentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for DeploymentId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        Uuid::parse_str(text).map(Self).map_err(|_| InvalidName {
            what: "deployment id",
            text: shortened(text),
            rule: "a UUID as `shipway history` shows it",
        })
    }
}

/// A moment in UTC; the clock is always an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema), schema(value_type = String, format = DateTime))]
pub struct Timestamp(#[serde(with = "time::serde::rfc3339")] pub time::OffsetDateTime);

impl Timestamp {
    /// From milliseconds since 1970; out of range becomes 1970.
    pub fn from_millis(millis: i64) -> Self {
        let nanos = i128::from(millis) * 1_000_000;
        Self(
            time::OffsetDateTime::from_unix_timestamp_nanos(nanos)
                .unwrap_or(time::OffsetDateTime::UNIX_EPOCH),
        )
    }

    /// The moment so much later; the end of time when there is none.
    pub fn later(self, by: Duration) -> Self {
        let by = time::Duration::try_from(by).unwrap_or(time::Duration::MAX);
        Self(self.0.saturating_add(by))
    }

    /// For people: without a fraction of a second.
    pub fn to_the_second(self) -> Self {
        Self(self.0.replace_nanosecond(0).unwrap_or(self.0))
    }

    pub fn as_millis(self) -> i64 {
        i64::try_from(self.0.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self
            .0
            .format(&time::format_description::well_known::Rfc3339)
            .map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}

fn is_slug(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.ends_with('-')
}

fn is_process_name(text: &str) -> bool {
    (1..=63).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}

fn is_variable_name(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && !text.starts_with(|c: char| c.is_ascii_digit())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

fn is_label(text: &str) -> bool {
    let length = text.chars().count();
    (1..=200).contains(&length) && !text.chars().any(char::is_control) && text.trim() == text
}

fn is_domain(text: &str) -> bool {
    (1..=253).contains(&text.len())
        && text.split('.').all(|part| {
            (1..=63).contains(&part.len())
                && !part.starts_with('-')
                && !part.ends_with('-')
                && part
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        })
}

fn is_commit(text: &str) -> bool {
    (text.len() == 40 || text.len() == 64) && is_hex(text)
}

fn is_hex(text: &str) -> bool {
    text.bytes()
        .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// Bad input may be long; an error message is not.
fn shortened(text: &str) -> String {
    if text.chars().count() <= 80 {
        return text.to_owned();
    }
    text.chars().take(77).chain("...".chars()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_checked_when_made() {
        assert!("guestbook".parse::<AppName>().is_ok());
        for bad in [
            "",
            "Guestbook",
            "-a",
            "a-",
            "a b",
            "a/b",
            "../x",
            &"a".repeat(64),
        ] {
            assert!(bad.parse::<AppName>().is_err(), "{bad:?}");
        }
        assert!("DATABASE_URL".parse::<VariableName>().is_ok());
        assert!("1X".parse::<VariableName>().is_err());
        assert!("shop.example.com".parse::<Domain>().is_ok());
        assert!("localhost".parse::<Domain>().is_ok());
        for bad in ["Shop.example.com", "a..b", "http://a", "a:80", "-a.com"] {
            assert!(bad.parse::<Domain>().is_err(), "{bad:?}");
        }
        assert!("Migrate the database".parse::<Label>().is_ok());
        assert!("two\nlines".parse::<Label>().is_err());
    }

    #[test]
    fn an_error_says_the_rule_and_stays_short() {
        let error = "A".repeat(5000).parse::<AppName>().unwrap_err().to_string();
        assert!(error.contains("lower-case"), "{error}");
        assert!(error.len() < 250);
    }

    #[test]
    fn a_timestamp_is_rfc_3339() {
        assert_eq!(
            Timestamp::from_millis(0).to_string(),
            "1970-01-01T00:00:00Z"
        );
    }
}
