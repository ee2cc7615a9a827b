//! The notifiers that tell GitHub and GitLab, as components in a real engine,
//! with a server that answers as these are documented to.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};
use shipway_tests::app::Environment;
use shipway_tests::receiver::{Received, Receiver};
use shipway_tests::repo::Repo;
use shipway_tests::ship::Ship;

use crate::apps::tiny;

const TOKEN: &str = "forge-token-0123456789";

/// What came, without what is the same in each.
fn told(request: &Received) -> (String, Value) {
    let path = request.path.split('?').next().unwrap_or_default();
    let body = serde_json::from_slice(&request.body).unwrap_or_default();
    (format!("{} {path}", request.method), body)
}

fn choose(ship: &Ship, live: &Environment<'_>, plugin: &str, settings: Value, origin: &str) {
    live.change(json!({"plugins": {"notifiers": [plugin]}}));
    let path = live.path(&format!("/plugins/{plugin}/settings"));
    ship.api.patch(&path, &settings).ok();
    let grant = json!({"http": [{"origin": origin, "addresses": "any", "secrets": ["token"]}]});
    ship.api
        .put(&format!("/v1/plugins/{plugin}/grants"), &grant)
        .ok();
}

/// Keeps deployments as GitHub does.
fn github() -> Receiver {
    let made: Mutex<Vec<Value>> = Mutex::default();
    let tries = AtomicUsize::new(0);
    Receiver::answering(move |request| {
        // The first request meets a limit; it comes again.
        if tries.fetch_add(1, Ordering::Relaxed) == 0 {
            return (
                429,
                json!({"message": "You have exceeded a secondary rate limit"}).to_string(),
            );
        }
        let (what, body) = told(request);
        let mut made = made.lock().expect("the deployments");
        if what.starts_with("GET") {
            return (200, Value::from(made.clone()).to_string());
        }
        if what.ends_with("/deployments") {
            made.push(json!({"id": 1042, "payload": body["payload"]}));
            return (201, json!({"id": 1042}).to_string());
        }
        (201, json!({"id": 1}).to_string())
    })
}

#[test]
fn github_is_told_of_a_deployment_and_of_its_commit() {
    let Some(ship) = Ship::start_with_plugins(&["github-status"]) else {
        return;
    };
    let forge = github();
    let (repo, live) = tiny(&ship);
    let settings = json!({
        "repository": {"value": "octo/hello"},
        "api": {"value": forge.origin()},
        "token": {"value": TOKEN},
        "link": {"value": "https://deploy.example.com/{deployment}"},
    });
    choose(&ship, &live, "github-status", settings, &forge.origin());
    let deployment = live.deploy();
    deployment.succeeded();

    let head = repo.git(&["rev-parse", "HEAD"]);
    let received = forge.until_received(8);
    let all: Vec<_> = received.iter().map(told).collect();
    let marked = format!("POST /repos/octo/hello/statuses/{head}");
    let places: Vec<&str> = all.iter().map(|(place, _)| place.as_str()).collect();
    let statuses = "POST /repos/octo/hello/deployments/1042/statuses";
    assert_eq!(
        places,
        [
            marked.as_str(),
            &marked,
            "GET /repos/octo/hello/deployments",
            "POST /repos/octo/hello/deployments",
            statuses,
            &marked,
            "GET /repos/octo/hello/deployments",
            statuses,
        ]
    );
    let states: Vec<&Value> = all.iter().map(|(_, body)| &body["state"]).collect();
    assert_eq!([states[1], states[4]], ["pending", "in_progress"]);
    assert_eq!([states[5], states[7]], ["success", "success"]);
    assert_eq!(all[3].1["payload"]["shipway"], deployment.id);
    assert_eq!(
        (&all[3].1["ref"], &all[3].1["environment"]),
        (&json!(head), &json!("live"))
    );
    assert_eq!(all[5].1["context"], "shipway/live");
    let link = format!("https://deploy.example.com/{}", deployment.id);
    assert_eq!(all[7].1["log_url"], link);
    for request in &received {
        assert_eq!(request.headers["authorization"], format!("Bearer {TOKEN}"));
        assert_eq!(request.headers["accept"], "application/vnd.github+json");
    }
    assert!(!deployment.log().contains(TOKEN));
}

#[test]
fn gitlab_is_told_why_a_deployment_failed() {
    let Some(ship) = Ship::start_with_plugins(&["gitlab-status"]) else {
        return;
    };
    let sha: &'static Mutex<String> = Box::leak(Box::default());
    let forge = Receiver::answering(move |request| match told(request).0.split(' ').next() {
        Some("GET") => {
            let sha = sha.lock().expect("the commit").clone();
            (200, json!([{"id": 42, "sha": sha}]).to_string())
        }
        Some("PUT") => (200, json!({"id": 42}).to_string()),
        _ => (201, json!({"id": 42}).to_string()),
    });
    let (repo, live) = tiny(&ship);
    let head = repo.git(&["rev-parse", "HEAD"]);
    head.clone_into(&mut sha.lock().expect("the commit"));
    let settings = json!({
        "project": {"value": "team/hello"},
        "url": {"value": forge.origin()},
        "token": {"value": TOKEN},
    });
    choose(&ship, &live, "gitlab-status", settings, &forge.origin());
    live.command("Fail", "exit 4");
    live.deploy().failed("release", "release-command");

    let received = forge.until_received(5);
    let all: Vec<_> = received.iter().map(told).collect();
    let places: Vec<&str> = all.iter().map(|(place, _)| place.as_str()).collect();
    let project = "/api/v4/projects/team%2Fhello";
    let marked = format!("POST {project}/statuses/{head}");
    let listed = format!("GET {project}/deployments");
    let put = format!("PUT {project}/deployments/42");
    assert_eq!(places, [&*marked, &listed, &marked, &listed, &put]);
    assert_eq!(all[0].1["state"], "running");
    let failed = &all[2].1;
    assert_eq!(
        (&failed["state"], &failed["name"]),
        (&json!("failed"), &json!("shipway/live"))
    );
    let why = failed["description"].as_str().expect("a sentence");
    assert!(why.contains("Fail"), "{why}");
    assert_eq!(all[4].1, json!({"status": "failed"}));
    assert!(
        received
            .iter()
            .all(|request| request.headers["private-token"] == TOKEN)
    );
}

#[test]
fn the_deployments_of_a_repository_that_is_not_there_are_not_held_up() {
    let Some(ship) = Ship::start_with_plugins(&["github-status"]) else {
        return;
    };
    let forge = Receiver::answering(|_| (404, json!({"message": "Not Found"}).to_string()));
    let repo = Repo::of("tests/apps/tiny");
    let live = ship
        .app("tiny", &repo)
        .environment("live", crate::apps::quick("process"));
    let settings = json!({
        "repository": {"value": "octo/gone"},
        "api": {"value": forge.origin()},
        "token": {"value": TOKEN},
    });
    choose(&ship, &live, "github-status", settings, &forge.origin());
    let deployment = live.deploy();
    deployment.succeeded();
    shipway_tests::wait::until_true(
        "the log says what to check",
        std::time::Duration::from_secs(60),
        || {
            deployment
                .log()
                .contains("check the settings `repository` and `token`")
        },
    );
}
