//! What a guest may call. Each module answers one interface of the contract,
//! and asks [`Rights`](shipway_core::grant::Rights) before it acts. A refusal
//! is a `failure` for the guest, never a trap; only what no honest guest does
//! ends it.

mod candidate;
mod command;
mod http;
mod image;
mod log;
mod logging;
pub(crate) mod output;
mod settings;
mod source;
mod variables;
pub(crate) mod wasi_http;

use crate::bindings::model::{self, Failure};
use crate::sandbox::Sandbox;

/// The interface has types only.
impl model::Host for Sandbox {}

/// The open codes of the contract.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Code {
    Denied,
    NotFound,
    TooLarge,
    Limit,
    Timeout,
    Invalid,
    Unavailable,
}

impl Code {
    fn as_str(self) -> &'static str {
        match self {
            Self::Denied => "denied",
            Self::NotFound => "not-found",
            Self::TooLarge => "too-large",
            Self::Limit => "limit",
            Self::Timeout => "timeout",
            Self::Invalid => "invalid",
            Self::Unavailable => "unavailable",
        }
    }
}

pub(crate) fn failure(code: Code, message: impl Into<String>) -> Failure {
    Failure {
        code: code.as_str().to_owned(),
        message: message.into(),
        retryable: matches!(code, Code::Timeout | Code::Unavailable),
        attributes: Vec::new(),
    }
}
