//! What every page has: the headers that keep it safe, and for whatever was
//! refused on the way a page that says so.

use axum::Router;
use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Redirect, Response};
use http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
    X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use url::form_urlencoded;

use super::{session, shell};
use crate::audit::Note;
use crate::problem::{Kind, Problem};
use crate::state::ApiState;

/// Everything comes from the engine itself, and nothing is written in a page.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; \
                      connect-src 'self'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";

/// Pages hold what only the one who asked may see. The referrer goes to
/// ourselves only, and must: without it a browser calls a form's origin `null`.
const HEADERS: [(HeaderName, &str); 7] = [
    (CONTENT_SECURITY_POLICY, POLICY),
    (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (X_FRAME_OPTIONS, "DENY"),
    (REFERRER_POLICY, "same-origin"),
    (CACHE_CONTROL, "no-store"),
    (
        HeaderName::from_static("cross-origin-opener-policy"),
        "same-origin",
    ),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        "same-origin",
    ),
];

/// Pages with what each of them has.
pub(crate) fn dressed(pages: Router<ApiState>, state: &ApiState) -> Router<ApiState> {
    pages.layer(from_fn_with_state(state.clone(), dress))
}

async fn dress(State(state): State<ApiState>, request: Request, next: Next) -> Response {
    let asked = Asked::of(&request);
    let mut response = next.run(request).await;
    if let Some(problem) = response.extensions_mut().remove::<Problem>() {
        response = match (problem.kind, asked.by_a_person) {
            (_, false) => response,
            (Kind::Unauthorized, true) => asked.to_sign_in(&state),
            (_, true) => page(&state, &asked.headers, &problem).await,
        };
    }
    add_headers(response.headers_mut());
    response
}

/// With the console's frame for whoever is signed in.
async fn page(state: &ApiState, headers: &HeaderMap, problem: &Problem) -> Response {
    let visitor = session::visitor(state, headers, Note::default()).await.ok();
    shell::refusal(problem, visitor.as_ref()).into_response()
}

/// A refusal of a path that nobody has, for a person or for a program.
pub(crate) async fn unknown(state: &ApiState, headers: &HeaderMap, problem: Problem) -> Response {
    if !wants_a_page(headers) {
        return problem.into_response();
    }
    let mut response = page(state, headers, &problem).await;
    add_headers(response.headers_mut());
    response
}

fn add_headers(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        headers.insert(name, HeaderValue::from_static(value));
    }
}

/// What is needed of a request once it is gone.
struct Asked {
    by_a_person: bool,
    /// Where to go once somebody is signed in.
    next: Option<String>,
    headers: HeaderMap,
}

impl Asked {
    fn of(request: &Request) -> Self {
        let path = request.uri().path_and_query().map(ToString::to_string);
        Self {
            by_a_person: wants_a_page(request.headers()),
            next: path.filter(|path| request.method() == Method::GET && path != "/"),
            headers: request.headers().clone(),
        }
    }

    /// With what was a session, and is none, forgotten.
    fn to_sign_in(&self, state: &ApiState) -> Response {
        let to = match &self.next {
            Some(next) => {
                let mut query = form_urlencoded::Serializer::new(String::new());
                query.append_pair("next", next);
                format!("/sign-in?{}", query.finish())
            }
            None => "/sign-in".to_owned(),
        };
        let cookies = session::forgotten(state, &self.headers);
        (cookies, Redirect::to(&to)).into_response()
    }
}

fn wants_a_page(headers: &HeaderMap) -> bool {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok());
    accept.is_some_and(|accept| accept.contains("text/html"))
}
