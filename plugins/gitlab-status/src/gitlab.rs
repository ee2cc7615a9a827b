//! The calls of GitLab's API that are needed.

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use shipway_sdk::failure::Code;
use shipway_sdk::http::Response;
use shipway_sdk::prelude::*;

/// Running deployments of an environment that are looked through.
const PAGE: u32 = 50;

/// One project, and who asks.
#[derive(Debug)]
pub struct Gitlab {
    /// `https://gitlab.com/api/v4/projects/team%2Fhello`
    project: String,
    token: String,
}

#[derive(Debug, Deserialize)]
struct Known {
    id: u64,
    sha: String,
}

#[derive(Debug, Serialize)]
pub struct CommitStatus<'a> {
    pub state: &'a str,
    pub name: &'a str,
    #[serde(rename = "ref")]
    pub reference: &'a str,
    pub description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_url: Option<&'a str>,
}

/// Where GitLab shows a deployment.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pub environment: &'a str,
    pub reference: &'a str,
    pub commit: &'a str,
}

impl Gitlab {
    pub fn of_settings() -> Result<Self, Failure> {
        let url = settings::get("url").unwrap_or_else(|| "https://gitlab.com".to_owned());
        let project = settings::require("project")?;
        let url = url.trim().trim_end_matches('/');
        Ok(Self {
            project: format!(
                "{url}/api/v4/projects/{}",
                escaped(checked(project.trim())?)
            ),
            token: settings::require("token")?,
        })
    }

    pub fn mark(&self, commit: &str, status: &CommitStatus<'_>) -> Result<(), Failure> {
        let path = format!("/statuses/{commit}");
        let response = self.send("POST", &path, Some(status))?;
        // An event that comes again changes nothing, and GitLab says so.
        if response.status == 400 && response.text().contains("Cannot transition status") {
            return Ok(());
        }
        judge("POST", &path, &response)
    }

    /// Makes a deployment that runs, unless there is one.
    pub fn begin(&self, place: Place<'_>) -> Result<(), Failure> {
        if self.running(place)?.is_some() {
            return Ok(());
        }
        self.create(place, "running")
    }

    /// Ends the one that runs; one that GitLab never heard of is made as ended.
    pub fn end(&self, place: Place<'_>, status: &str) -> Result<(), Failure> {
        let Some(id) = self.running(place)? else {
            return self.create(place, status);
        };
        let path = format!("/deployments/{id}");
        let body = json!({"status": status});
        self.ask("PUT", &path, Some(&body)).map(|_: Value| ())
    }

    fn create(&self, place: Place<'_>, status: &str) -> Result<(), Failure> {
        let body = json!({
            "environment": place.environment,
            "sha": place.commit,
            "ref": place.reference,
            "tag": false,
            "status": status,
        });
        self.ask("POST", "/deployments", Some(&body))
            .map(|_: Value| ())
    }

    fn running(&self, place: Place<'_>) -> Result<Option<u64>, Failure> {
        let path = format!(
            "/deployments?environment={}&status=running&order_by=id&sort=desc&per_page={PAGE}",
            escaped(place.environment)
        );
        let known: Vec<Known> = self.ask("GET", &path, None::<&Value>)?;
        let found = known.iter().find(|known| known.sha == place.commit);
        Ok(found.map(|known| known.id))
    }

    fn ask<T: DeserializeOwned>(
        &self,
        method: &str,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<T, Failure> {
        let response = self.send(method, path, body)?;
        judge(method, path, &response)?;
        response.json()
    }

    fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<&impl Serialize>,
    ) -> Result<Response, Failure> {
        let mut request = http::Request::new(method, format!("{}{path}", self.project))
            .header("accept", "application/json")
            .header("private-token", self.token.clone())
            .header(
                "user-agent",
                concat!("shipway-gitlab-status/", env!("CARGO_PKG_VERSION")),
            );
        if let Some(body) = body {
            request = request
                .header("content-type", "application/json")
                .json(body)?;
        }
        request
            .send()
            .map_err(|failure| failure.context(format_args!("{method} {} at GitLab", bare(path))))
    }
}

fn bare(path: &str) -> &str {
    path.split('?').next().unwrap_or(path)
}

fn checked(project: &str) -> Result<&str, Failure> {
    let is_number = !project.is_empty() && project.bytes().all(|byte| byte.is_ascii_digit());
    let fits = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    let is_name = |part: &str| !matches!(part, "" | "." | "..") && part.chars().all(fits);
    let is_path = project.contains('/') && project.split('/').all(is_name);
    match is_number || is_path {
        true => Ok(project),
        false => Err(Failure::setting(
            "project",
            "must be a path such as team/hello, or the project's number",
        )),
    }
}

/// What an answer means for the event.
fn judge(method: &str, path: &str, response: &Response) -> Result<(), Failure> {
    let (status, what) = (response.status, bare(path));
    let refused = |advice: &str| {
        let text = format!("GitLab answered {method} {what} with {status}{advice}");
        Failure::new(Code::other("refused"), text)
    };
    match status {
        200..=299 => Ok(()),
        429 => {
            let seconds = response.headers("retry-after").next();
            let wait = seconds.map_or_else(String::new, |seconds| format!(", for {seconds} s"));
            let mut failure = refused(&format!(": its rate limit is used up{wait}"));
            let seconds = seconds.map(|seconds| ("retry-after".to_owned(), seconds.to_owned()));
            failure.attributes.extend(seconds);
            Err(failure.retryable())
        }
        408 | 500..=599 => Err(refused("; it is asked again later").retryable()),
        401 => Err(refused("; check the setting `token`")),
        403 => Err(refused(
            "; the token needs the scope `api` and the role Developer",
        )),
        404 => Err(refused(
            "; check the settings `project` and `token`, and that the commit is pushed there",
        )),
        _ => Err(refused("")),
    }
}

/// One part of a path or a word of a query.
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
