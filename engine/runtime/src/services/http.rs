//! HTTP: any answer below 500 will do. Redirects are not followed.

use http::{Method, Request, StatusCode, header};
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use url::Url;

use super::stream::Stream;
use super::{Problem, Service};

pub async fn ask(stream: Stream, service: &Service, url: &Url) -> Result<String, Problem> {
    let status = status(stream, service, url).await?;
    if status.is_server_error() {
        return Err(format!("it answered {status}"));
    }
    Ok(status.to_string())
}

async fn status(stream: Stream, service: &Service, url: &Url) -> Result<StatusCode, Problem> {
    let mut path = url.path().to_owned();
    if let Some(query) = url.query() {
        path.push('?');
        path.push_str(query);
    }
    let request = Request::builder()
        .method(Method::GET)
        .uri(path)
        .header(header::HOST, format!("{}:{}", service.host, service.port))
        .header(header::USER_AGENT, "shipway-health")
        .header(header::ACCEPT, "*/*")
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|_| "its path cannot be asked for".to_owned())?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| crate::health::words(&error))?;
    crate::health::first_answer(sender.send_request(request), connection).await
}
