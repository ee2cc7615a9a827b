//! The role of a self-test: is the new version fit to serve?

use std::time::Duration;

use crate::deployment::{Attributes, Deployment};
use crate::failure::Failure;
use crate::plugin::Plugin;

/// Tests the new version before it is routed.
pub trait SelfTest: Plugin {
    /// Tests the candidate, whose addresses
    /// [`candidate::endpoints`](crate::candidate::endpoints) tells.
    ///
    /// # Errors
    /// Only when the candidate could not be tested. A test that it does not
    /// pass is a [`Check`] with [`Outcome::Fail`].
    fn run(deployment: &Deployment) -> Result<Report, Failure>;
}

/// What a self-test found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    pub checks: Vec<Check>,
    pub attributes: Attributes,
}

impl FromIterator<Check> for Report {
    fn from_iter<T: IntoIterator<Item = Check>>(checks: T) -> Self {
        Self {
            checks: checks.into_iter().collect(),
            attributes: Attributes::new(),
        }
    }
}

/// One named check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Check {
    pub name: String,
    pub outcome: Outcome,
    /// What was seen, in one sentence.
    pub message: String,
    /// Counted in whole milliseconds.
    pub duration: Duration,
    pub attributes: Attributes,
}

impl Check {
    pub fn new(name: impl Into<String>, outcome: Outcome, message: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            outcome,
            message: message.into(),
            duration: Duration::ZERO,
            attributes: Attributes::new(),
        }
    }

    pub fn pass(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(name, Outcome::Pass, message)
    }

    pub fn warn(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(name, Outcome::Warn, message)
    }

    pub fn fail(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(name, Outcome::Fail, message)
    }

    pub fn skip(name: impl Into<String>, message: impl Into<String>) -> Self {
        Self::new(name, Outcome::Skip, message)
    }

    /// Says how long the check took.
    pub fn took(mut self, duration: Duration) -> Self {
        self.duration = duration;
        self
    }
}

/// How a check ended. Only `Fail` fails the deployment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    Pass,
    Warn,
    Fail,
    Skip,
}
