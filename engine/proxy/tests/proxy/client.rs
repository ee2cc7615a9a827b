//! A client that keeps one connection.

use std::net::SocketAddr;

use anyhow::{Context, Result};
use http::{HeaderMap, Request, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::harness::BOUND;

pub type Body = UnsyncBoxBody<Bytes, std::io::Error>;

pub struct Client {
    sender: SendRequest<Body>,
}

pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub text: String,
}

impl Client {
    pub async fn connect(address: SocketAddr) -> Result<Self> {
        Self::on(TcpStream::connect(address).await?).await
    }

    pub async fn on<S>(stream: S) -> Result<Self>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let (sender, connection) = handshake(TokioIo::new(stream)).await?;
        tokio::spawn(connection.with_upgrades());
        Ok(Self { sender })
    }

    pub async fn get(&mut self, host: &str, path: &str) -> Result<Answer> {
        let request = Request::get(path).header("host", host).body(no_body())?;
        self.send(request).await
    }

    pub async fn send(&mut self, request: Request<Body>) -> Result<Answer> {
        let response = self.begin(request).await?;
        let (head, body) = response.into_parts();
        let body = timeout(BOUND, body.collect()).await??.to_bytes();
        Ok(Answer {
            status: head.status,
            headers: head.headers,
            text: String::from_utf8(body.to_vec())?,
        })
    }

    /// Until the head of the answer.
    pub async fn begin(&mut self, request: Request<Body>) -> Result<Response<Incoming>> {
        timeout(BOUND, self.sender.ready()).await??;
        let response = timeout(BOUND, self.sender.send_request(request)).await;
        Ok(response.context("no answer")??)
    }

    pub async fn begin_get(&mut self, host: &str, path: &str) -> Result<Response<Incoming>> {
        let request = Request::get(path).header("host", host).body(no_body())?;
        self.begin(request).await
    }

    pub async fn closed(&mut self) -> Result<()> {
        while timeout(BOUND, self.sender.ready()).await?.is_ok() {
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

pub fn no_body() -> Body {
    body("")
}

pub fn body(text: impl Into<Bytes>) -> Body {
    Full::new(text.into())
        .map_err(|never| match never {})
        .boxed_unsync()
}

/// Sends bytes as they are, and reads until the proxy closes.
pub async fn raw(address: SocketAddr, bytes: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(bytes.as_bytes()).await?;
    let mut answer = Vec::new();
    timeout(BOUND, stream.read_to_end(&mut answer)).await??;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}
