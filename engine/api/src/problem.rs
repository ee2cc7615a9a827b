//! Everything that is refused, as RFC 9457 problem details. Each kind has a
//! stable `type`, a title and a status; the detail says what happened this
//! time, the hint what to do about it.

mod from;

pub(crate) use from::internal;

use axum::response::{IntoResponse, Response};
use http::header::{CONTENT_TYPE, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use shipway_core::ending::Failure;
use shipway_core::update::Difference;

use crate::wire;
use crate::wire::health::Part;

/// A refusal on its way out.
#[derive(Debug, Clone)]
pub struct Problem {
    pub kind: Kind,
    pub detail: String,
    pub hint: Option<String>,
    /// Why a plan could not be made, in the words of a deployment's ending.
    pub failure: Option<Box<Failure>>,
    /// What a new version of a plugin asks for that has to be accepted.
    pub difference: Option<Box<Difference>>,
    /// What the engine does or needs, when some of it fails.
    pub parts: Vec<Part>,
}

impl Problem {
    pub fn new(kind: Kind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
            hint: None,
            failure: None,
            difference: None,
            parts: Vec::new(),
        }
    }

    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<Problem> for wire::problem::Problem {
    fn from(problem: Problem) -> Self {
        Self {
            r#type: problem.kind.uri(),
            title: problem.kind.title().to_owned(),
            status: problem.kind.status().as_u16(),
            detail: problem.detail,
            hint: problem.hint,
            failure: problem.failure,
            difference: problem.difference,
            parts: problem.parts,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let kind = self.kind;
        let body = wire::problem::Problem::from(self.clone());
        let mut response = (kind.status(), axum::Json(body)).into_response();
        // For the audit log.
        response.extensions_mut().insert(kind);
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        if kind == Kind::Unauthorized {
            let challenge = HeaderValue::from_static("Bearer realm=\"shipway\"");
            headers.insert(WWW_AUTHENTICATE, challenge);
        }
        // The console makes a page of it.
        response.extensions_mut().insert(self);
        response
    }
}

/// Declares the kinds: name, slug of the `type`, status and title.
macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident, $slug:literal, $status:ident, $title:literal;)*) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Kind {
            $($(#[$doc])* $kind,)*
        }

        impl Kind {
            pub const ALL: &'static [Self] = &[$(Self::$kind),*];

            pub fn slug(self) -> &'static str {
                match self { $(Self::$kind => $slug),* }
            }

            pub fn status(self) -> StatusCode {
                match self { $(Self::$kind => StatusCode::$status),* }
            }

            pub fn title(self) -> &'static str {
                match self { $(Self::$kind => $title),* }
            }
        }
    };
}

kinds! {
    MalformedBody, "malformed-body", BAD_REQUEST, "The body cannot be read";
    InvalidPath, "invalid-path", BAD_REQUEST, "A part of the path is no such name";
    InvalidQuery, "invalid-query", BAD_REQUEST, "The query does not fit";
    InvalidHeader, "invalid-header", BAD_REQUEST, "A header does not fit";
    /// No token, or one that is not known.
    Unauthorized, "unauthorized", UNAUTHORIZED, "A valid token is needed";
    Forbidden, "forbidden", FORBIDDEN, "The token does not allow this";
    /// Of the console: a form that is not ours, or of an earlier session.
    ForeignForm, "foreign-form", FORBIDDEN, "The form is not one of this session";
    /// Of the console: no rule lets this person in, or the steps do not fit.
    SignInFailed, "sign-in-failed", FORBIDDEN, "Nobody was signed in";
    /// A delivery that nobody who knows the webhook's secret has signed.
    InvalidSignature, "invalid-signature", FORBIDDEN, "The delivery is not signed with the webhook's secret";
    StaleDelivery, "stale-delivery", FORBIDDEN, "The delivery was signed at another time";
    ForeignRepository, "foreign-repository", FORBIDDEN, "The delivery is of another repository";
    /// What was delivered before comes under another id, or the other way round.
    ReplayedDelivery, "replayed-delivery", CONFLICT, "The delivery came before";
    NotFound, "not-found", NOT_FOUND, "There is no such thing";
    UnknownRoute, "unknown-route", NOT_FOUND, "The API has no such path";
    MethodNotAllowed, "method-not-allowed", METHOD_NOT_ALLOWED, "The path does not take this method";
    NotAcceptable, "not-acceptable", NOT_ACCEPTABLE, "The answer has none of the accepted forms";
    Exists, "exists", CONFLICT, "It exists already";
    DomainTaken, "domain-taken", CONFLICT, "The domain belongs to another environment";
    DuplicateLabel, "duplicate-label", CONFLICT, "The label is taken";
    /// A deployment runs and the environment's queue policy is `reject`, or
    /// what is to be deleted is being deployed.
    Busy, "busy", CONFLICT, "A deployment runs";
    /// What was to be cancelled has ended.
    Ended, "ended", CONFLICT, "The deployment has ended";
    /// What was to be cancelled is switching.
    TooLate, "too-late", CONFLICT, "The deployment can no longer be cancelled";
    NothingToDeploy, "nothing-to-deploy", CONFLICT, "There is nothing that could be deployed";
    Protected, "protected", CONFLICT, "A command runs that may not be stopped";
    /// Another app reuses the images of this one.
    InUse, "in-use", CONFLICT, "Something else needs it";
    TooLarge, "too-large", PAYLOAD_TOO_LARGE, "The body is too large";
    /// What `If-Match` names is not what is there.
    PreconditionFailed, "precondition-failed", PRECONDITION_FAILED, "It has changed meanwhile";
    TooManyRequests, "too-many-requests", TOO_MANY_REQUESTS, "There are too many requests";
    UnsupportedMediaType, "unsupported-media-type", UNSUPPORTED_MEDIA_TYPE, "The body has another content type";
    /// JSON, but not of the form that this route takes.
    InvalidBody, "invalid-body", UNPROCESSABLE_ENTITY, "The body does not fit";
    InvalidSetting, "invalid-setting", UNPROCESSABLE_ENTITY, "A setting breaks its rule";
    IdempotencyKeyReused, "idempotency-key-reused", UNPROCESSABLE_ENTITY, "The key was used for something else";
    /// A new version of a plugin wants more, and nobody accepted it.
    AsksForMore, "asks-for-more", CONFLICT, "The new version asks for more";
    /// A signature is demanded.
    SignatureMissing, "signature-missing", UNPROCESSABLE_ENTITY, "The plugin is not signed";
    SignatureInvalid, "signature-invalid", UNPROCESSABLE_ENTITY, "The plugin's signature does not hold";
    PluginRejected, "plugin-rejected", UNPROCESSABLE_ENTITY, "The plugin cannot be used";
    PlanFailed, "plan-failed", UNPROCESSABLE_ENTITY, "No plan can be made";
    /// Something of the engine's own; its log says more.
    Internal, "internal", INTERNAL_SERVER_ERROR, "The engine failed";
    TearDownFailed, "tear-down-failed", BAD_GATEWAY, "What runs could not be stopped";
    /// Of the console: signing in with OpenID Connect is not possible now.
    ProviderFailed, "provider-failed", BAD_GATEWAY, "The OpenID provider did not do its part";
    /// Something of the engine's own stands still.
    NotAlive, "not-alive", SERVICE_UNAVAILABLE, "The engine stands still";
    NotReady, "not-ready", SERVICE_UNAVAILABLE, "The engine is not ready";
    Timeout, "timeout", GATEWAY_TIMEOUT, "It took too long";
    DiskFull, "disk-full", INSUFFICIENT_STORAGE, "The disk is full";
}

impl Kind {
    /// The stable `type`.
    pub fn uri(self) -> String {
        format!("/problems/{}", self.slug())
    }
}
