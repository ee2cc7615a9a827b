//! What is said while a build runs.

use std::time::Duration;

use serde::{Serialize, Serializer};

/// One thing to tell whoever waits. In order: a `Started`, perhaps lines, and
/// a `Finished` for each step that ran to its good end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress<'a> {
    /// A step begins.
    Started { step: &'a str },
    /// A line that the step printed.
    Line { text: &'a str },
    /// The step that began last is done.
    Finished { step: &'a str, took: Duration },
}

/// Who is told.
pub type Listener<'a> = dyn FnMut(Progress<'_>) + Send + 'a;

/// A step that was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Done {
    pub step: String,
    #[serde(rename = "took-ms", serialize_with = "as_millis")]
    pub took: Duration,
}

pub(crate) fn as_millis<S: Serializer>(took: &Duration, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_u64(u64::try_from(took.as_millis()).unwrap_or(u64::MAX))
}
