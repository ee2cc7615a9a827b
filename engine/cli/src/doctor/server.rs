//! What a server says of itself, to whoever asks it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use reqwest::Response;
use reqwest::header::DATE;
use serde::de::DeserializeOwned;
use shipway_api::wire::page::Page;
use shipway_api::wire::plugin::Plugin;
use shipway_api::wire::problem::Problem;
use shipway_api::wire::token::Token;
use shipway_core::plugin::Enabled;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;

use super::Seen;
use crate::failure::Failure;
use crate::verb::may;
use crate::whereabouts::{Whereabouts, is_loopback, shown};

const OURS: &str = env!("CARGO_PKG_VERSION");
/// Times of logs and endings no longer fit together.
const SKEW: i64 = 10;
/// TLS and tokens that expire stop working about here.
const GREAT_SKEW: i64 = 300;

/// What it answered to the first question.
pub struct Server {
    http: Option<reqwest::Client>,
    /// Its version, and how far its clock is before ours in seconds.
    answered: Result<(String, Option<i64>), String>,
    base: String,
}

/// The description of the API, of which only this is read.
#[derive(serde::Deserialize)]
struct Description {
    info: Info,
}

#[derive(serde::Deserialize)]
struct Info {
    title: String,
    version: String,
}

impl Server {
    pub async fn look(at: &Whereabouts, patience: Duration) -> Self {
        let base = shown(&at.server).to_owned();
        let builder = reqwest::Client::builder().timeout(patience);
        let builder = match is_loopback(&at.server) {
            true => builder.no_proxy(),
            false => builder,
        };
        let http = builder.build().ok();
        let answered = match &http {
            Some(http) => introduce(http, &base).await,
            None => Err("there is no way to connect".to_owned()),
        };
        Self {
            http,
            answered,
            base,
        }
    }

    pub fn is_there(&self) -> bool {
        self.answered.is_ok()
    }

    pub fn reached(&self, at: &Whereabouts) -> Seen {
        let base = &self.base;
        match &self.answered {
            Ok((version, _)) if version == OURS => {
                Seen::ok(format!("{base} answers, version {version}"))
            }
            Ok((version, _)) => Seen::warning(
                format!("{base} has version {version}, and this program {OURS}"),
                "install the same version on both sides",
            ),
            Err(_) if is_loopback(&at.server) => Seen::warning(
                format!("no engine answers at {base}"),
                "start it: `shipway serve`",
            ),
            Err(why) => Seen::problem(
                format!("{base} is not reached: {why}"),
                "check the address (`shipway context show`), the network and the engine there",
            ),
        }
    }

    pub async fn ready(&self) -> Seen {
        match self.ask("/readyz", None).await {
            Ok(_) => Seen::ok("the engine is ready"),
            Err(why) => Seen::problem(
                format!("the engine is not ready: {why}"),
                "look at its log, and whether its disk is full",
            ),
        }
    }

    pub fn clock(&self) -> Seen {
        let Ok((_, Some(ahead))) = self.answered else {
            return Seen::warning(
                "the server tells no time",
                "look whether a proxy removes Date",
            );
        };
        let to_do = "let NTP set both clocks (timedatectl)";
        let side = if ahead > 0 { "ahead of" } else { "behind" };
        let said = format!("the server's clock is {} s {side} this one", ahead.abs());
        let off = ahead.abs();
        if off > GREAT_SKEW {
            return Seen::problem(said, to_do);
        }
        if off > SKEW {
            return Seen::warning(said, to_do);
        }
        // The header has whole seconds, and was on its way for a while.
        match off {
            0..=2 => Seen::ok("the server's clock and this one agree"),
            _ => Seen::ok(said),
        }
    }

    pub async fn token(&self, at: &Whereabouts) -> Seen {
        let token = match at.token() {
            Ok(token) => token,
            Err(Failure { heading, hint, .. }) => {
                return Seen::problem(heading, hint.unwrap_or_default());
            }
        };
        let login = "shipway login, or set SHIPWAY_TOKEN";
        match self
            .ask_json::<Token>("/v1/token", Some(token.reveal()))
            .await
        {
            Ok(token) => Seen::ok(format!("{:?}: {}", token.name, may(&token))),
            Err(why) => Seen::problem(format!("the token does not work: {why}"), login),
        }
    }

    pub async fn plugins(&self, at: &Whereabouts) -> Seen {
        let Some(token) = &at.token else {
            return Seen::warning("not asked, without a token", "shipway login");
        };
        let asked: Result<Page<Plugin>, _> =
            self.ask_json("/v1/plugins", Some(token.reveal())).await;
        let plugins = match asked {
            Ok(page) => page.items,
            Err(why) => {
                let to_do = "ask with a token that may see them";
                return Seen::warning(format!("not known: {why}"), to_do);
            }
        };
        let lacking = |plugin: &&Plugin| plugin.enabled == Enabled::Yes && !plugin.lacks.is_empty();
        let lacks: Vec<&str> = plugins
            .iter()
            .filter(lacking)
            .map(|plugin| plugin.description.name.as_str())
            .collect();
        if !lacks.is_empty() {
            let said = format!("without a grant they ask for: {}", lacks.join(", "));
            return Seen::warning(said, "see `shipway plugin show NAME`, then `plugin grant`");
        }
        let off = plugins.iter().filter(|p| p.enabled != Enabled::Yes).count();
        Seen::ok(match off {
            0 => format!("{} installed", plugins.len()),
            _ => format!("{} installed, {off} switched off", plugins.len()),
        })
    }

    async fn ask_json<T: DeserializeOwned>(
        &self,
        path: &str,
        token: Option<&str>,
    ) -> Result<T, String> {
        let response = self.ask(path, token).await?;
        let answer = response.json().await;
        answer.map_err(|_| "its answer is not understood".to_owned())
    }

    async fn ask(&self, path: &str, token: Option<&str>) -> Result<Response, String> {
        let Some(http) = &self.http else {
            return Err("there is no way to connect".to_owned());
        };
        let mut request = http.get(format!("{}{path}", self.base));
        if let Some(token) = token {
            request = request.bearer_auth(token);
        }
        let response = request.send().await.map_err(|error| innermost(&error))?;
        let status = response.status();
        if status.is_success() {
            return Ok(response);
        }
        let problem: Option<Problem> = response.json().await.ok();
        Err(problem.map_or_else(|| format!("HTTP {status}"), |problem| problem.detail))
    }
}

/// Whether an engine of ours answers at an address of this machine.
pub async fn is_engine(listen: SocketAddr, patience: Duration) -> bool {
    let ip = match listen.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    let base = format!("http://{}", SocketAddr::new(ip, listen.port()));
    let builder = reqwest::Client::builder().timeout(patience).no_proxy();
    match builder.build() {
        Ok(http) => introduce(&http, &base).await.is_ok(),
        Err(_) => false,
    }
}

async fn introduce(http: &reqwest::Client, base: &str) -> Result<(String, Option<i64>), String> {
    let asked = http.get(format!("{base}/openapi.json")).send().await;
    let response = asked.map_err(|error| innermost(&error))?;
    let ahead = ahead(&response);
    let description: Result<Description, _> = response.json().await;
    match description {
        Ok(Description { info }) if info.title == "Shipway" => Ok((info.version, ahead)),
        _ => Err("what answers does not speak as Shipway does".to_owned()),
    }
}

/// The server's time before ours, in seconds.
fn ahead(response: &Response) -> Option<i64> {
    let date = response.headers().get(DATE)?.to_str().ok()?;
    let there = OffsetDateTime::parse(date, &Rfc2822).ok()?;
    Some((there - OffsetDateTime::now_utc()).whole_seconds())
}

/// What a person can do something about stands at the bottom.
fn innermost(error: &dyn std::error::Error) -> String {
    let mut last = error;
    while let Some(source) = last.source() {
        last = source;
    }
    last.to_string()
}
