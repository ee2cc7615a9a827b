//! Writes down who did what, from where, for every route in one place: what
//! changes something, and what is refused to whoever may not. A handler only
//! adds what a path cannot tell, by way of the [`Note`].
//!
//! Never written: a query, a header, a body, a text that has the form of a
//! token. Strangers cannot fill the disk: of their refused attempts a few a
//! minute are written down, the others counted.

use std::collections::HashMap;
use std::convert::Infallible;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{FromRequestParts, MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::header::LOCATION;
use http::request::Parts;
use http::{Method, StatusCode};
use shipway_core::audit::{Act, Actor, Outcome, Policy};
use shipway_core::name::{AppName, Timestamp};
use utoipa::openapi::OpenApi;

use crate::address::address;
use crate::bearer;
use crate::problem::Kind;
use crate::state::ApiState;

/// Refused attempts of strangers that are written down in a minute: from one
/// address, and from all.
const FROM_ONE: u32 = 20;
const FROM_ALL: u32 = 200;
const MINUTE_MILLIS: i64 = 60_000;
const LONGEST_SUBJECT: usize = 300;

/// What is learned about a request while it is handled.
#[derive(Debug, Clone, Default)]
pub struct Note(Arc<Mutex<Learned>>);

#[derive(Debug, Default, Clone)]
struct Learned {
    actor: Option<Actor>,
    app: Option<AppName>,
    name: Option<String>,
    quiet: bool,
}

impl Note {
    /// The note of a request; one that nobody reads where nothing is audited.
    pub fn of(extensions: &http::Extensions) -> Self {
        extensions.get::<Self>().cloned().unwrap_or_default()
    }

    pub fn actor(&self, actor: Actor) {
        self.learn(|learned| learned.actor = Some(actor));
    }

    pub fn app(&self, app: &AppName) {
        self.learn(|learned| learned.app = Some(app.clone()));
    }

    /// The name of what is made.
    pub fn name(&self, name: &str) {
        let name = Some(name).filter(|name| !name.is_empty());
        self.learn(|learned| learned.name = name.map(str::to_owned));
    }

    /// It changed nothing after all, and is not worth a record.
    pub fn changes_nothing(&self) {
        self.learn(|learned| learned.quiet = true);
    }

    fn learn(&self, change: impl FnOnce(&mut Learned)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }

    fn read(&self) -> Learned {
        let learned = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        learned.clone()
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Note {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(&parts.extensions))
    }
}

/// The names of the operations of some routes.
#[derive(Debug, Clone)]
pub struct Watch {
    state: ApiState,
    operations: Arc<HashMap<(Method, String), String>>,
}

impl Watch {
    pub fn over(state: &ApiState, api: &OpenApi) -> Self {
        let mut operations = HashMap::new();
        for (path, item) in &api.paths.paths {
            let all = [
                (Method::GET, &item.get),
                (Method::PUT, &item.put),
                (Method::POST, &item.post),
                (Method::PATCH, &item.patch),
                (Method::DELETE, &item.delete),
            ];
            for (method, operation) in all {
                let id = operation.as_ref().and_then(|it| it.operation_id.clone());
                operations.extend(id.map(|id| ((method, path.clone()), id)));
            }
        }
        Self {
            state: state.clone(),
            operations: Arc::new(operations),
        }
    }

    /// The same over a route that the API's description does not have.
    #[must_use]
    pub fn naming(self, routes: &[(Method, &str)], operation: &str) -> Self {
        let mut operations = HashMap::clone(&self.operations);
        for (method, path) in routes {
            operations.insert((method.clone(), (*path).to_owned()), operation.to_owned());
        }
        Self {
            operations: Arc::new(operations),
            ..self
        }
    }

    fn action(&self, method: &Method, path: &str) -> String {
        let known = self.operations.get(&(method.clone(), path.to_owned()));
        known.cloned().unwrap_or_else(|| format!("{method} {path}"))
    }
}

/// Handles a request, then writes it down if it is worth it.
pub async fn watch(State(watch): State<Watch>, mut request: Request, next: Next) -> Response {
    let note = Note::default();
    let asked = Asked::of(&watch, &request);
    request.extensions_mut().insert(note.clone());
    let response = next.run(request).await;
    if let Some(act) = asked.act(&response, note.read(), watch.state.clock.now()) {
        record(&watch.state, act).await;
    }
    response
}

/// Writes an act down. What was done is done: a log that cannot be written is
/// told of, and undoes nothing.
pub async fn record(state: &ApiState, mut act: Act) {
    let stranger = matches!(act.actor, Actor::Anonymous);
    match state.strangers.admit(&act) {
        Admitted::Yes { unrecorded } => act.unrecorded = unrecorded,
        Admitted::No if stranger => return,
        Admitted::No => {}
    }
    if let Err(error) = state.store.record(&act, &Policy::default()).await {
        tracing::error!(%error, action = act.action, "the audit log could not be written");
    }
}

/// A request as it came, before a handler takes it apart.
struct Asked {
    changes: bool,
    from: Option<IpAddr>,
    action: String,
    path: String,
    app: Option<AppName>,
}

impl Asked {
    fn of(watch: &Watch, request: &Request) -> Self {
        let template = request.extensions().get::<MatchedPath>();
        let template = template.map_or("", MatchedPath::as_str);
        let path = request.uri().path();
        Self {
            changes: !matches!(*request.method(), Method::GET | Method::HEAD),
            from: address(request, watch.state.trusted_proxies()),
            action: watch.action(request.method(), template),
            path: shown(path),
            app: app_in(template, path),
        }
    }

    /// What is written down of it: changes, and whatever the caller was not
    /// allowed.
    fn act(self, response: &Response, learned: Learned, at: Timestamp) -> Option<Act> {
        let outcome = outcome(response);
        let forbidden = matches!(
            response.status(),
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN
        );
        if learned.quiet || !(self.changes || forbidden) {
            return None;
        }
        let made = (outcome == Outcome::Accepted)
            .then(|| made(response, &self.path, learned.name.as_deref()))
            .flatten();
        let subject = made.unwrap_or(self.path);
        let app = learned.app.or(self.app);
        Some(Act {
            at,
            actor: learned.actor.unwrap_or(Actor::Anonymous),
            from: self.from,
            action: self.action,
            app: app.or_else(|| app_of(&subject)),
            subject,
            outcome,
            unrecorded: 0,
        })
    }
}

fn outcome(response: &Response) -> Outcome {
    let status = response.status();
    let kind = response.extensions().get::<Kind>();
    let reason = kind.map_or_else(|| status.as_str().to_owned(), |kind| kind.slug().to_owned());
    match status.as_u16() {
        ..400 => Outcome::Accepted,
        400..500 => Outcome::Refused { reason },
        _ => Outcome::Failed { reason },
    }
}

/// Where what was made is found.
fn made(response: &Response, path: &str, name: Option<&str>) -> Option<String> {
    let location = response.headers().get(LOCATION);
    let location = location.and_then(|value| value.to_str().ok()).map(shown);
    location.or_else(|| name.map(|name| shown(&format!("{path}/{name}"))))
}

/// The app that the path names where its template says so.
fn app_in(template: &str, path: &str) -> Option<AppName> {
    let mut parts = template.split('/').zip(path.split('/'));
    let (_, name) = parts.find(|(part, _)| *part == "{app}")?;
    name.trim_end_matches(".git").parse().ok()
}

/// The app that a subject belongs to; one that was just made too.
fn app_of(subject: &str) -> Option<AppName> {
    let rest = subject.strip_prefix("/v1/apps/")?;
    rest.split('/').next()?.parse().ok()
}

/// A path without what is no path: somebody may have put a token there.
fn shown(path: &str) -> String {
    let parts = path.split('/').map(|part| match bearer::resembles(part) {
        true => "[token]",
        false => part,
    });
    let whole: Vec<&str> = parts.collect();
    whole.join("/").chars().take(LONGEST_SUBJECT).collect()
}

/// Counts the refused attempts of strangers, minute by minute.
#[derive(Debug, Default)]
pub struct Strangers(Mutex<Window>);

#[derive(Debug, Default)]
struct Window {
    minute: i64,
    of_all: u32,
    of_each: HashMap<Option<IpAddr>, u32>,
    unrecorded: u64,
}

enum Admitted {
    /// With what was left out since the last one.
    Yes {
        unrecorded: u64,
    },
    No,
}

impl Strangers {
    fn admit(&self, act: &Act) -> Admitted {
        let mut window = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let minute = act.at.as_millis() / MINUTE_MILLIS;
        if window.minute != minute {
            window.minute = minute;
            window.of_all = 0;
            window.of_each.clear();
        }
        if act.actor == Actor::Anonymous && !window.has_room(act.from) {
            window.unrecorded += 1;
            return Admitted::No;
        }
        Admitted::Yes {
            unrecorded: std::mem::take(&mut window.unrecorded),
        }
    }
}

impl Window {
    fn has_room(&mut self, from: Option<IpAddr>) -> bool {
        if self.of_all >= FROM_ALL {
            return false;
        }
        let of_this = self.of_each.entry(from).or_default();
        if *of_this >= FROM_ONE {
            return false;
        }
        *of_this += 1;
        self.of_all += 1;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(from: u8, millis: i64) -> Act {
        Act {
            at: Timestamp::from_millis(millis),
            actor: Actor::Anonymous,
            from: Some([192, 0, 2, from].into()),
            action: "create_app".into(),
            subject: "/v1/apps".into(),
            app: None,
            outcome: Outcome::Refused {
                reason: "unauthorized".into(),
            },
            unrecorded: 0,
        }
    }

    fn admitted(strangers: &Strangers, act: &Act) -> Option<u64> {
        match strangers.admit(act) {
            Admitted::Yes { unrecorded } => Some(unrecorded),
            Admitted::No => None,
        }
    }

    #[test]
    fn one_address_does_not_hide_another_and_what_is_left_out_is_counted() {
        let strangers = Strangers::default();
        let of_one = (0..100).filter_map(|n| admitted(&strangers, &attempt(1, n)));
        assert_eq!(of_one.count(), FROM_ONE as usize);
        assert_eq!(admitted(&strangers, &attempt(2, 200)), Some(80));
        assert_eq!(admitted(&strangers, &attempt(1, 200)), None);
        assert_eq!(admitted(&strangers, &attempt(1, MINUTE_MILLIS)), Some(1));
    }

    #[test]
    fn all_together_have_a_limit() {
        let strangers = Strangers::default();
        let all = (0..=255).flat_map(|from| (0..2).map(move |n| attempt(from, n)));
        let written = all.filter_map(|act| admitted(&strangers, &act)).count();
        assert_eq!(written, FROM_ALL as usize);
    }

    #[test]
    fn a_token_in_a_path_is_not_written_down() {
        let token = format!("shipway_{}", "a".repeat(64));
        assert_eq!(shown(&format!("/v1/tokens/{token}")), "/v1/tokens/[token]");
        assert_eq!(shown("/v1/apps/shipway"), "/v1/apps/shipway");
        assert_eq!(shown(&"/a".repeat(1000)).len(), LONGEST_SUBJECT);
    }

    #[test]
    fn the_app_stands_where_the_template_says() {
        let app = app_in("/v1/apps/{app}/webhooks", "/v1/apps/shop/webhooks");
        assert_eq!(app, Some("shop".parse().unwrap()));
        assert_eq!(app_in("/v1/plugins/{plugin}", "/v1/plugins/shop"), None);
    }
}
