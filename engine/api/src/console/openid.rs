//! Signing in with OpenID Connect: the authorization code flow with PKCE,
//! state and nonce, each bound to one browser. Who may come in, and may do
//! what, is said by [`rule`]s over what the provider says of a person.
//!
//! The provider is asked when somebody signs in, never before: an engine
//! starts and works without it.

pub mod provider;
pub mod rule;

use openidconnect::url::Url;
use shipway_core::secret::Secret;
use shipway_core::session::{Session, Who};
use shipway_core::token::Token;

use self::provider::Provider;
use self::rule::Rule;
use super::session::{Before, is_same};
use crate::problem::{Kind, Problem};

/// Where the provider sends people back to, below the public address.
pub const CALLBACK: &str = "sign-in/openid/callback";

/// What the operator says of the provider.
#[derive(Debug, Clone)]
pub struct OpenIdSettings {
    /// As its discovery document calls itself.
    pub issuer: String,
    pub client_id: String,
    /// None for a public client, which has PKCE alone.
    pub client_secret: Option<Secret>,
    /// Scopes to ask for beside `openid`.
    pub scopes: Vec<String>,
    /// The first that fits decides.
    pub rules: Vec<Rule>,
}

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum InvalidOpenId {
    #[error("the issuer {issuer:?} is no URL")]
    Issuer {
        issuer: String,
        #[source]
        source: openidconnect::url::ParseError,
    },
    #[error("the issuer {0:?} must begin with https://, or be on this machine")]
    Plain(String),
    #[error("no address to come back to can be made of {0}")]
    Redirect(Url),
    #[error("no HTTP client could be made")]
    Client(#[source] reqwest::Error),
}

#[derive(Debug)]
pub struct OpenId {
    provider: Provider,
    rules: Vec<Rule>,
}

impl OpenId {
    pub fn new(settings: OpenIdSettings, public_url: &Url) -> Result<Self, InvalidOpenId> {
        let rules = settings.rules.clone();
        let provider = Provider::new(settings, public_url)?;
        Ok(Self { provider, rules })
    }

    /// The token of somebody whom a rule let in, while there is such a rule.
    pub(super) fn token_of(&self, name: String, rule: &str, session: &Session) -> Option<Token> {
        let (scope, apps) = rule::allowed(&self.rules, rule)?;
        Some(Token {
            name,
            digest: session.digest.clone(),
            scope,
            apps: apps.to_vec(),
            created_at: session.created_at,
            last_used_at: None,
            expires_at: None,
        })
    }

    /// What people know the provider by.
    pub(super) fn name(&self) -> &str {
        self.provider.host()
    }

    /// Where to send a browser, and what comes back as its state: bound to the
    /// browser and to where it wants to go afterwards.
    pub(super) async fn begin(&self, before: &Before, next: &str) -> Result<Url, Problem> {
        let state = state_of(before, next);
        let (nonce, verifier) = (before.secret("nonce"), before.secret("verifier"));
        self.provider.authorize(state, nonce, verifier).await
    }

    /// Takes what a browser brings back. Who it is, and where they wanted to go.
    pub(super) async fn finish(
        &self,
        before: &Before,
        state: &str,
        code: &str,
    ) -> Result<(Who, String), Problem> {
        let next = next_of(before, state)?;
        let (nonce, verifier) = (before.secret("nonce"), before.secret("verifier"));
        let claims = self.provider.exchange(code, nonce, verifier).await?;
        let who = rule::decide(&self.rules, &claims).ok_or_else(|| {
            let detail = format!(
                "{} is known to {}, but no rule lets them in",
                rule::name(&claims),
                self.name()
            );
            Problem::new(Kind::SignInFailed, detail)
                .with_hint("who runs the engine may add a rule: shipway serve --openid-allow")
        })?;
        Ok((who, next))
    }
}

/// `SIGNATURE.PATH`: nobody else can make one for this browser.
fn state_of(before: &Before, next: &str) -> String {
    format!("{}.{next}", before.secret(&format!("state {next}")))
}

fn next_of(before: &Before, state: &str) -> Result<String, Problem> {
    let foreign = || {
        let detail = "the answer of the provider belongs to no sign-in that this browser began";
        Problem::new(Kind::SignInFailed, detail).with_hint("begin again at /sign-in")
    };
    let (_, next) = state.split_once('.').ok_or_else(foreign)?;
    if !is_same(state, &state_of(before, next)) {
        return Err(foreign());
    }
    Ok(next.to_owned())
}
