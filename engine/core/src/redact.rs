//! Redaction: values that are marked secret never reach journal, log, event,
//! error or plan.
//!
//! A secret is masked as it is and in the forms in which programs write it
//! down ([`forms`]). Overlapping places are masked as one. What a program
//! writes in pieces goes through a [`RedactedStream`], which keeps back the end
//! of a piece until it is known that no secret begins there.
//!
//! Masked nowhere: values of fewer than four characters, not counting white
//! space around them, because they would mask what is not secret; and of a
//! secret of several lines those lines that have fewer than six letters and
//! digits, as `{` has, or that only name what follows, as
//! `-----BEGIN PRIVATE KEY-----` does.

mod event;
mod forms;
mod matcher;
mod stream;

use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use crate::app::App;
use crate::environment::{Environment, Variable};
use crate::plugin::Installed;
use crate::secret::Secret;
use matcher::Matcher;
pub use stream::RedactedStream;

/// What stands in the place of a secret.
pub const MASK: &str = "[secret]";

/// Masks a set of secrets in text. Clones share what they know.
#[derive(Clone, Default)]
pub struct Redactor(Knows);

#[derive(Clone, Default)]
enum Knows {
    #[default]
    Nothing,
    Secrets(Arc<Matcher>),
    /// The secrets could not be made into a matcher: nothing can be shown.
    TooMuch,
}

impl Redactor {
    pub fn new<'a>(secrets: impl IntoIterator<Item = &'a Secret>) -> Self {
        let forms = forms::of(secrets);
        if forms.is_empty() {
            return Self(Knows::Nothing);
        }
        Self(match Matcher::new(forms) {
            Ok(matcher) => Knows::Secrets(Arc::new(matcher)),
            Err(_) => Knows::TooMuch,
        })
    }

    /// For what an app's deployments do in an environment: its credentials, its
    /// secret variables, and the secret settings of every plugin.
    pub fn of(app: &App, environment: &Environment, plugins: &[Installed]) -> Self {
        let credentials = app.repository.credentials.iter().flat_map(|c| c.secrets());
        let own = environment
            .plugin_settings
            .values()
            .flat_map(|s| s.values());
        let installed = plugins.iter().flat_map(|plugin| plugin.settings.values());
        let variables = environment.variables.values().chain(own).chain(installed);
        let secrets = variables.filter_map(|variable| match variable {
            Variable::Secret(secret) => Some(secret),
            Variable::Plain(_) => None,
        });
        Self::new(credentials.chain(secrets))
    }

    /// The text with each secret masked: a whole line, or several.
    pub fn line(&self, text: &str) -> String {
        match &self.0 {
            Knows::Nothing => text.to_owned(),
            Knows::TooMuch => MASK.to_owned(),
            Knows::Secrets(matcher) => masked(text, &matcher.places(text, 0)),
        }
    }

    /// For text that comes in pieces, one for each of a program's outputs.
    pub fn stream(&self) -> RedactedStream {
        RedactedStream::new(self.clone())
    }
}

/// Never the secrets that it knows.
impl fmt::Debug for Redactor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Redactor(…)")
    }
}

/// `places` are in order and do not overlap.
fn masked(text: &str, places: &[Range<usize>]) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut at = 0;
    for place in places {
        shown.push_str(text.get(at..place.start).unwrap_or_default());
        shown.push_str(MASK);
        at = place.end;
    }
    shown.push_str(text.get(at..).unwrap_or_default());
    shown
}

#[cfg(test)]
mod tests;
