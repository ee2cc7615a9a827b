//! The plugin's settings, as the operator and the environment gave them.

use std::fmt::Display;
use std::str::FromStr;

use serde::de::DeserializeOwned;

use crate::failure::Failure;
use crate::host;

/// The value of a setting, if it has one that is not blank. A secret comes as
/// a placeholder.
pub fn get(name: &str) -> Option<String> {
    host::setting(name).filter(|value| !value.trim().is_empty())
}

/// The value of a setting that the plugin cannot do without.
///
/// # Errors
/// `invalid` when it is not set.
pub fn require(name: &str) -> Result<String, Failure> {
    get(name).ok_or_else(|| Failure::setting(name, "is required and not set"))
}

/// The value of a setting as a number, a word of an enum, and so on.
///
/// # Errors
/// `invalid`, with the reason, when the value does not parse.
pub fn parse<T>(name: &str) -> Result<Option<T>, Failure>
where
    T: FromStr,
    T::Err: Display,
{
    get(name)
        .map(|value| value.trim().parse())
        .transpose()
        .map_err(|reason| Failure::setting(name, reason))
}

/// The value of a setting that is JSON.
///
/// # Errors
/// `invalid`, with the reason and the place, when it is not the JSON expected.
pub fn json<T: DeserializeOwned>(name: &str) -> Result<Option<T>, Failure> {
    get(name)
        .map(|value| serde_json::from_str(&value))
        .transpose()
        .map_err(|reason| {
            Failure::setting(name, format_args!("is not the JSON expected: {reason}"))
        })
}
