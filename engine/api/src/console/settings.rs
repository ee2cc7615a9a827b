//! What the operator says of the console.

use std::sync::Arc;
use std::time::Duration;

use url::Url;

use super::openid::OpenId;

/// Nothing set: people come by the address that the engine listens on, and
/// sign in with tokens.
#[derive(Debug, Clone)]
pub struct ConsoleSettings {
    /// Where browsers reach the engine, when something stands in front of it.
    pub public_url: Option<Url>,
    pub openid: Option<Arc<OpenId>>,
    /// How long a page hears of a deployment before it has to ask again.
    pub stream_limit: Duration,
}

impl Default for ConsoleSettings {
    fn default() -> Self {
        Self {
            public_url: None,
            openid: None,
            stream_limit: Duration::from_secs(60),
        }
    }
}

impl ConsoleSettings {
    /// The host, and the port if it is not the scheme's own.
    pub(crate) fn authority(&self) -> Option<&str> {
        self.public_url.as_ref().map(Url::authority)
    }

    pub(crate) fn is_https(&self) -> bool {
        let url = self.public_url.as_ref();
        url.is_some_and(|url| url.scheme() == "https")
    }
}
