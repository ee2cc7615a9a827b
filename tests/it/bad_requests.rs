//! Requests that are refused: each with problem details that say what to do.

use serde_json::{Value, json};
use shipway_tests::repo::Repo;
use shipway_tests::ship::Ship;

use crate::apps::{quick, tiny};

#[test]
fn a_wrong_token_and_none_at_all() {
    let Some(ship) = Ship::start() else { return };
    let wrong = format!("shipway_{}", "0".repeat(64));
    for token in [None, Some("nonsense"), Some(wrong.as_str())] {
        let answer = ship.api.with_token(token).get("/v1/apps");
        let problem = answer.problem(401, "unauthorized");
        assert!(
            hint(&problem).contains("Authorization: Bearer"),
            "{problem:#}"
        );
        assert!(answer.header("www-authenticate").starts_with("Bearer"));
    }
}

#[test]
fn a_token_may_do_what_its_scope_says_and_no_more() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    let made = ship
        .api
        .post("/v1/tokens", &json!({"name": "reader", "scope": "read"}))
        .ok();
    let reader = ship.api.with_token(made["token"].as_str());
    reader.get(&live.path("")).ok();
    let problem = reader
        .post(&live.path("/deployments"), &json!({}))
        .problem(403, "forbidden");
    assert!(
        hint(&problem).contains("shipway token create"),
        "{problem:#}"
    );
    ship.api.delete("/v1/tokens/reader").ok();
    reader.get(&live.path("")).problem(401, "unauthorized");
    let listed = ship.api.get("/v1/tokens").text();
    assert!(!listed.contains(&ship.token), "{listed}");
}

#[test]
fn a_body_that_is_no_json_or_does_not_fit() {
    let Some(ship) = Ship::start() else { return };
    let post = |body: &str| {
        ship.api
            .post_bytes("/v1/apps", "application/json", body.into())
    };
    let problem = post("{\"name\": ").problem(400, "malformed-body");
    assert!(detail(&problem).contains("no JSON"), "{problem:#}");
    let problem = post("name=shop").problem(400, "malformed-body");
    assert!(detail(&problem).contains("no JSON"), "{problem:#}");
    let problem = post("{\"name\": \"shop\", \"repo\": \"x\"}").problem(422, "invalid-body");
    assert!(detail(&problem).contains("repo"), "{problem:#}");
    let problem =
        post("{\"name\": \"The Shop\", \"repository\": \"x\"}").problem(422, "invalid-body");
    assert!(
        detail(&problem).contains("name") && detail(&problem).contains("lower-case"),
        "{problem:#}"
    );
    let answer = ship
        .api
        .post_bytes("/v1/apps", "text/plain", b"{}".to_vec());
    answer.problem(415, "unsupported-media-type");
    let large = format!("{{\"name\": \"{}\"}}", "x".repeat(2 << 20));
    post(&large).problem(413, "too-large");
}

#[test]
fn two_apps_that_claim_one_domain() {
    let Some(ship) = Ship::start() else { return };
    let repo = Repo::of("tests/apps/tiny");
    let (first, second) = (ship.app("one", &repo), ship.app("two", &repo));
    let claim = |domain: &str| {
        let mut settings = quick("process");
        settings["domains"] = json!([domain]);
        settings
    };
    let domain = format!("{}.example.com", first.name);
    let live = first.environment("live", claim(&domain));
    let mut body = claim(&domain);
    body["name"] = json!("live");
    let path = format!("/v1/apps/{}/environments", second.name);
    let problem = ship.api.post(&path, &body).problem(409, "domain-taken");
    assert!(detail(&problem).contains(&domain), "{problem:#}");
    assert!(hint(&problem).contains(&live.key()), "{problem:#}");
    let other = second.environment("live", quick("process"));
    let problem = ship
        .api
        .patch(&other.path(""), &json!({"domains": [domain]}))
        .problem(409, "domain-taken");
    assert!(hint(&problem).contains(&live.key()), "{problem:#}");
}

#[test]
fn what_is_not_there_is_named() {
    let Some(ship) = Ship::start() else { return };
    let problem = ship.api.get("/v1/apps/nothing").problem(404, "not-found");
    assert!(detail(&problem).contains("nothing"), "{problem:#}");
    ship.api.get("/v1/nothing").problem(404, "unknown-route");
    ship.api
        .delete("/v1/deployments")
        .problem(405, "method-not-allowed");
    let id = "01939b5e-0000-7000-8000-000000000001";
    let problem = ship
        .api
        .get(&format!("/v1/deployments/{id}/log"))
        .problem(404, "not-found");
    assert!(detail(&problem).contains(id), "{problem:#}");
    ship.api
        .get("/v1/deployments/not-an-id")
        .problem(400, "invalid-path");
    let answer = ship.get("nobody.example.com", "/");
    assert_eq!(
        answer.status,
        404,
        "a domain that nobody has: {}",
        answer.text()
    );
}

#[test]
fn a_plan_that_cannot_be_made_says_why() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    let problem = live
        .plan(json!({"reference": "no-such-branch"}))
        .problem(422, "plan-failed");
    assert!(detail(&problem).contains("no-such-branch"), "{problem:#}");
    assert!(hint(&problem).contains("push it first"), "{problem:#}");
    assert_eq!(problem["failure"]["step"], "checkout");
}

#[test]
fn labels_are_unique_and_settings_have_rules() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    live.command("Migrate", "true");
    let again = json!({"label": "Migrate", "run": "true"});
    ship.api
        .post(&live.path("/release-commands"), &again)
        .problem(409, "duplicate-label");
    let empty = json!({"label": "Empty", "run": "  "});
    ship.api
        .post(&live.path("/release-commands"), &empty)
        .problem(422, "invalid-setting");
    let tries = json!({"processes": {"web": {"health": {"tries": 0}}}});
    let problem = ship
        .api
        .patch(&live.path(""), &tries)
        .problem(422, "invalid-setting");
    assert!(
        detail(&problem).contains("tries must be 1 to 300"),
        "{problem:#}"
    );
    let volume = json!({"volumes": [{"name": "data", "path": "data"}]});
    let problem = ship
        .api
        .patch(&live.path(""), &volume)
        .problem(422, "invalid-setting");
    assert!(detail(&problem).contains("absolute"), "{problem:#}");
}

#[test]
fn the_description_of_the_api_is_served() {
    let Some(ship) = Ship::start() else { return };
    let api = ship.api.with_token(None).get("/openapi.json").ok();
    assert!(
        api["openapi"]
            .as_str()
            .is_some_and(|version| version.starts_with("3.")),
        "{api}"
    );
    for path in [
        "/v1/apps",
        "/v1/deployments/{deployment}/events",
        "/v1/plugins",
    ] {
        assert!(api["paths"][path].is_object(), "{path}");
    }
}

fn detail(problem: &Value) -> &str {
    problem["detail"].as_str().unwrap_or_default()
}

fn hint(problem: &Value) -> &str {
    problem["hint"].as_str().unwrap_or_default()
}
