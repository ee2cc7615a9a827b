//! Sessions: a cookie with 256 random bits, whose digest the store knows. What
//! a visitor may do is looked up at each request, so that a token that was
//! deleted ends its sessions at once.

use std::time::Duration;

use axum::extract::FromRequestParts;
use axum::response::AppendHeaders;
use cookie::{Cookie, SameSite};
use http::header::{COOKIE, SET_COOKIE};
use http::request::Parts;
use http::{HeaderMap, HeaderName};
use ring::hmac;
use shipway_core::audit::Actor;
use shipway_core::secret::Secret;
use shipway_core::session::{Session, Who};
use shipway_core::token::Token;

use crate::access::{Caller, Level, May, token_with};
use crate::audit::Note;
use crate::bearer::{digest_of, hex, new_random};
use crate::problem::{Kind, Problem, internal};
use crate::state::ApiState;

/// Then everybody signs in again.
const LIFE: Duration = Duration::from_secs(12 * 60 * 60);
/// From the sign-in page to the end of signing in.
const BEFORE_LIFE: Duration = Duration::from_secs(15 * 60);

const SESSION: &str = "shipway-session";
const BEFORE: &str = "shipway-before";
/// A browser takes a cookie of this name only from this very host, over TLS.
const HOST_PREFIX: &str = "__Host-";

/// The name of the field that every form has.
pub const FORM_TOKEN: &str = "form";

pub(super) type Cookies = AppendHeaders<Vec<(HeaderName, String)>>;

/// Who is signed in.
#[derive(Debug, Clone)]
pub struct Visitor {
    pub caller: Caller,
    key: Secret,
}

impl Visitor {
    /// What every form of this session must bring along.
    pub fn form_token(&self) -> String {
        derived(&self.key, "form")
    }

    pub(super) fn check_form(&self, presented: &str) -> Result<(), Problem> {
        check_form(&self.key, presented)
    }
}

impl FromRequestParts<ApiState> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        visitor(state, &parts.headers, Note::of(&parts.extensions)).await
    }
}

/// Whoever has the session that a request shows.
pub(super) async fn visitor(
    state: &ApiState,
    headers: &HeaderMap,
    note: Note,
) -> Result<Visitor, Problem> {
    let nobody =
        || Problem::new(Kind::Unauthorized, "nobody is signed in").with_hint("sign in at /sign-in");
    let name = name_of(SESSION, state, headers);
    let key = presented(headers, &name).ok_or_else(nobody)?;
    let digest = digest_of(key.reveal().as_bytes()).map_err(|_| nobody())?;
    let session = state.store.session(&digest).await?;
    let session = session.filter(|one| !one.is_over(state.clock.now()));
    let session = session.ok_or_else(nobody)?;
    let who = session.who.clone();
    let token = token_of(state, session).await?.ok_or_else(nobody)?;
    note.actor(actor(&who, &token));
    Ok(Visitor {
        caller: Caller::of(token, note),
        key,
    })
}

fn actor(who: &Who, token: &Token) -> Actor {
    let name = token.name.clone();
    match who {
        Who::Token { .. } => Actor::Token { name },
        Who::Person { .. } => Actor::Person { name },
    }
}

/// What a session allows, in the form of a token.
async fn token_of(state: &ApiState, session: Session) -> Result<Option<Token>, Problem> {
    match &session.who {
        Who::Token { digest } => token_with(state, digest).await,
        Who::Person { name, rule } => {
            let openid = state.console().openid.as_ref();
            Ok(openid.and_then(|openid| openid.token_of(name.clone(), rule, &session)))
        }
    }
}

/// Somebody is signed in and may do this to the app in the path.
#[derive(Debug, Clone)]
pub struct Signed<L> {
    pub visitor: Visitor,
    pub may: May<L>,
}

impl<L: Level> FromRequestParts<ApiState> for Signed<L> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &ApiState) -> Result<Self, Problem> {
        let visitor = Visitor::from_request_parts(parts, state).await?;
        let may = May::checked(visitor.caller.clone(), parts, state).await?;
        Ok(Self { visitor, may })
    }
}

/// Makes a session, in the place of whatever the browser had.
pub(super) async fn begin(
    state: &ApiState,
    headers: &HeaderMap,
    who: Who,
) -> Result<Cookies, Problem> {
    let (key, digest) = new_random().map_err(|error| internal(&error))?;
    let now = state.clock.now();
    let session = Session {
        digest,
        who,
        created_at: now,
        expires_at: now.later(LIFE),
    };
    end(state, headers).await?;
    state.store.create_session(&session).await?;
    let mut cookies = forgotten(state, headers);
    cookies.0.retain(|(_, text)| !text.contains(SESSION));
    cookies
        .0
        .push(set(SESSION, key.reveal(), LIFE, state, headers));
    Ok(cookies)
}

/// Ends the session that the browser has, if it has one.
pub(super) async fn end(state: &ApiState, headers: &HeaderMap) -> Result<(), Problem> {
    let Some(key) = presented(headers, &name_of(SESSION, state, headers)) else {
        return Ok(());
    };
    if let Ok(digest) = digest_of(key.reveal().as_bytes()) {
        state.store.delete_session(&digest).await?;
    }
    Ok(())
}

/// Makes the browser forget all that we gave it.
pub(super) fn forgotten(state: &ApiState, headers: &HeaderMap) -> Cookies {
    let gone = |name| set(name, "", Duration::ZERO, state, headers);
    AppendHeaders(vec![gone(SESSION), gone(BEFORE)])
}

/// What ties the steps of signing in to one browser: random bits from which
/// the sign-in form's token and all secrets of OpenID Connect are derived, so
/// that nothing about people who may never come back is kept.
#[derive(Debug)]
pub(super) struct Before {
    key: Secret,
}

impl Before {
    pub fn of(state: &ApiState, headers: &HeaderMap) -> Option<Self> {
        let key = presented(headers, &name_of(BEFORE, state, headers))?;
        Some(Self { key })
    }

    /// The one that the browser has, or a new one.
    pub fn of_or_new(state: &ApiState, headers: &HeaderMap) -> Result<Self, Problem> {
        if let Some(known) = Self::of(state, headers) {
            return Ok(known);
        }
        let (key, _) = new_random().map_err(|error| internal(&error))?;
        Ok(Self { key })
    }

    pub fn cookie(&self, state: &ApiState, headers: &HeaderMap) -> Cookies {
        let cookie = set(BEFORE, self.key.reveal(), BEFORE_LIFE, state, headers);
        AppendHeaders(vec![cookie])
    }

    /// A secret of this browser's for one purpose, in hexadecimal.
    pub fn secret(&self, purpose: &str) -> String {
        derived(&self.key, purpose)
    }

    pub fn form_token(&self) -> String {
        derived(&self.key, "form")
    }

    pub fn check_form(&self, presented: &str) -> Result<(), Problem> {
        check_form(&self.key, presented)
    }
}

fn derived(key: &Secret, purpose: &str) -> String {
    hex(hmac::sign(&hmac_key(key), purpose.as_bytes()).as_ref())
}

fn hmac_key(key: &Secret) -> hmac::Key {
    hmac::Key::new(hmac::HMAC_SHA256, key.reveal().as_bytes())
}

/// Whether a text is what was derived; it takes as long for any text.
pub(super) fn is_same(one: &str, other: &str) -> bool {
    let key = hmac::Key::new(hmac::HMAC_SHA256, b"compare");
    hmac::verify(
        &key,
        one.as_bytes(),
        hmac::sign(&key, other.as_bytes()).as_ref(),
    )
    .is_ok()
}

fn check_form(key: &Secret, presented: &str) -> Result<(), Problem> {
    if is_same(presented, &derived(key, "form")) {
        return Ok(());
    }
    let detail = "the form has no token of this session: it is older than the session, or not ours";
    Err(Problem::new(Kind::ForeignForm, detail)
        .with_hint("go back, load the page again, and send it again"))
}

fn presented(headers: &HeaderMap, name: &str) -> Option<Secret> {
    let headers = headers.get_all(COOKIE).iter();
    let mut cookies = headers
        .filter_map(|value| value.to_str().ok())
        .flat_map(Cookie::split_parse)
        .flatten();
    let found = cookies.find(|cookie| cookie.name() == name)?;
    (!found.value().is_empty()).then(|| Secret::new(found.value()))
}

fn set(
    name: &str,
    value: &str,
    life: Duration,
    state: &ApiState,
    headers: &HeaderMap,
) -> (HeaderName, String) {
    let seconds = i64::try_from(life.as_secs()).unwrap_or(0);
    // Lax: a person who comes from an OpenID provider, or by a link in a chat,
    // is to be signed in.
    let cookie = Cookie::build((name_of(name, state, headers), value.to_owned()))
        .path("/")
        .http_only(true)
        .same_site(SameSite::Lax)
        .secure(is_secure(state, headers))
        .max_age(cookie::time::Duration::seconds(seconds));
    (SET_COOKIE, cookie.build().to_string())
}

fn name_of(name: &str, state: &ApiState, headers: &HeaderMap) -> String {
    match is_secure(state, headers) {
        true => format!("{HOST_PREFIX}{name}"),
        false => name.to_owned(),
    }
}

/// Whether the browser speaks TLS, to us or to a proxy in front of us.
pub(super) fn is_secure(state: &ApiState, headers: &HeaderMap) -> bool {
    let forwarded = headers.get("x-forwarded-proto");
    state.console().is_https() || forwarded.is_some_and(|proto| proto == "https")
}
