//! Who asks, and whether they may. A handler names what it needs in its
//! arguments: [`May<Read>`], [`May<Deploy>`] or [`May<Admin>`] for the app in
//! its path (for every app where the path names none), or a plain [`Caller`]
//! where the app is known only later. The console asks in the same way, for
//! whoever is signed in.

use std::marker::PhantomData;
use std::time::Duration;

use axum::extract::{FromRequestParts, RawPathParams};
use http::header::AUTHORIZATION;
use http::request::Parts;
use shipway_core::audit::Actor;
use shipway_core::name::{AppName, Digest};
use shipway_core::token::{Scope, Token};

use crate::audit::Note;
use crate::bearer::digest_of_token;
use crate::problem::{Kind, Problem};
use crate::state::ApiState;

/// A token's last use is written at most this often.
const NOTE_EVERY_MILLIS: i64 = 60_000;
/// How long a stream may go on for a token that is gone.
const LOOK_EVERY: Duration = Duration::from_secs(30);

/// Somebody with a valid token.
#[derive(Debug, Clone)]
pub struct Caller(Token, Note);

impl Caller {
    /// Whoever may do what this token allows; who that is, has been noted.
    pub(crate) fn of(token: Token, note: Note) -> Self {
        Self(token, note)
    }

    /// What it may do at most.
    pub(crate) fn scope(&self) -> Scope {
        self.0.scope
    }

    /// The name of the token, for the journal.
    pub fn name(&self) -> &str {
        &self.0.name
    }

    pub fn into_token(self) -> Token {
        self.0
    }

    /// Returns when the token has been deleted or has expired. An answer that
    /// goes on for hours ends then.
    pub(crate) async fn gone(self, state: ApiState) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            // A store that fails is asked again.
            if let Ok(None) = token_with(&state, &self.0.digest).await {
                return;
            }
        }
    }

    /// Whether the token reaches this app at all.
    pub fn sees(&self, app: &AppName) -> bool {
        self.0.allows(Scope::Read, Some(app))
    }

    /// Refuses what the token does not allow. An app out of its reach looks
    /// like one that does not exist.
    pub fn may(&self, scope: Scope, app: &AppName) -> Result<(), Problem> {
        self.1.app(app);
        if !self.sees(app) {
            return Err(Problem::new(
                Kind::NotFound,
                format!("there is no app {app}"),
            ));
        }
        if !self.0.allows(scope, Some(app)) {
            return Err(self.too_weak(scope));
        }
        Ok(())
    }

    /// Refuses what concerns more than the token's apps.
    pub fn may_everywhere(&self, scope: Scope) -> Result<(), Problem> {
        if !self.0.apps.is_empty() {
            let detail = format!("token {:?} is limited to some apps", self.name());
            return Err(Problem::new(Kind::Forbidden, detail)
                .with_hint("use a token without a limit to apps"));
        }
        if !self.0.allows(scope, None) {
            return Err(self.too_weak(scope));
        }
        Ok(())
    }

    /// Whoever shows this text, if it is a token that is known.
    pub(crate) async fn by_token(
        state: &ApiState,
        note: &Note,
        text: &str,
    ) -> Result<Option<Self>, Problem> {
        match digest_of_token(text) {
            Some(digest) => Self::by_digest(state, note, &digest).await,
            None => Ok(None),
        }
    }

    async fn by_digest(
        state: &ApiState,
        note: &Note,
        digest: &Digest,
    ) -> Result<Option<Self>, Problem> {
        let Some(token) = state.store.token_by_digest(digest).await? else {
            return Ok(None);
        };
        if let Some(at) = token.expired(state.clock.now()) {
            let detail = format!("token {:?} has expired at {at}", token.name);
            return Err(Problem::new(Kind::Unauthorized, detail)
                .with_hint("make a new one: shipway token create NAME --expires 90d"));
        }
        note_use(state, &token).await;
        note.actor(Actor::Token {
            name: token.name.clone(),
        });
        Ok(Some(Self(token, note.clone())))
    }

    fn too_weak(&self, needed: Scope) -> Problem {
        let (name, scope) = (self.name(), self.0.scope);
        Problem::new(
            Kind::Forbidden,
            format!("token {name:?} has scope `{scope}`; this needs `{needed}`"),
        )
        .with_hint(format!(
            "make one that may: shipway token create NAME --scope {needed}"
        ))
    }
}

impl FromRequestParts<ApiState> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        let unknown = || {
            Problem::new(Kind::Unauthorized, "the token is missing or not known").with_hint(
                "send `Authorization: Bearer TOKEN`; on the command line `shipway login`, or set SHIPWAY_TOKEN",
            )
        };
        let digest = presented(parts)
            .and_then(digest_of_token)
            .ok_or_else(unknown)?;
        let note = Note::of(&parts.extensions);
        let caller = Self::by_digest(state, &note, &digest).await?;
        caller.ok_or_else(unknown)
    }
}

/// The token with this digest, now in use; none if it has expired.
pub(crate) async fn token_with(
    state: &ApiState,
    digest: &Digest,
) -> Result<Option<Token>, Problem> {
    let token = state.store.token_by_digest(digest).await?;
    let token = token.filter(|token| token.expired(state.clock.now()).is_none());
    if let Some(token) = &token {
        note_use(state, token).await;
    }
    Ok(token)
}

fn presented(parts: &Parts) -> Option<&str> {
    let value = parts.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then_some(token.trim())
}

/// When a token was last used helps to find the ones that nobody needs; a
/// request never fails for it.
async fn note_use(state: &ApiState, token: &Token) {
    let now = state.clock.now();
    let fresh = |at: shipway_core::name::Timestamp| {
        now.as_millis().saturating_sub(at.as_millis()) < NOTE_EVERY_MILLIS
    };
    if token.last_used_at.is_some_and(fresh) {
        return;
    }
    if let Err(error) = state.store.note_token_use(&token.digest, now).await {
        tracing::warn!(%error, "the use of a token was not noted");
    }
}

/// What a handler needs, as a type.
pub trait Level: Clone + Send + Sync {
    const SCOPE: Scope;
}

#[derive(Debug, Clone, Copy)]
pub struct Read;
#[derive(Debug, Clone, Copy)]
pub struct Deploy;
#[derive(Debug, Clone, Copy)]
pub struct Admin;

impl Level for Read {
    const SCOPE: Scope = Scope::Read;
}
impl Level for Deploy {
    const SCOPE: Scope = Scope::Deploy;
}
impl Level for Admin {
    const SCOPE: Scope = Scope::Admin;
}

/// Proof that the caller may do this to the app in the path.
#[derive(Debug, Clone)]
pub struct May<L> {
    pub caller: Caller,
    level: PhantomData<L>,
}

impl<L: Level> May<L> {
    /// The only way to one. The path may name an app.
    pub(crate) async fn checked(
        caller: Caller,
        parts: &mut Parts,
        state: &ApiState,
    ) -> Result<Self, Problem> {
        match app_in_path(parts, state).await? {
            Some(app) => caller.may(L::SCOPE, &app)?,
            None => caller.may_everywhere(L::SCOPE)?,
        }
        Ok(Self {
            caller,
            level: PhantomData,
        })
    }
}

impl<L: Level> FromRequestParts<ApiState> for May<L> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        let caller = Caller::from_request_parts(parts, state).await?;
        Self::checked(caller, parts, state).await
    }
}

async fn app_in_path(parts: &mut Parts, state: &ApiState) -> Result<Option<AppName>, Problem> {
    let unreadable = |detail: String| Problem::new(Kind::InvalidPath, detail);
    let params = RawPathParams::from_request_parts(parts, state)
        .await
        .map_err(|rejection| unreadable(rejection.body_text()))?;
    params
        .iter()
        .find(|(key, _)| *key == "app")
        .map(|(_, name)| name.parse())
        .transpose()
        .map_err(|error: shipway_core::name::InvalidName| unreadable(error.to_string()))
}
