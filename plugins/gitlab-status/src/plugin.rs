//! Settings, and what is told when.

use shipway_sdk::prelude::*;
use shipway_sdk::stage::{self, Stage};

use crate::gitlab::{self, CommitStatus, Gitlab};

/// GitLab takes no longer sentence.
const LONGEST: usize = 255;

/// The plugin.
#[derive(Debug)]
pub struct GitlabStatus;

impl Plugin for GitlabStatus {
    fn describe() -> Manifest {
        Manifest::new(
            "gitlab-status",
            env!("CARGO_PKG_VERSION"),
            "Tells GitLab of deployments: a status of the commit, and a deployment of GitLab's own.",
        )
        .setting(Setting::required(
            "project",
            "The project at GitLab: its path such as team/hello, or its number.",
        ))
        .setting(
            Setting::required("token", "A project access token with the scope `api`.")
                .secret([Place::header("private-token")]),
        )
        .setting(Setting::optional(
            "url",
            "The address of GitLab; https://gitlab.com unless set.",
        ))
        .setting(Setting::optional(
            "ref",
            "The branch that is named when a deployment names only a commit; main unless set.",
        ))
        .setting(Setting::optional(
            "link",
            "Where the statuses lead; {deployment}, {app} and {environment} are replaced.",
        ))
        .request(Request::http(
            ["GET,POST,PUT https://gitlab.com", "GET,POST,PUT setting:url"],
            "Statuses and deployments are sent to GitLab's API.",
        ))
    }
}

impl Notifier for GitlabStatus {
    fn deliver(event: &Event) -> Result<(), Failure> {
        let Some(stage) = Stage::of(event) else {
            return Ok(());
        };
        // Before the checkout nobody may know it; then there is nothing to mark.
        let Some(commit) = stage::commit(&event.deployment) else {
            return Ok(());
        };
        let deployment = &event.deployment;
        let gitlab = Gitlab::of_settings()?;
        let reference = reference(deployment, commit);
        let (state, description) = told(&stage);
        let link = settings::get("link");
        let link = link.map(|link| stage::filled(link.trim(), deployment));
        let status = CommitStatus {
            state,
            name: &format!("shipway/{}", deployment.environment),
            reference: &reference,
            description: &stage::shortened(&description, LONGEST),
            target_url: link.as_deref(),
        };
        gitlab.mark(commit, &status)?;
        let place = gitlab::Place {
            environment: &deployment.environment,
            reference: &reference,
            commit,
        };
        match stage {
            Stage::Queued => Ok(()),
            Stage::Running => gitlab.begin(place),
            Stage::Succeeded | Stage::Failed(_) | Stage::Left(_) => gitlab.end(place, state),
        }
    }
}

/// GitLab shows nothing without a branch or tag.
fn reference(deployment: &Deployment, commit: &str) -> String {
    if deployment.reference != commit && !deployment.reference.is_empty() {
        return deployment.reference.clone();
    }
    settings::get("ref").unwrap_or_else(|| "main".to_owned())
}

/// A stage in GitLab's words, which are the same for statuses and deployments.
fn told(stage: &Stage) -> (&'static str, String) {
    match stage {
        Stage::Queued => ("pending", "waits to be deployed".to_owned()),
        Stage::Running => ("running", "is being deployed".to_owned()),
        Stage::Succeeded => ("success", "deployed".to_owned()),
        Stage::Failed(why) => ("failed", why.clone()),
        Stage::Left(what) => ("canceled", format!("the deployment was {what}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use shipway_sdk::http::{Request, Response};
    use shipway_sdk::testing::{self, Host};

    use super::*;

    const SHA: &str = "3b18e512dba79e4c8300dd08aeb37f8e728b8dad";
    const PROJECT: &str = "https://gitlab.com/api/v4/projects/team%2Fhello";

    fn event(kind: &str, data: Value) -> Event {
        let mut event = testing::event(kind);
        event.data = data.to_string();
        event
    }

    fn checked_out() -> Event {
        event(
            "step.succeeded",
            json!({"output": {"step": "checkout"}, "millis": 1}),
        )
    }

    fn succeeded() -> Event {
        event("deployment.ended", json!({"status": "succeeded"}))
    }

    /// GitLab as its documentation says it answers.
    fn gitlab(running: Value) -> Host {
        Host::of::<GitlabStatus>()
            .setting("project", "team/hello")
            .setting("token", "glpat-x")
            .http(move |request| {
                Ok(match request.method.as_str() {
                    "GET" => Response::new(200, running.to_string()),
                    "PUT" => Response::new(200, r#"{"id": 42}"#),
                    _ => Response::new(201, r#"{"id": 7}"#),
                })
            })
    }

    fn sent(request: &Request) -> (String, Value) {
        let place = request.url.strip_prefix(PROJECT).unwrap();
        let body = serde_json::from_slice(&request.body).unwrap_or(Value::Null);
        (format!("{} {place}", request.method), body)
    }

    fn list() -> (String, Value) {
        let place =
            "GET /deployments?environment=live&status=running&order_by=id&sort=desc&per_page=50";
        (place.to_owned(), Value::Null)
    }

    #[test]
    fn what_runs_is_a_status_and_a_deployment() {
        let host = gitlab(json!([{"id": 3, "sha": "other"}]));
        host.run(|| GitlabStatus::deliver(&checked_out())).unwrap();
        let requests: Vec<_> = host.requests().iter().map(sent).collect();
        assert_eq!(
            requests,
            [
                (
                    format!("POST /statuses/{SHA}"),
                    json!({"state": "running", "name": "shipway/live", "ref": "main", "description": "is being deployed"})
                ),
                list(),
                (
                    "POST /deployments".to_owned(),
                    json!({"environment": "live", "sha": SHA, "ref": "main", "tag": false, "status": "running"})
                ),
            ]
        );
        for request in host.requests() {
            let token = request
                .headers
                .iter()
                .find(|(name, _)| name == "private-token");
            assert_eq!(token.map(|(_, value)| value.as_str()), Some("secret:token"));
        }
    }

    #[test]
    fn an_end_ends_the_deployment_that_runs() {
        let host = gitlab(json!([{"id": 42, "sha": SHA}]))
            .setting("link", "https://deploy.example.com/{app}/{environment}");
        host.run(|| GitlabStatus::deliver(&succeeded())).unwrap();
        let requests: Vec<_> = host.requests().iter().map(sent).collect();
        let link = "https://deploy.example.com/guestbook/live";
        assert_eq!(requests[0].1["target_url"], link);
        assert_eq!(
            requests[2],
            (
                "PUT /deployments/42".to_owned(),
                json!({"status": "success"})
            )
        );
    }

    #[test]
    fn an_event_that_comes_again_makes_no_second_deployment() {
        let host = gitlab(json!([{"id": 42, "sha": SHA}])).http(|request| {
            let refused = r#"{"message":"Cannot transition status via :run from :running (Reason(s): Status cannot transition via \"run\")"}"#;
            Ok(match request.method.as_str() {
                "GET" => Response::new(200, json!([{"id": 42, "sha": SHA}]).to_string()),
                _ => Response::new(400, refused),
            })
        });
        host.run(|| GitlabStatus::deliver(&checked_out())).unwrap();
        assert_eq!(host.requests().len(), 2);
    }

    #[test]
    fn a_pinned_commit_is_shown_with_a_branch() {
        let host = gitlab(json!([])).setting("ref", "stable");
        let mut pinned = succeeded();
        pinned.deployment.reference = SHA.into();
        host.run(|| GitlabStatus::deliver(&pinned)).unwrap();
        assert_eq!(sent(&host.requests()[0]).1["ref"], "stable");
        let (place, body) = sent(&host.requests()[2]);
        assert_eq!(
            (place.as_str(), &body["status"]),
            ("POST /deployments", &json!("success"))
        );
    }

    #[test]
    fn only_answers_that_may_change_are_asked_again() {
        for (status, retryable) in [
            (400, false),
            (401, false),
            (403, false),
            (404, false),
            (429, true),
            (500, true),
            (502, true),
        ] {
            let host = gitlab(json!([])).http(move |_| {
                let mut response = Response::new(status, "{}");
                response.headers.push(("Retry-After".into(), "30".into()));
                Ok(response)
            });
            let failure = host
                .run(|| GitlabStatus::deliver(&succeeded()))
                .unwrap_err();
            assert_eq!(failure.retryable, retryable, "{status}: {failure}");
            assert_eq!(
                failure.message.contains("for 30 s"),
                status == 429,
                "{failure}"
            );
        }
    }

    #[test]
    fn a_wrong_project_says_what_to_set() {
        for wrong in ["hello", "team/../x", "https://gitlab.com/team/hello", "/x"] {
            let host = gitlab(json!([])).setting("project", wrong);
            let failure = host
                .run(|| GitlabStatus::deliver(&succeeded()))
                .unwrap_err();
            assert!(failure.message.contains("team/hello"), "{wrong}: {failure}");
        }
        let host = gitlab(json!([])).setting("project", "4711");
        host.run(|| GitlabStatus::deliver(&succeeded())).unwrap();
    }
}
