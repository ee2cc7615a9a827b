//! One request: from its host to a target, and the answer back.

use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Poll, ready};

use http::header::CONNECTION;
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri, Version};
use hyper::body::{Body, Bytes, Incoming};
use tokio::time::Instant;

use crate::body::{AnswerBody, BodyError, Lease, Progress, RequestBody};
use crate::headers;
use crate::pages::{self, Failure};
use crate::pool::{ConnectError, Connection, Line, Reuse, SendError};
use crate::stats::count;
use crate::upgrade::Wish;
use crate::worker::Worker;

/// Where a request comes from.
#[derive(Debug)]
pub(crate) struct Origin {
    pub client: SocketAddr,
    pub scheme: Scheme,
    /// The client's address as targets are told it, written once a connection.
    pub address: HeaderValue,
}

impl Origin {
    pub fn new(client: SocketAddr, scheme: Scheme) -> Self {
        let address = client.ip().to_canonical().to_string();
        let address = HeaderValue::from_maybe_shared(Bytes::from(address));
        Self {
            client,
            scheme,
            // Not met: an address is digits, letters, points and colons.
            address: address.unwrap_or_else(|_| HeaderValue::from_static("unknown")),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    Http,
    Https,
}

/// Every request is answered: by a target, or with a page that says why not.
pub(crate) async fn answer(
    worker: &Arc<Worker>,
    origin: &Origin,
    request: Request<Incoming>,
) -> Response<AnswerBody> {
    count(&worker.stats.requests);
    let began = std::time::Instant::now();
    let version = request.version();
    let mut response = match forward(worker, origin, request).await {
        Ok(response) => response,
        Err(failure) => {
            count(&worker.stats.own_pages);
            failure.page()
        }
    };
    worker.stats.took(began.elapsed());
    if worker.phase.is_closing()
        && version <= Version::HTTP_11
        && response.status() != StatusCode::SWITCHING_PROTOCOLS
    {
        // The client's next request goes to the proxy that has taken over.
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

async fn forward(
    worker: &Arc<Worker>,
    origin: &Origin,
    mut request: Request<Incoming>,
) -> Result<Response<AnswerBody>, Failure> {
    if request.method() == Method::CONNECT {
        return Err(Failure::Connect);
    }
    if let Some(challenges) = &worker.challenges
        && let Some(text) = challenges.answer(request.uri().path())
    {
        return Ok(pages::text(text));
    }
    let written = headers::written_host(&request).map_err(|_| Failure::NoHost)?;
    let host = headers::routed_host(&written).map_err(|_| Failure::NoHost)?;
    if let Some(redirect) = &worker.redirect
        && redirect.applies(&request, origin, &host, &worker.trusted_forwarders)
    {
        return Ok(redirect.answer(&host, request.uri()));
    }
    let wish = Wish::of(&mut request);

    let (mut head, body) = request.into_parts();
    headers::for_target(&mut head, &written, origin, &worker.trusted_forwarders);
    if let Some(wish) = &wish {
        wish.repeat(&mut head.headers);
    }
    if body.size_hint().lower() > worker.limits.body_bytes {
        return Err(Failure::BodyTooLarge);
    }
    let request = Request::from_parts(head, RequestBody::new(body, &worker.limits));

    let (connection, response) = exchange(worker, &host, request)
        .await
        .inspect_err(|failure| report(worker, &host, failure))?;
    respond(worker, connection, response, wish)
}

/// Sends the request to a target of this host, and once more to a new
/// connection if the kept-alive one turns out to be closed.
async fn exchange(
    worker: &Arc<Worker>,
    host: &str,
    mut request: Request<RequestBody>,
) -> Result<(Connection, Response<Incoming>), Failure> {
    let repeat = Repeat::of(&request);
    let mut reuse = repeat.reuse();
    let mut vain = Vain::default();
    loop {
        let mut connection = reach(worker, host, repeat, reuse, &mut vain).await?;
        let spare = match repeat {
            Repeat::Whenever if connection.is_kept_alive() => Some(Spare::of(&request)),
            _ => None,
        };
        let kept_alive = connection.is_kept_alive();
        let address = connection.in_flight.address();
        request = match (send(worker, &mut connection, request).await, spare) {
            (Ok(response), _) => return Ok((connection, response)),
            (Err(Unanswered::Sending(SendError::Unsent(request, _))), _) if kept_alive => *request,
            (Err(Unanswered::Sending(SendError::Unsent(request, source))), _)
                if repeat != Repeat::Never =>
            {
                // Accepted and reset before a byte was sent: as good as refused.
                connection.in_flight.refused();
                vain.add(address, Failure::Broken { address, source });
                *request
            }
            (Err(Unanswered::Sending(SendError::Broken(error))), Some(spare))
                if is_hangup(&error) =>
            {
                spare.request()
            }
            (Err(unanswered), _) => return Err(unanswered.at(address)),
        };
        count(&worker.stats.retries);
        reuse = Reuse::Never;
    }
}

/// When a request may be sent again. Never once a target may have acted on
/// it: repeating is for those that have no body, and after a connection
/// failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Repeat {
    /// No body, and safe by its method: also when a kept-alive connection
    /// closed without a byte of an answer.
    Whenever,
    /// No body: only when no connection came about.
    Unconnected,
    Never,
}

impl Repeat {
    fn of(request: &Request<RequestBody>) -> Self {
        match request.body() {
            RequestBody::Stream { .. } => Self::Never,
            RequestBody::Empty if request.method().is_safe() => Self::Whenever,
            RequestBody::Empty => Self::Unconnected,
        }
    }

    fn reuse(self) -> Reuse {
        match self {
            Self::Whenever => Reuse::Any,
            Self::Unconnected | Self::Never => Reuse::SurelyOpen,
        }
    }
}

/// A connection to a target of this host; if one refuses, to another.
async fn reach(
    worker: &Arc<Worker>,
    host: &str,
    repeat: Repeat,
    reuse: Reuse,
    vain: &mut Vain,
) -> Result<Connection, Failure> {
    loop {
        let in_flight = match worker.routing.pick(host, &vain.tried) {
            Ok(in_flight) => in_flight,
            Err(miss) => return Err(vain.failure.take().unwrap_or(miss.into())),
        };
        let address = in_flight.address();
        let error = match Connection::to(in_flight, worker, reuse).await {
            Ok(connection) => return Ok(connection),
            Err(ConnectError::Refused(source)) => Failure::Refused { address, source },
            Err(ConnectError::TimedOut) => Failure::ConnectTimeout { address },
        };
        if repeat == Repeat::Never {
            return Err(error);
        }
        count(&worker.stats.retries);
        vain.add(address, error);
    }
}

/// Targets to which no connection came about, and why the last one did not.
#[derive(Default)]
struct Vain {
    tried: Vec<SocketAddr>,
    failure: Option<Failure>,
}

impl Vain {
    fn add(&mut self, address: SocketAddr, failure: Failure) {
        self.tried.push(address);
        self.failure = Some(failure);
    }
}

enum Unanswered {
    Sending(SendError),
    TimedOut,
}

impl Unanswered {
    fn at(self, address: SocketAddr) -> Failure {
        match self {
            Self::Sending(SendError::Unsent(_, source) | SendError::Broken(source)) => {
                body_failure(&source).unwrap_or(Failure::Broken { address, source })
            }
            Self::TimedOut => Failure::AnswerTimeout { address },
        }
    }
}

/// The client's part in it, if the request's body is to blame.
fn body_failure(error: &hyper::Error) -> Option<Failure> {
    let source = std::error::Error::source(error)?;
    Some(match source.downcast_ref::<BodyError>()? {
        BodyError::TooLarge => Failure::BodyTooLarge,
        BodyError::TooSlow => Failure::BodyTooSlow,
        BodyError::Client(_) => Failure::BodyBroken,
    })
}

/// Waits for the head of the answer for as long as the request's body moves,
/// and then for the limit.
async fn send(
    worker: &Worker,
    connection: &mut Connection,
    request: Request<RequestBody>,
) -> Result<Response<Incoming>, Unanswered> {
    let limit = worker.limits.answer;
    let progress = request.body().progress();
    let mut until = Instant::now() + limit;
    let Line { sender, deadline } = &mut connection.line;
    let mut sending = pin!(sender.try_send_request(request));
    poll_fn(|cx| {
        if let Poll::Ready(answer) = sending.as_mut().poll(cx) {
            return Poll::Ready(answer.map_err(|error| Unanswered::Sending(error.into())));
        }
        loop {
            ready!(deadline.poll(cx, until));
            match progress.as_deref().map(Progress::last) {
                Some(last) if last + limit > until => until = last + limit,
                _ => return Poll::Ready(Err(Unanswered::TimedOut)),
            }
        }
    })
    .await
}

/// Whether the target closed the connection, politely or not.
fn is_hangup(error: &hyper::Error) -> bool {
    use std::io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset};
    let io = std::error::Error::source(error).and_then(|e| e.downcast_ref::<std::io::Error>());
    let reset =
        io.is_some_and(|io| matches!(io.kind(), ConnectionReset | BrokenPipe | ConnectionAborted));
    reset || error.is_incomplete_message() || error.is_canceled() || error.is_closed()
}

/// A request without a body, once more. It is made for each request and hardly
/// ever used, so its headers are only listed.
struct Spare {
    method: Method,
    uri: Uri,
    headers: Vec<(HeaderName, HeaderValue)>,
}

impl Spare {
    fn of(request: &Request<RequestBody>) -> Self {
        let headers = request.headers();
        let mut list = Vec::with_capacity(headers.len());
        list.extend(
            headers
                .iter()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        Self {
            method: request.method().clone(),
            uri: request.uri().clone(),
            headers: list,
        }
    }

    fn request(self) -> Request<RequestBody> {
        let mut request = Request::new(RequestBody::Empty);
        *request.method_mut() = self.method;
        *request.uri_mut() = self.uri;
        for (name, value) in self.headers {
            request.headers_mut().append(name, value);
        }
        request
    }
}

/// Makes a target's answer one for the client.
fn respond(
    worker: &Arc<Worker>,
    connection: Connection,
    mut response: Response<Incoming>,
    wish: Option<Wish>,
) -> Result<Response<AnswerBody>, Failure> {
    headers::strip(response.headers_mut());
    *response.version_mut() = Version::HTTP_11;
    let Connection {
        line, in_flight, ..
    } = connection;
    in_flight.traffic.count(worker.index, response.status());
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        let lease = Lease::new(worker, line, in_flight);
        return Ok(response.map(|body| AnswerBody::Stream { body, lease }));
    }
    let Some(wish) = wish else {
        let address = in_flight.address();
        return Err(Failure::Unasked { address });
    };
    wish.repeat(response.headers_mut());
    let target = hyper::upgrade::on(&mut response);
    wish.join(target, in_flight, worker);
    Ok(response.map(|_| AnswerBody::empty()))
}

/// What whoever runs the site wants to know; a host nobody deployed is noise.
fn report(worker: &Worker, host: &str, failure: &Failure) {
    worker.stats.failed(failure);
    if let Some(traffic) = worker.routing.traffic(host) {
        traffic.count(worker.index, failure.status());
    }
    match failure {
        Failure::UnknownHost => tracing::debug!(host, "nothing is deployed for this host"),
        Failure::BodyTooLarge | Failure::BodyTooSlow | Failure::BodyBroken => {
            tracing::debug!(host, %failure, "a request was not sent to its end");
        }
        failure => {
            let cause = std::error::Error::source(failure).map(ToString::to_string);
            tracing::warn!(host, %failure, cause, "a request got no answer");
        }
    }
}
