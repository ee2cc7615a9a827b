//! `/git/{app}/{environment}.git`: what `git push` speaks. The user is whatever
//! it likes, the password is a token. Refusals are plain text, which Git shows.

use std::net::IpAddr;
use std::sync::Arc;

use async_trait::async_trait;
use axum::body::{Body, BodyDataStream};
use axum::extract::{Request, State};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures::StreamExt;
use http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_TYPE, WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderValue};
use serde::Deserialize;
use shipway_core::audit::{Act, Actor, Outcome};
use shipway_core::ending::Ending;
use shipway_core::environment::EnvironmentKey;
use shipway_core::journal::{BuildWish, Subject, Trigger};
use shipway_core::name::{CommitId, DeploymentId};
use shipway_core::ports::pushes::{Chunks, Deployer, Push, Pusher, Pushes};
use shipway_core::ports::store::Created;
use shipway_core::token::Scope;

use crate::access::Caller;
use crate::address::address;
use crate::audit::{self, Note};
use crate::extract::{PathOf, QueryOf};
use crate::problem::{Kind, Problem};
use crate::state::ApiState;
use crate::tail::{self, Until};

/// How the audit log names it.
pub const OPERATION: &str = "git_push";
const SERVICE: &str = "git-receive-pack";
const REQUEST: &str = "application/x-git-receive-pack-request";
const RESULT: &str = "application/x-git-receive-pack-result";
const ADVERTISEMENT: &str = "application/x-git-receive-pack-advertisement";

#[derive(Debug, Deserialize)]
pub struct Place {
    app: String,
    repository: String,
}

#[derive(Debug, Deserialize)]
pub struct Wanted {
    service: Option<String>,
}

/// The first thing that Git asks: which references there are.
pub async fn advertise(
    State(state): State<ApiState>,
    PathOf(place): PathOf<Place>,
    QueryOf(wanted): QueryOf<Wanted>,
    note: Note,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    if wanted.service.as_deref() != Some(SERVICE) {
        let detail = "this repository is for pushing; fetch from where the code is kept";
        return Err(Problem::new(Kind::Forbidden, detail).into());
    }
    let pushing = Pushing::admit(&state, &place, &note, &headers).await?;
    let answer = pushing.pushes.advertise(&pushing.key).await;
    Ok(told(
        ADVERTISEMENT,
        Body::from(answer.map_err(Problem::from)?),
    ))
}

/// What is pushed. The answer goes on until the deployment has ended.
pub async fn receive(
    State(state): State<ApiState>,
    PathOf(place): PathOf<Place>,
    note: Note,
    request: Request,
) -> Result<Response, Refusal> {
    let pushing = Pushing::admit(&state, &place, &note, request.headers()).await?;
    require_form(request.headers())?;
    // What it deploys is written down when it does.
    note.changes_nothing();
    let deployer = Deploying {
        from: address(&request, state.trusted_proxies()),
        key: pushing.key.clone(),
        token: pushing.token,
        state: state.clone(),
    };
    let push = Push {
        key: pushing.key,
        branch: pushing.branch,
        deployer: Arc::new(deployer),
    };
    let sent = Box::new(Sent(request.into_body().into_data_stream()));
    let answer = pushing.pushes.receive(push, sent).await;
    let chunks = futures::stream::unfold(answer.map_err(Problem::from)?, |mut answer| async {
        let chunk = answer.next().await?;
        Some((chunk, answer))
    });
    Ok(told(RESULT, Body::from_stream(chunks)))
}

fn told(kind: &'static str, body: Body) -> Response {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(kind)),
        (CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    (headers, body).into_response()
}

fn require_form(headers: &HeaderMap) -> Result<(), Problem> {
    let kind = headers
        .get(CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok());
    if kind == Some(REQUEST) && !headers.contains_key(CONTENT_ENCODING) {
        return Ok(());
    }
    let detail = format!("this takes {REQUEST}, as `git push` sends it");
    Err(Problem::new(Kind::UnsupportedMediaType, detail))
}

/// Somebody who may push here.
struct Pushing {
    pushes: Arc<dyn Pushes>,
    key: EnvironmentKey,
    branch: String,
    token: String,
}

impl Pushing {
    async fn admit(
        state: &ApiState,
        place: &Place,
        note: &Note,
        headers: &HeaderMap,
    ) -> Result<Self, Problem> {
        let caller = caller(state, note, headers).await?;
        let token = caller.name().to_owned();
        let name = token.clone();
        note.actor(Actor::GitPush { name });
        let key = place.key()?;
        caller.may(Scope::Deploy, &key.app)?;
        let app = state.app(&key.app).await?;
        let environment = state.environment(&key).await?;
        if !app.repository.is_pushed() {
            let (app, url) = (&app.name, &app.repository.url);
            let detail = format!("{app} deploys from {url}; push there");
            let hint =
                format!("or let it be pushed here: shipway app set {app} --repository push:");
            return Err(Problem::new(Kind::Forbidden, detail).with_hint(hint));
        }
        let pushes = state.pushes();
        let pushes =
            pushes.ok_or_else(|| Problem::new(Kind::NotReady, "this engine takes no pushes"))?;
        Ok(Self {
            pushes,
            branch: environment.reference_of(&app).to_owned(),
            key,
            token,
        })
    }
}

impl Place {
    fn key(&self) -> Result<EnvironmentKey, Problem> {
        let environment = self
            .repository
            .strip_suffix(".git")
            .unwrap_or(&self.repository);
        let wrong = |error: shipway_core::name::InvalidName| {
            Problem::new(Kind::InvalidPath, error.to_string())
                .with_hint("the address is /git/APP/ENVIRONMENT.git")
        };
        Ok(EnvironmentKey {
            app: self.app.parse().map_err(wrong)?,
            environment: environment.parse().map_err(wrong)?,
        })
    }
}

/// Git asks without a password first, and only then for one: that is no
/// attempt.
async fn caller(state: &ApiState, note: &Note, headers: &HeaderMap) -> Result<Caller, Problem> {
    let unknown = || {
        Problem::new(Kind::Unauthorized, "the token is missing or not known")
            .with_hint("give any user, and a token with scope deploy as the password")
    };
    let Some(given) = headers.get(AUTHORIZATION) else {
        note.changes_nothing();
        return Err(unknown());
    };
    let password = given.to_str().ok().and_then(password).ok_or_else(unknown)?;
    let caller = Caller::by_token(state, note, &password).await?;
    caller.ok_or_else(unknown)
}

fn password(header: &str) -> Option<String> {
    let (scheme, rest) = header.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(rest.trim().to_owned());
    }
    let decoded = STANDARD.decode(rest.trim()).ok()?;
    let pair = String::from_utf8(decoded).ok()?;
    let (_, password) = pair.split_once(':')?;
    scheme
        .eq_ignore_ascii_case("basic")
        .then(|| password.to_owned())
}

/// A problem as Git shows it.
#[derive(Debug)]
pub struct Refusal(Problem);

impl From<Problem> for Refusal {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Problem {
            kind, detail, hint, ..
        } = self.0;
        let hint = hint.map(|hint| format!("\n{hint}")).unwrap_or_default();
        let mut response = (kind.status(), format!("{detail}{hint}\n")).into_response();
        response.extensions_mut().insert(kind);
        if kind == Kind::Unauthorized {
            let challenge = HeaderValue::from_static("Basic realm=\"shipway\", charset=\"UTF-8\"");
            response.headers_mut().insert(WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

struct Sent(BodyDataStream);

#[async_trait]
impl Chunks for Sent {
    async fn next(&mut self) -> Option<std::io::Result<Vec<u8>>> {
        let chunk = self.0.next().await?;
        Some(chunk.map(Vec::from).map_err(std::io::Error::other))
    }
}

/// Deploys what was pushed, and tells the pusher what happens.
#[derive(Debug)]
struct Deploying {
    state: ApiState,
    key: EnvironmentKey,
    token: String,
    from: Option<IpAddr>,
}

#[async_trait]
impl Deployer for Deploying {
    async fn deploy(&self, commit: &CommitId, pusher: &dyn Pusher) -> Result<(), String> {
        let id = self.trigger(commit).await?;
        let (key, short) = (&self.key, commit.short());
        pusher
            .hear(&format!("deployment {id} of commit {short} to {key}"))
            .await;
        pusher.hear("Ctrl-C leaves it running").await;
        let mut lines = Box::pin(tail::lines(&self.state, id, 0, Until::Ended));
        while let Some(line) = lines.next().await {
            pusher.hear(&line.text).await;
        }
        self.ending(id).await
    }
}

impl Deploying {
    async fn trigger(&self, commit: &CommitId) -> Result<DeploymentId, String> {
        let trigger = Trigger {
            key: self.key.clone(),
            reference: commit.to_string(),
            by: format!("git push by {}", self.token),
            idempotency_key: None,
            build: BuildWish::Reuse,
            subject: Subject::Commit,
        };
        match self.state.commands.trigger(trigger).await {
            Ok(Created::New(made) | Created::Earlier(made)) => {
                let subject = format!("/v1/deployments/{}", made.id);
                self.write_down(subject, Outcome::Accepted).await;
                Ok(made.id)
            }
            Err(error) => {
                let problem = Problem::from(error);
                let reason = problem.kind.slug().to_owned();
                let (app, environment) = (&self.key.app, &self.key.environment);
                let subject = format!("/git/{app}/{environment}.git");
                self.write_down(subject, Outcome::Refused { reason }).await;
                Err(problem.detail)
            }
        }
    }

    async fn write_down(&self, subject: String, outcome: Outcome) {
        let act = Act {
            at: self.state.clock.now(),
            actor: Actor::GitPush {
                name: self.token.clone(),
            },
            from: self.from,
            action: OPERATION.to_owned(),
            subject,
            app: Some(self.key.app.clone()),
            outcome,
            unrecorded: 0,
        };
        audit::record(&self.state, act).await;
    }

    /// The lines end with the deployment, or when the engine stops.
    async fn ending(&self, id: DeploymentId) -> Result<(), String> {
        let found = self.state.store.deployment(id).await;
        let ending = found.ok().flatten().and_then(|found| found.ending);
        match ending {
            Some(Ending::Succeeded) => Ok(()),
            Some(Ending::Failed(failed)) => {
                Err(format!("deployment failed: {}", failed.failure.message))
            }
            Some(Ending::Cancelled(_)) => Err("deployment cancelled".to_owned()),
            Some(Ending::Superseded { by }) => Err(format!("deployment superseded by {by}")),
            None => Err(format!(
                "the engine stops; deployment {id} goes on with the next one"
            )),
        }
    }
}
