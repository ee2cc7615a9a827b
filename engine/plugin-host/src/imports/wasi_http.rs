//! `wasi:http`, for toolchains that have it: the same policy as
//! `shipway:plugin/http`, in the other interface's words.

use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt, Full, Limited};
use hyper::header;
use wasmtime_wasi_http::{
    Error, RequestOptions, WasiBody, WasiHttpCtxView, WasiHttpHooks, WasiHttpView,
};

use crate::bindings::model::Failure;
use crate::http::{Answer, Wish};
use crate::outward::Outward;
use crate::sandbox::Sandbox;

/// Takes the requests over from wasmtime's own sender, which connects anywhere.
#[derive(Debug)]
pub(crate) struct Hooks {
    pub(crate) outward: Arc<Outward>,
    pub(crate) body_limit: usize,
}

type Transfer = Box<dyn Future<Output = Result<(), Error>> + Send>;
type Sending = Box<
    dyn Future<Output = wasmtime_wasi_http::Result<(http::Response<WasiBody>, Transfer)>> + Send,
>;

impl WasiHttpHooks for Hooks {
    fn send_request(
        &mut self,
        request: http::Request<WasiBody>,
        options: Option<RequestOptions>,
        _: Transfer,
    ) -> Sending {
        let outward = Arc::clone(&self.outward);
        let limit = self.body_limit;
        Box::new(async move {
            // The body is read to its end even if the request is refused: a
            // guest that still writes would fail there instead.
            let wish = wish(request, options, limit).await?;
            let answer = outward.send(wish).await;
            let response = response(answer.map_err(|failure| refused(&failure))?)?;
            let done: Transfer = Box::new(async { Ok(()) });
            Ok((response, done))
        })
    }
}

impl WasiHttpView for Sandbox {
    fn http(&mut self) -> WasiHttpCtxView<'_> {
        WasiHttpCtxView {
            hooks: &mut self.wasi_http_hooks,
            table: &mut self.table,
            ctx: &mut self.wasi_http,
        }
    }
}

async fn wish(
    request: http::Request<WasiBody>,
    options: Option<RequestOptions>,
    limit: usize,
) -> Result<Wish, Error> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, limit).collect().await;
    let body = body.map_err(|_| Error::HttpRequestBodySize(u64::try_from(limit).ok()))?;
    // The host sets these two itself, from the URL and the body.
    let own = [header::HOST, header::CONTENT_LENGTH];
    let headers = head.headers.iter().filter(|(name, _)| !own.contains(name));
    let headers = headers.map(|(name, value)| {
        let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
        (name.as_str().to_owned(), value)
    });
    let patience = options.and_then(|options| options.first_byte_timeout);
    Ok(Wish {
        method: head.method.to_string(),
        url: head.uri.to_string(),
        headers: headers.collect(),
        body: body.to_bytes().to_vec(),
        timeout_ms: patience.and_then(|time| u32::try_from(time.as_millis()).ok()),
    })
}

fn response(answer: Answer) -> Result<http::Response<WasiBody>, Error> {
    let mut response = http::Response::builder().status(answer.status);
    for (name, value) in &answer.headers {
        response = response.header(name, value);
    }
    let body = Full::new(Bytes::from(answer.body)).map_err(|never| match never {});
    response
        .body(body.boxed_unsync())
        .map_err(|_| Error::HttpProtocolError)
}

fn refused(failure: &Failure) -> Error {
    match failure.code.as_str() {
        "denied" => Error::HttpRequestDenied,
        "limit" => Error::ConnectionLimitReached,
        "too-large" => Error::HttpResponseBodySize(None),
        "timeout" => Error::HttpResponseTimeout,
        "unavailable" => Error::DestinationUnavailable,
        _ => Error::HttpRequestUriInvalid,
    }
}
