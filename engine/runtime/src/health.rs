//! Asks instances whether they are healthy, by the rule of
//! [`shipway_core::health`], and services whether they are there.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use http::{Method, Request, Response, StatusCode, header};
use http_body_util::Empty;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use shipway_core::health::{ANSWER_TIMEOUT, CONNECT_TIMEOUT, HealthRule, Preset};
use shipway_core::name::Domain;
use shipway_core::ports::prober::{Healthy, Prober, ServiceDown, Unhealthy};
use shipway_core::secret::Secret;
use tokio::net::TcpStream;

use crate::services;

/// Probes over the network, without any proxy and without following anything.
#[derive(Debug, Clone)]
pub struct NetProber {
    pace: Pace,
}

/// How long things may take. Only tests have another pace than the seeds'.
#[derive(Debug, Clone, Copy)]
pub struct Pace {
    /// For one try to connect; a try that fails sooner is filled up to it.
    pub connect: Duration,
    /// For the answer of an instance that is connected.
    pub answer: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            connect: CONNECT_TIMEOUT,
            answer: ANSWER_TIMEOUT,
        }
    }
}

impl NetProber {
    pub fn new() -> Self {
        Self::with_pace(Pace::default())
    }

    pub fn with_pace(pace: Pace) -> Self {
        Self { pace }
    }
}

impl Default for NetProber {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Prober for NetProber {
    async fn wait_healthy(
        &self,
        target: SocketAddr,
        host: Option<&Domain>,
        rule: &HealthRule,
    ) -> Result<Healthy, Unhealthy> {
        let began = Instant::now();
        let mut last = "it was never tried".to_owned();
        for tries in 1..=rule.tries {
            let fill_up = tokio::time::sleep(self.pace.connect);
            match self.try_once(target, host, rule).await {
                Try::Healthy(answer) => {
                    return Ok(Healthy {
                        tries,
                        answer,
                        took: began.elapsed(),
                    });
                }
                Try::Final(unhealthy) => return Err(unhealthy),
                Try::Failed(why) => last = why,
            }
            fill_up.await;
        }
        Err(Unhealthy::NeverConnected {
            target,
            tries: rule.tries,
            seconds: began.elapsed().as_secs(),
            last,
        })
    }

    async fn service(&self, url: &Secret, timeout: Duration) -> Result<String, ServiceDown> {
        services::ask(url, timeout).await
    }
}

/// How one try ended.
enum Try {
    Healthy(String),
    /// Nothing that counts as an answer; the next try may do better.
    Failed(String),
    /// An answer that the rule does not take.
    Final(Unhealthy),
}

impl NetProber {
    async fn try_once(&self, target: SocketAddr, host: Option<&Domain>, rule: &HealthRule) -> Try {
        let connecting = TcpStream::connect(target);
        let stream = match tokio::time::timeout(self.pace.connect, connecting).await {
            Ok(Ok(stream)) => stream,
            Ok(Err(error)) => return Try::Failed(services::plain(&error)),
            Err(_) => {
                let millis = self.pace.connect.as_millis();
                return Try::Failed(format!("no connection within {millis} ms"));
            }
        };
        match rule.preset {
            Preset::Tcp | Preset::Image => Try::Healthy("accepts connections".to_owned()),
            Preset::Divio | Preset::Success | Preset::SuccessOrRedirect => {
                self.ask(stream, target, host, rule).await
            }
        }
    }

    async fn ask(
        &self,
        stream: TcpStream,
        target: SocketAddr,
        host: Option<&Domain>,
        rule: &HealthRule,
    ) -> Try {
        let host = host.map_or_else(|| target.to_string(), |host| host.as_str().to_owned());
        let asking = answer_to(stream, &host, &rule.path);
        match tokio::time::timeout(self.pace.answer, asking).await {
            Ok(Ok(status)) if rule.preset.accepts(status.as_u16()) => {
                Try::Healthy(status.to_string())
            }
            Ok(Ok(status)) => Try::Final(Unhealthy::BadAnswer {
                target,
                status: status.as_u16(),
            }),
            Ok(Err(error)) => Try::Failed(error),
            Err(_) => Try::Final(Unhealthy::NoAnswer {
                target,
                seconds: self.pace.answer.as_secs(),
            }),
        }
    }
}

/// The status of the answer to `GET path`, as soon as its headers are there.
async fn answer_to(stream: TcpStream, host: &str, path: &str) -> Result<StatusCode, String> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream))
        .await
        .map_err(|error| words(&error))?;
    let request = Request::builder()
        .method(Method::GET)
        .uri(path)
        .header(header::HOST, host)
        .header(header::USER_AGENT, "shipway-health")
        .header(header::ACCEPT, "*/*")
        .header(header::CONNECTION, "close")
        .body(Empty::<Bytes>::new())
        .map_err(|error| format!("cannot ask for {path:?}: {error}"))?;
    first_answer(sender.send_request(request), connection).await
}

/// The status of an answer. The connection works only while it is polled; one
/// that closes without an answer ends both.
pub(crate) async fn first_answer<B>(
    answering: impl Future<Output = hyper::Result<Response<B>>>,
    connection: impl Future<Output = hyper::Result<()>>,
) -> Result<StatusCode, String> {
    let mut answering = std::pin::pin!(answering);
    tokio::select! {
        biased;
        answer = &mut answering => answer.map(|a| a.status()).map_err(|e| words(&e)),
        closed = connection => match answering.await {
            Ok(answer) => Ok(answer.status()),
            Err(error) => Err(words(closed.as_ref().err().unwrap_or(&error))),
        }
    }
}

/// What happened on a connection, for people.
pub(crate) fn words(error: &hyper::Error) -> String {
    let cause =
        std::error::Error::source(error).and_then(|source| source.downcast_ref::<std::io::Error>());
    match cause {
        _ if error.is_parse() => "it answered something that is not HTTP".to_owned(),
        Some(io) if io.kind() != std::io::ErrorKind::UnexpectedEof => services::plain(io),
        _ => "it closed the connection without an answer".to_owned(),
    }
}
