//! How a plugin, and the host, say that something could not be done.

use std::borrow::Cow;
use std::error::Error;
use std::fmt;

use crate::deployment::Attributes;

/// Why something could not be done: a code for programs, a sentence for
/// people, and whether the same call may succeed later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    pub code: Code,
    /// One sentence for a person: what happened and what to do, without a
    /// secret in it.
    pub message: String,
    pub retryable: bool,
    pub attributes: Attributes,
}

impl Failure {
    /// A failure that the same call would meet again.
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            retryable: false,
            attributes: Attributes::new(),
        }
    }

    /// Something given to the plugin, such as a setting, is wrong.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(Code::INVALID, message)
    }

    /// A setting has a value that does not do. `fix` says what would.
    pub fn setting(name: &str, fix: impl fmt::Display) -> Self {
        Self::invalid(format!("setting `{name}`: {fix}"))
    }

    /// Something that the plugin needs does not answer or is not there yet.
    pub fn unavailable(message: impl Into<String>) -> Self {
        Self::new(Code::UNAVAILABLE, message)
    }

    /// Says that the same call may succeed later.
    pub fn retryable(mut self) -> Self {
        self.retryable = true;
        self
    }

    /// Says what was attempted, in front of the message.
    pub fn context(mut self, attempt: impl fmt::Display) -> Self {
        self.message = format!("{attempt}: {}", self.message);
        self
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl Error for Failure {}

/// What kind of failure it is. The set is open: a plugin may have words of its
/// own, and must expect words it does not know.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Code(Cow<'static, str>);

impl Code {
    /// The plugin did not ask for it, or was not granted it.
    pub const DENIED: Self = Self(Cow::Borrowed("denied"));
    pub const NOT_FOUND: Self = Self(Cow::Borrowed("not-found"));
    pub const TOO_LARGE: Self = Self(Cow::Borrowed("too-large"));
    /// Too many calls or results.
    pub const LIMIT: Self = Self(Cow::Borrowed("limit"));
    pub const TIMEOUT: Self = Self(Cow::Borrowed("timeout"));
    pub const INVALID: Self = Self(Cow::Borrowed("invalid"));
    pub const UNAVAILABLE: Self = Self(Cow::Borrowed("unavailable"));

    /// A word of the plugin's own, or one that the host sent.
    pub fn other(word: impl Into<Cow<'static, str>>) -> Self {
        Self(word.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}
