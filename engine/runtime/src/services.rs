//! Backing services: whether one is there, asked in its own protocol.
//!
//! Asking sends no password. It takes one connection to each address of the
//! host, within the time given, and tells what answered; a program of another
//! kind on the same port is told apart. No message holds a user or a password.

use std::io;
use std::time::Duration;

use shipway_core::ports::prober::ServiceDown;
use shipway_core::secret::Secret;
use tokio::net::TcpStream;
use url::Url;

mod amqp;
mod http;
mod mysql;
mod postgres;
mod redis;
mod stream;
mod tls;

use stream::Stream;
use tls::Trust;

/// The schemes that can be asked, for people.
pub const SCHEMES: &str =
    "tcp, http, https, postgres, postgresql, mysql, redis, rediss, amqp, amqps";

/// Asks the service that the URL names. Gives what answered, for people.
pub async fn ask(url: &Secret, timeout: Duration) -> Result<String, ServiceDown> {
    // A parse error is shown without the text, which may hold a password.
    let url = Url::parse(url.reveal())
        .map_err(|error| ServiceDown(format!("the service's URL is not valid: {error}")))?;
    let service = Service::of(&url)?;
    let asking = service.ask(&url);
    match tokio::time::timeout(timeout, asking).await {
        Ok(Ok(answer)) => Ok(format!("{service} answers: {answer}")),
        Ok(Err(problem)) => Err(ServiceDown(format!("{service}: {problem}"))),
        Err(_) => Err(ServiceDown(format!(
            "{service} did not answer within {} s",
            timeout.as_secs_f32()
        ))),
    }
}

/// What is wrong with a service, in words without secrets.
type Problem = String;

/// What is asked and where.
#[derive(Debug)]
struct Service {
    kind: Kind,
    host: String,
    port: u16,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Tcp,
    Http(Security),
    Postgres,
    Mysql,
    Redis(Security),
    Amqp(Security),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Security {
    Plain,
    Tls,
}

impl std::fmt::Display for Service {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let kind = match self.kind {
            Kind::Tcp => "TCP",
            Kind::Http(Security::Plain) => "HTTP",
            Kind::Http(Security::Tls) => "HTTPS",
            Kind::Postgres => "PostgreSQL",
            Kind::Mysql => "MySQL",
            Kind::Redis(_) => "Redis",
            Kind::Amqp(_) => "AMQP",
        };
        write!(f, "{kind} at {}:{}", self.host, self.port)
    }
}

impl Service {
    fn of(url: &Url) -> Result<Self, ServiceDown> {
        if url.cannot_be_a_base() {
            // Then what stands before the colon may be a user.
            return Err(ServiceDown(format!(
                "the service's URL does not begin with a scheme and ://; known are {SCHEMES}"
            )));
        }
        let scheme = url.scheme();
        let (kind, port) = match scheme {
            "tcp" => (Kind::Tcp, None),
            "http" => (Kind::Http(Security::Plain), Some(80)),
            "https" => (Kind::Http(Security::Tls), Some(443)),
            "postgres" | "postgresql" => (Kind::Postgres, Some(5432)),
            "mysql" => (Kind::Mysql, Some(3306)),
            "redis" => (Kind::Redis(Security::Plain), Some(6379)),
            "rediss" => (Kind::Redis(Security::Tls), Some(6379)),
            "amqp" => (Kind::Amqp(Security::Plain), Some(5672)),
            "amqps" => (Kind::Amqp(Security::Tls), Some(5671)),
            _ => {
                return Err(ServiceDown(format!(
                    "a service with the scheme {scheme:?} cannot be asked; known are {SCHEMES}"
                )));
            }
        };
        let host = url.host_str().filter(|host| !host.is_empty());
        let host = host.ok_or_else(|| ServiceDown(format!("the {scheme} URL names no host")))?;
        let port = url.port().or(port);
        let port = port.ok_or_else(|| ServiceDown(format!("the {scheme} URL names no port")))?;
        Ok(Self {
            kind,
            host: host.to_owned(),
            port,
        })
    }

    async fn ask(&self, url: &Url) -> Result<String, Problem> {
        let stream = self.connect().await?;
        match self.kind {
            Kind::Tcp => Ok("accepts connections".to_owned()),
            Kind::Http(security) => {
                let stream = self.secured(stream, security, Trust::Checked).await?;
                http::ask(stream, self, url).await
            }
            Kind::Postgres => postgres::ask(stream, self, url).await,
            Kind::Mysql => mysql::ask(stream).await,
            // Nothing secret is sent, so any certificate will do; what the app
            // itself makes of it is the app's.
            Kind::Redis(security) => {
                redis::ask(self.secured(stream, security, Trust::Any).await?).await
            }
            Kind::Amqp(security) => {
                amqp::ask(self.secured(stream, security, Trust::Any).await?).await
            }
        }
    }

    /// To the first of the host's addresses that takes a connection.
    async fn connect(&self) -> Result<Stream, Problem> {
        let host = self.host.trim_start_matches('[').trim_end_matches(']');
        let stream = TcpStream::connect((host, self.port)).await;
        match stream {
            Ok(stream) => Ok(Stream::Plain(stream)),
            Err(error) => Err(plain(&error)),
        }
    }

    async fn secured(
        &self,
        stream: Stream,
        security: Security,
        trust: Trust,
    ) -> Result<Stream, Problem> {
        match security {
            Security::Plain => Ok(stream),
            Security::Tls => tls::secure(stream, &self.host, trust).await,
        }
    }
}

/// An error of the network in few words.
pub fn plain(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::ConnectionReset => "connection reset".to_owned(),
        io::ErrorKind::UnexpectedEof => "it closed the connection without an answer".to_owned(),
        io::ErrorKind::HostUnreachable => "no route to the host".to_owned(),
        io::ErrorKind::NetworkUnreachable => "the network is unreachable".to_owned(),
        _ => error.to_string(),
    }
}
