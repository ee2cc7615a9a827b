//! The API, from the side of its users.

use std::time::Duration;

use anyhow::Context;
use reqwest::header::{ACCEPT, CONTENT_TYPE};
use reqwest::{Method, RequestBuilder, Response, StatusCode};
use serde::Serialize;
use serde::de::DeserializeOwned;
use shipway_api::wire::problem::Problem;
use shipway_core::environment::EnvironmentKey;
use shipway_core::secret::Secret;
use url::Url;

use crate::failure::Failure;
pub use crate::whereabouts::Connection;
use crate::whereabouts::{self, Whereabouts, is_loopback};

const CONNECT_PATIENCE: Duration = Duration::from_secs(5);
/// Longer than the engine itself takes for a short request.
const PATIENCE: Duration = Duration::from_secs(60);
/// A stream says something at least every 15 s.
const SILENCE: Duration = Duration::from_secs(45);

#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    server: Url,
    token: Secret,
}

impl Client {
    pub fn new(connection: &Connection) -> Result<Self, Failure> {
        let found = Whereabouts::find(connection)?;
        let token = found.token()?;
        Self::to(found.server, token)
    }

    #[cfg(test)]
    pub fn of(server: &str, token: Secret) -> Result<Self, Failure> {
        Self::to(whereabouts::parse_server(server)?, token)
    }

    pub fn to(server: Url, token: Secret) -> Result<Self, Failure> {
        let builder = reqwest::Client::builder()
            .connect_timeout(CONNECT_PATIENCE)
            .user_agent(concat!("shipway/", env!("CARGO_PKG_VERSION")));
        // A proxy on the way out knows nothing of this machine's own engine.
        let builder = if is_loopback(&server) {
            builder.no_proxy()
        } else {
            builder
        };
        let http = builder.build().context("could not prepare to connect")?;
        Ok(Self {
            http,
            server,
            token,
        })
    }

    /// A path below `/v1`, part by part.
    pub fn at(&self, parts: &[&str]) -> At<'_> {
        let mut url = self.server.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push("v1").extend(parts);
        }
        At {
            client: self,
            url,
            headers: Vec::new(),
            patience: Some(PATIENCE),
        }
    }

    /// A path below an environment.
    pub fn in_environment(&self, key: &EnvironmentKey, parts: &[&str]) -> At<'_> {
        let mut all = vec![
            "apps",
            key.app.as_str(),
            "environments",
            key.environment.as_str(),
        ];
        all.extend(parts);
        self.at(&all)
    }

    pub fn server(&self) -> &str {
        whereabouts::shown(&self.server)
    }
}

/// A request in the making.
#[derive(Debug)]
pub struct At<'a> {
    client: &'a Client,
    url: Url,
    headers: Vec<(&'static str, String)>,
    patience: Option<Duration>,
}

impl At<'_> {
    #[must_use]
    pub fn query(mut self, name: &str, value: impl ToString) -> Self {
        self.url
            .query_pairs_mut()
            .append_pair(name, &value.to_string());
        self
    }

    #[must_use]
    pub fn header(mut self, name: &'static str, value: impl ToString) -> Self {
        self.headers.push((name, value.to_string()));
        self
    }

    /// Waits as long as the engine needs.
    #[must_use]
    pub fn patiently(mut self) -> Self {
        self.patience = None;
        self
    }

    pub async fn get<T: DeserializeOwned>(self) -> Result<T, Failure> {
        let request = self.request(Method::GET);
        read(self.client, self.client.answer(request).await?).await
    }

    pub async fn send<T: DeserializeOwned>(
        self,
        method: Method,
        body: &impl Serialize,
    ) -> Result<T, Failure> {
        let request = self.request(method).json(body);
        read(self.client, self.client.answer(request).await?).await
    }

    pub async fn upload<T: DeserializeOwned>(self, bytes: Vec<u8>) -> Result<T, Failure> {
        let request = self
            .request(Method::POST)
            .header(CONTENT_TYPE, "application/wasm")
            .body(bytes);
        read(self.client, self.client.answer(request).await?).await
    }

    pub async fn delete(self) -> Result<(), Failure> {
        let request = self.request(Method::DELETE);
        self.client.answer(request).await.map(|_| ())
    }

    /// An answer that comes bit by bit; one that falls silent is an error.
    pub async fn stream(mut self, accept: &str) -> Result<Response, Failure> {
        self.patience = None;
        let request = self.request(Method::GET).header(ACCEPT, accept);
        let answer = tokio::time::timeout(PATIENCE, self.client.answer(request)).await;
        answer.unwrap_or_else(|_| Err(self.client.too_slow()))
    }

    fn request(&self, method: Method) -> RequestBuilder {
        let request = self
            .client
            .http
            .request(method, self.url.clone())
            .bearer_auth(self.client.token.reveal());
        let request = match self.patience {
            Some(patience) => request.timeout(patience),
            None => request,
        };
        self.headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, value)
        })
    }
}

impl Client {
    async fn answer(&self, request: RequestBuilder) -> Result<Response, Failure> {
        let sent = request.send().await;
        let response = sent.map_err(|error| self.unreachable(error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status();
        let text = response.text().await.unwrap_or_default();
        match serde_json::from_str::<Problem>(&text) {
            Ok(problem) => Err(problem.into()),
            Err(_) => Err(self.stranger(status)),
        }
    }

    fn unreachable(&self, error: reqwest::Error) -> Failure {
        if error.is_timeout() && !error.is_connect() {
            return self.too_slow();
        }
        let failure = Failure::new(format!("could not reach the API at {}", self.server()))
            .because(&error.without_url())
            .for_now();
        match is_loopback(&self.server) {
            true => failure.with_hint("is `shipway serve` running?"),
            false => failure.with_hint("check --server, the network and the engine there"),
        }
    }

    fn too_slow(&self) -> Failure {
        Failure::new(format!("{} took too long to answer", self.server()))
            .for_now()
            .with_hint("look how the engine there fares: `shipway doctor`, and its log")
    }

    fn stranger(&self, status: StatusCode) -> Failure {
        Failure::new(format!(
            "what answers at {} does not speak as Shipway does",
            self.server()
        ))
        .for_now()
        .with_hint(format!("it said HTTP {status}; check --server"))
    }
}

/// The silence that ends a stream.
pub const STREAM_SILENCE: Duration = SILENCE;

async fn read<T: DeserializeOwned>(client: &Client, response: Response) -> Result<T, Failure> {
    let bytes = response
        .bytes()
        .await
        .map_err(|error| client.unreachable(error))?;
    serde_json::from_slice(&bytes).map_err(|error| {
        Failure::new(format!(
            "the answer of {} is not understood",
            client.server()
        ))
        .because(&error)
        .with_hint("is the engine of the same version as this program?")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_of_a_path_are_escaped() {
        let client = Client {
            http: reqwest::Client::new(),
            server: Url::parse("http://127.0.0.1:7766").unwrap(),
            token: Secret::new("x"),
        };
        let at = client.at(&["apps", "a b/c"]).query("after", 3);
        assert_eq!(
            at.url.as_str(),
            "http://127.0.0.1:7766/v1/apps/a%20b%2Fc?after=3"
        );
    }
}
