//! The three calls of GitHub's API that are needed.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shipway_sdk::failure::Code;
use shipway_sdk::http::Response;
use shipway_sdk::prelude::*;

const VERSION: &str = "2022-11-28";
/// Deployments of one commit and environment that are looked through.
const PAGE: u32 = 100;

/// One repository, and who asks.
#[derive(Debug)]
pub struct Github {
    /// `https://api.github.com/repos/owner/name`
    repository: String,
    token: String,
}

#[derive(Debug, Deserialize)]
struct Known {
    id: u64,
    /// An object, or text, as whoever made it liked.
    #[serde(default)]
    payload: Value,
}

#[derive(Debug, Serialize)]
pub struct DeploymentStatus<'a> {
    pub state: &'a str,
    pub environment: &'a str,
    pub description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment_url: Option<&'a str>,
    pub auto_inactive: bool,
}

#[derive(Debug, Serialize)]
pub struct CommitStatus<'a> {
    pub state: &'a str,
    pub context: &'a str,
    pub description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_url: Option<&'a str>,
}

impl Github {
    pub fn of_settings() -> Result<Self, Failure> {
        let repository = settings::require("repository")?;
        let api = settings::get("api").unwrap_or_else(|| "https://api.github.com".to_owned());
        Ok(Self {
            repository: format!(
                "{}/repos/{}",
                api.trim().trim_end_matches('/'),
                checked(repository.trim())?
            ),
            token: settings::require("token")?,
        })
    }

    /// GitHub's deployment for one of ours: made when there is none.
    pub fn deployment(&self, ours: &Deployment, commit: &str) -> Result<u64, Failure> {
        let query = format!(
            "/deployments?sha={commit}&environment={}&per_page={PAGE}",
            escaped(&ours.environment)
        );
        let known: Vec<Known> = self.ask("GET", &query, None::<&Value>)?;
        let is_ours = |known: &&Known| known.payload["shipway"] == ours.id.as_str();
        if let Some(found) = known.iter().find(is_ours) {
            return Ok(found.id);
        }
        let new = json!({
            "ref": commit,
            "task": "deploy",
            "environment": ours.environment,
            "description": format!("Shipway deploys {} to {}", ours.app, ours.environment),
            "payload": {"shipway": ours.id},
            // Shipway decides what is fit to be deployed.
            "auto_merge": false,
            "required_contexts": [],
        });
        let made: Known = self.ask("POST", "/deployments", Some(&new))?;
        Ok(made.id)
    }

    pub fn tell(&self, deployment: u64, status: &DeploymentStatus<'_>) -> Result<(), Failure> {
        let path = format!("/deployments/{deployment}/statuses");
        self.ask("POST", &path, Some(status)).map(|_: Value| ())
    }

    pub fn mark(&self, commit: &str, status: &CommitStatus<'_>) -> Result<(), Failure> {
        let path = format!("/statuses/{commit}");
        self.ask("POST", &path, Some(status)).map(|_: Value| ())
    }

    fn ask<T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T, Failure> {
        let mut request = http::Request::new(method, format!("{}{path}", self.repository))
            .header("accept", "application/vnd.github+json")
            .header("x-github-api-version", VERSION)
            .header("authorization", format!("Bearer {}", self.token))
            .header(
                "user-agent",
                concat!("shipway-github-status/", env!("CARGO_PKG_VERSION")),
            );
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .json(body)?;
        }
        let what = path.split('?').next().unwrap_or(path);
        let response = request
            .send()
            .map_err(|failure| failure.context(format_args!("{method} {what} at GitHub")))?;
        judge(method, what, &response)?;
        response.json()
    }
}

fn checked(repository: &str) -> Result<&str, Failure> {
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let is_name = |text: &str| !matches!(text, "" | "." | "..") && text.chars().all(fits);
    match repository.split_once('/') {
        Some((owner, name)) if is_name(owner) && is_name(name) => Ok(repository),
        _ => Err(Failure::setting(
            "repository",
            "must be owner/name, such as octo/hello",
        )),
    }
}

/// What an answer means for the event.
fn judge(method: &str, what: &str, response: &Response) -> Result<(), Failure> {
    let status = response.status;
    let refused = |advice: &str| {
        let text = format!("GitHub answered {method} {what} with {status}{advice}");
        Failure::new(Code::other("refused"), text)
    };
    match status {
        200..=299 => Ok(()),
        403 | 429 if is_rate_limit(response) => {
            let mut failure = refused(&format!(": its rate limit is used up{}", wait(response)));
            failure.attributes = response
                .headers("retry-after")
                .map(|seconds| ("retry-after".to_owned(), seconds.to_owned()))
                .collect();
            Err(failure.retryable())
        }
        408 | 500..=599 => Err(refused("; it is asked again later").retryable()),
        401 => Err(refused("; check the setting `token`")),
        403 => Err(refused(
            "; the token needs write access to deployments and commit statuses",
        )),
        404 => Err(refused("; check the settings `repository` and `token`")),
        422 => Err(refused("; is the commit pushed there?")),
        _ => Err(refused("")),
    }
}

fn is_rate_limit(response: &Response) -> bool {
    response.status == 429
        || response.headers("retry-after").next().is_some()
        || response
            .headers("x-ratelimit-remaining")
            .any(|left| left == "0")
}

fn wait(response: &Response) -> String {
    let seconds = response.headers("retry-after").next();
    seconds.map_or_else(String::new, |seconds| format!(", for {seconds} s"))
}

/// A word in a query.
fn escaped(text: &str) -> String {
    text.bytes()
        .map(|byte| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                char::from(byte).to_string()
            }
            _ => format!("%{byte:02X}"),
        })
        .collect()
}
