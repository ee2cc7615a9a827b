//! Settings, and what is told when.

use shipway_sdk::prelude::*;
use shipway_sdk::stage::{self, Stage};

use crate::github::{CommitStatus, DeploymentStatus, Github};

/// GitHub takes no longer sentence.
const LONGEST: usize = 140;

/// The plugin.
#[derive(Debug)]
pub struct GithubStatus;

impl Plugin for GithubStatus {
    fn describe() -> Manifest {
        Manifest::new(
            "github-status",
            env!("CARGO_PKG_VERSION"),
            "Tells GitHub of deployments: a deployment with its statuses, and a status of the commit.",
        )
        .setting(Setting::required("repository", "The repository at GitHub: owner/name."))
        .setting(
            Setting::required(
                "token",
                "A token that may write deployments and commit statuses of the repository.",
            )
            .secret([Place::header("authorization")]),
        )
        .setting(Setting::optional(
            "api",
            "The address of the API; https://api.github.com unless set.",
        ))
        .setting(Setting::optional(
            "link",
            "Where the statuses lead; {deployment}, {app} and {environment} are replaced.",
        ))
        .setting(Setting::optional("site", "The URL where the environment is seen."))
        .request(Request::http(
            ["GET,POST https://api.github.com", "GET,POST setting:api"],
            "Deployments and statuses are sent to GitHub's API.",
        ))
    }
}

impl Notifier for GithubStatus {
    fn deliver(event: &Event) -> Result<(), Failure> {
        let Some(stage) = Stage::of(event) else {
            return Ok(());
        };
        // Before the checkout nobody may know it; then there is nothing to mark.
        let Some(commit) = stage::commit(&event.deployment) else {
            return Ok(());
        };
        let github = Github::of_settings()?;
        let told = Told::of(&stage, &event.deployment);
        github.mark(commit, &told.commit_status())?;
        let id = github.deployment(&event.deployment, commit)?;
        github.tell(id, &told.deployment_status())
    }
}

/// A stage in GitHub's words.
struct Told {
    deployment_state: &'static str,
    commit_state: &'static str,
    description: String,
    environment: String,
    context: String,
    link: Option<String>,
    site: Option<String>,
}

impl Told {
    fn of(stage: &Stage, deployment: &Deployment) -> Self {
        let (deployment_state, commit_state, description) = match stage {
            Stage::Queued => ("queued", "pending", "waits to be deployed".to_owned()),
            Stage::Running => ("in_progress", "pending", "is being deployed".to_owned()),
            Stage::Succeeded => ("success", "success", "deployed".to_owned()),
            Stage::Failed(why) => ("failure", "failure", why.clone()),
            Stage::Left(what) => ("inactive", "error", format!("the deployment was {what}")),
        };
        let link = settings::get("link");
        Self {
            deployment_state,
            commit_state,
            description: stage::shortened(&description, LONGEST),
            environment: deployment.environment.clone(),
            context: format!("shipway/{}", deployment.environment),
            link: link.map(|link| stage::filled(link.trim(), deployment)),
            site: settings::get("site").filter(|_| *stage == Stage::Succeeded),
        }
    }

    fn commit_status(&self) -> CommitStatus<'_> {
        CommitStatus {
            state: self.commit_state,
            context: &self.context,
            description: &self.description,
            target_url: self.link.as_deref(),
        }
    }

    /// With a success GitHub marks what was deployed there before as inactive.
    fn deployment_status(&self) -> DeploymentStatus<'_> {
        DeploymentStatus {
            state: self.deployment_state,
            environment: &self.environment,
            description: &self.description,
            log_url: self.link.as_deref(),
            environment_url: self.site.as_deref(),
            auto_inactive: true,
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use shipway_sdk::http::{Request, Response};
    use shipway_sdk::testing::{self, Host};

    use super::*;

    const SHA: &str = "3b18e512dba79e4c8300dd08aeb37f8e728b8dad";
    const OURS: &str = "01939b5e-0000-7000-8000-000000000001";

    fn ended(data: Value) -> Event {
        let mut event = testing::event("deployment.ended");
        event.data = data.to_string();
        event
    }

    /// GitHub as its documentation says it answers.
    fn github(known: Value) -> Host {
        Host::of::<GithubStatus>()
            .setting("repository", "octo/hello")
            .setting("token", "github_pat_x")
            .http(move |request| {
                let body = match (request.method.as_str(), request.url.contains('?')) {
                    ("GET", true) => known.to_string(),
                    _ => json!({"id": 7, "state": "pending"}).to_string(),
                };
                Ok(Response::new(
                    if request.method == "GET" { 200 } else { 201 },
                    body,
                ))
            })
    }

    fn sent(request: &Request) -> (String, Value) {
        let place = request.url.strip_prefix("https://api.github.com").unwrap();
        let body = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        (format!("{} {place}", request.method), body)
    }

    #[test]
    fn a_success_is_told_as_status_and_deployment() {
        let host =
            github(json!([{"id": 1, "payload": "{}"}, {"id": 2, "payload": {"shipway": "other"}}]))
                .setting("link", "https://deploy.example.com/d/{deployment}")
                .setting("site", "https://www.example.com");
        let event = ended(json!({"status": "succeeded"}));
        host.run(|| GithubStatus::deliver(&event)).unwrap();
        let link = format!("https://deploy.example.com/d/{OURS}");
        let requests: Vec<_> = host.requests().iter().map(sent).collect();
        assert_eq!(
            requests,
            [
                (
                    format!("POST /repos/octo/hello/statuses/{SHA}"),
                    json!({"state": "success", "context": "shipway/live", "description": "deployed", "target_url": link})
                ),
                (
                    format!(
                        "GET /repos/octo/hello/deployments?sha={SHA}&environment=live&per_page=100"
                    ),
                    Value::Null
                ),
                (
                    "POST /repos/octo/hello/deployments".to_owned(),
                    json!({
                        "ref": SHA, "task": "deploy", "environment": "live",
                        "description": "Shipway deploys guestbook to live",
                        "payload": {"shipway": OURS}, "auto_merge": false, "required_contexts": []
                    })
                ),
                (
                    "POST /repos/octo/hello/deployments/7/statuses".to_owned(),
                    json!({
                        "state": "success", "environment": "live", "description": "deployed",
                        "log_url": link, "environment_url": "https://www.example.com", "auto_inactive": true
                    })
                ),
            ]
        );
        for request in host.requests() {
            let header = |name: &str| {
                let mut all = request.headers.iter();
                all.find(|(key, _)| key == name)
                    .map(|(_, value)| value.clone())
            };
            assert_eq!(
                header("authorization").as_deref(),
                Some("Bearer secret:token")
            );
            assert_eq!(
                header("accept").as_deref(),
                Some("application/vnd.github+json")
            );
            assert_eq!(
                header("x-github-api-version").as_deref(),
                Some("2022-11-28")
            );
        }
    }

    #[test]
    fn an_event_that_comes_again_finds_its_deployment() {
        let host = github(json!([{"id": 42, "payload": {"shipway": OURS}}]));
        let failed = json!({"status": "failed", "failure": {"message": "x".repeat(300)}});
        host.run(|| GithubStatus::deliver(&ended(failed))).unwrap();
        let requests: Vec<_> = host.requests().iter().map(sent).collect();
        assert_eq!(requests.len(), 3);
        let (place, body) = &requests[2];
        assert_eq!(place, "POST /repos/octo/hello/deployments/42/statuses");
        assert_eq!(body["state"], "failure");
        assert_eq!(
            body["description"].as_str().unwrap().chars().count(),
            LONGEST
        );
    }

    #[test]
    fn what_is_nobodys_business_is_not_sent() {
        let host = github(json!([]));
        let mut queued = testing::event("deployment.queued");
        queued.deployment.commit.clear();
        for event in [testing::event("step.started"), queued] {
            host.run(|| GithubStatus::deliver(&event)).unwrap();
        }
        assert!(host.requests().is_empty());
    }

    #[test]
    fn only_answers_that_may_change_are_asked_again() {
        for (status, header, retryable) in [
            (401, None, false),
            (403, None, false),
            (403, Some(("retry-after", "60")), true),
            (403, Some(("x-ratelimit-remaining", "0")), true),
            (404, None, false),
            (422, None, false),
            (429, Some(("retry-after", "60")), true),
            (429, None, true),
            (500, None, true),
            (503, None, true),
        ] {
            let host = github(json!([])).http(move |_| {
                let mut response = Response::new(status, "{}");
                let headers = header.map(|(name, value)| (name.to_owned(), value.to_owned()));
                response.headers.extend(headers);
                Ok(response)
            });
            let event = ended(json!({"status": "succeeded"}));
            let failure = host.run(|| GithubStatus::deliver(&event)).unwrap_err();
            assert_eq!(
                failure.retryable, retryable,
                "{status} {header:?}: {failure}"
            );
            let told = header.is_some_and(|(name, _)| name == "retry-after");
            assert_eq!(failure.message.contains("for 60 s"), told, "{failure}");
        }
    }

    #[test]
    fn a_wrong_repository_says_what_to_set() {
        for wrong in [
            "hello",
            "https://github.com/octo/hello",
            "octo/../x",
            "octo/he llo",
            "/x",
        ] {
            let host = github(json!([])).setting("repository", wrong);
            let event = ended(json!({"status": "succeeded"}));
            let failure = host.run(|| GithubStatus::deliver(&event)).unwrap_err();
            assert!(failure.message.contains("owner/name"), "{wrong}: {failure}");
            assert!(host.requests().is_empty());
        }
    }
}
