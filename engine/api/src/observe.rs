//! Every request has a span with its id, goes on in the trace of whoever sent
//! it, and is counted by its route. The route is known only inside, where
//! [`note_route`] tells it. Never here: a query, a body or a token.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use http::{HeaderMap, Method, StatusCode};
use metrics::{
    Gauge, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use opentelemetry::global::get_text_map_propagator;
use opentelemetry::trace::TraceContextExt;
use opentelemetry_http::HeaderExtractor;
use tracing::field::Empty;
use tracing::{Instrument, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt;

const REQUESTS: &str = "shipway_api_requests_total";
const REQUEST_SECONDS: &str = "shipway_api_request_duration_seconds";
const STREAMS: &str = "shipway_api_streams_open";
/// Shared with the executor and the plugin host.
const LIMITS: &str = "shipway_limits_hit_total";

/// Asked for again and again by machines: counted, not traced.
const PROBES: [&str; 3] = ["/healthz", "/readyz", "/metrics"];
/// A client may choose the id of its request; this much of it is kept.
const MOST_ID: usize = 100;

/// Tells the recorder what each number means. Call it once, after installing
/// one.
pub fn describe() {
    describe_counter!(
        REQUESTS,
        "Requests to the API, by template of the route, method and status"
    );
    describe_histogram!(
        REQUEST_SECONDS,
        "From a request to the head of its answer, by template of the route and method"
    );
    describe_gauge!(STREAMS, "Event streams that are open now");
    for kind in ["events", "log"] {
        gauge!(STREAMS, "kind" => kind).set(0.0);
    }
}

/// Where a request leaves its route for whoever counts it. Before a change that
/// has a condition something else may be read, so the last one holds.
#[derive(Debug, Clone)]
struct Place {
    span: Span,
    method: &'static str,
    route: Arc<Mutex<Option<MatchedPath>>>,
}

impl Place {
    fn new(span: &Span, method: &'static str) -> Self {
        Self {
            span: span.clone(),
            method,
            route: Arc::default(),
        }
    }

    /// A trace's span that has begun takes no other name from a field.
    fn note(&self, route: &MatchedPath) {
        let name = format!("{} {}", self.method, route.as_str());
        self.span.context().span().update_name(name);
        self.span.record("http.route", route.as_str());
        *self.route.lock().unwrap_or_else(PoisonError::into_inner) = Some(route.clone());
    }

    fn route(&self) -> String {
        let noted = self.route.lock().unwrap_or_else(PoisonError::into_inner);
        noted
            .as_ref()
            .map_or("unknown", MatchedPath::as_str)
            .to_owned()
    }
}

pub(crate) async fn observe(mut request: Request, next: Next) -> Response {
    let method = known(request.method());
    let span = span(&request, method);
    let place = Place::new(&span, method);
    request.extensions_mut().insert(place.clone());
    let began = Instant::now();
    let response = next.run(request).instrument(span.clone()).await;
    let (status, took) = (response.status(), began.elapsed());
    let route = place.route();
    close(&span, status, took);
    count(&route, method, status, took);
    response
}

/// Beside the routes, which alone know which of them it is.
pub(crate) async fn note_route(request: Request, next: Next) -> Response {
    let extensions = request.extensions();
    if let (Some(place), Some(route)) = (extensions.get::<Place>(), extensions.get::<MatchedPath>())
    {
        place.note(route);
    }
    next.run(request).await
}

fn span(request: &Request, method: &'static str) -> Span {
    if PROBES.contains(&request.uri().path()) {
        return Span::none();
    }
    let span = tracing::info_span!(
        "request",
        id = id(request.headers()),
        otel.name = method,
        otel.kind = "server",
        http.request.method = method,
        http.route = Empty,
        http.response.status_code = Empty,
        otel.status_code = Empty,
    );
    let caller = get_text_map_propagator(|it| it.extract(&HeaderExtractor(request.headers())));
    if caller.span().span_context().is_valid() {
        // Fails only where nobody listens for traces.
        let _ = span.set_parent(caller);
    }
    span
}

fn close(span: &Span, status: StatusCode, took: Duration) {
    if span.is_none() {
        return;
    }
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    let _inside = span.enter();
    tracing::debug!(
        status = status.as_u16(),
        millis = took.as_millis(),
        "answered"
    );
}

/// A method that nobody knows is no label of its own.
fn known(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::PATCH => "PATCH",
        Method::DELETE => "DELETE",
        Method::OPTIONS => "OPTIONS",
        _ => "other",
    }
}

fn id(headers: &HeaderMap) -> &str {
    let id = headers.get("x-request-id").and_then(|id| id.to_str().ok());
    let id = id.unwrap_or_default();
    id.get(..MOST_ID).unwrap_or(id)
}

fn count(route: &str, method: &'static str, status: StatusCode, took: Duration) {
    let route = route.to_owned();
    counter!(REQUESTS,
        "route" => route.clone(),
        "method" => method,
        "status" => status.as_u16().to_string())
    .increment(1);
    histogram!(REQUEST_SECONDS, "route" => route, "method" => method).record(took);
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => counter!(LIMITS, "limit" => "api-body").increment(1),
        StatusCode::TOO_MANY_REQUESTS => counter!(LIMITS, "limit" => "api-rate").increment(1),
        StatusCode::GATEWAY_TIMEOUT => counter!(LIMITS, "limit" => "api-time").increment(1),
        _ => {}
    }
}

/// Counts one stream for as long as it is open.
pub(crate) struct OpenStream(Gauge);

impl OpenStream {
    pub(crate) fn new(kind: &'static str) -> Self {
        let open = gauge!(STREAMS, "kind" => kind);
        open.increment(1.0);
        Self(open)
    }
}

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.decrement(1.0);
    }
}
