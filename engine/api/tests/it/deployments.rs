//! Deployments are triggered, listed, planned and cancelled.

use axum::body::Body;
use serde_json::json;

use crate::world::World;

const LIVE: &str = "/v1/apps/guestbook/environments/live";

#[tokio::test]
async fn a_trigger_is_accepted_and_says_where_to_look() {
    let world = World::with_guestbook().await;
    let path = format!("{LIVE}/deployments");
    let request = world.request("POST", &path).body(Body::empty()).unwrap();
    let accepted = world.send(request).await.expect(202);
    let location = accepted.headers["location"].to_str().unwrap().to_owned();
    let shown = world.get(&location).await.expect(200).json();
    assert_eq!(shown["id"], accepted.json()["id"]);
    assert_eq!(shown["reference"], "main");
    assert_eq!(shown["status"], "queued");
    assert_eq!(shown["by"], "admin");
}

#[tokio::test]
async fn one_key_is_one_deployment() {
    let world = World::with_guestbook().await;
    let path = format!("{LIVE}/deployments");
    let trigger = |key: &str, body: &str| {
        let request = world
            .request("POST", &path)
            .header("idempotency-key", key)
            .header("content-type", "application/json")
            .body(Body::from(body.to_owned()))
            .unwrap();
        world.send(request)
    };
    let first = trigger("build-7", "{}").await.expect(202);
    let second = trigger("build-7", "{}").await.expect(200);
    assert_eq!(first.json()["id"], second.json()["id"]);
    let other = trigger("build-7", r#"{"reference":"v2"}"#)
        .await
        .expect(422);
    assert_eq!(other.problem(), "idempotency-key-reused");
    let another = trigger("build-8", "{}").await.expect(202);
    assert_ne!(first.json()["id"], another.json()["id"]);
    assert_eq!(trigger(" ", "{}").await.problem(), "invalid-header");
}

#[tokio::test]
async fn a_rollback_and_a_promotion_are_deployments_of_their_own() {
    let world = World::with_guestbook().await;
    let earlier = world.deployment().await.to_string();
    let path = format!("{LIVE}/rollback");
    let roll_back = |key: &str, to: &str| {
        let request = world
            .request("POST", &path)
            .header("idempotency-key", key)
            .header("content-type", "application/json")
            .body(Body::from(json!({"to": to}).to_string()))
            .unwrap();
        world.send(request)
    };
    let first = roll_back("undo-1", &earlier).await.expect(202).json();
    assert_eq!(
        first["subject"],
        json!({"kind": "rollback", "to": earlier, "release_commands": "skip"})
    );
    let again = roll_back("undo-1", &earlier).await.expect(200).json();
    assert_eq!(first["id"], again["id"]);
    let id = first["id"].as_str().unwrap();
    let other = roll_back("undo-1", id).await.expect(422);
    assert_eq!(other.problem(), "idempotency-key-reused");

    let nothing = world.post(&path, json!({})).await.expect(409);
    assert_eq!(nothing.problem(), "nothing-to-deploy");
    let path = format!("{LIVE}/promote");
    let nothing = world.post(&path, json!({"from": "test"})).await.expect(409);
    assert_eq!(nothing.problem(), "nothing-to-deploy");
    for mistaken in [json!({}), json!({"from": "No Name"})] {
        world.post(&path, mistaken).await.expect(422);
    }
}

#[tokio::test]
async fn lists_come_in_pages_newest_first() {
    let world = World::with_guestbook().await;
    let mut made = Vec::new();
    for _ in 0..5 {
        made.push(world.deployment().await.to_string());
    }
    made.reverse();
    for list in [format!("{LIVE}/deployments"), "/v1/deployments".to_owned()] {
        let mut seen = Vec::new();
        let mut path = format!("{list}?limit=2");
        loop {
            let page = world.get(&path).await.expect(200).json();
            let items = page["items"].as_array().unwrap();
            seen.extend(items.iter().map(|d| d["id"].as_str().unwrap().to_owned()));
            let Some(next) = page["next"].as_str() else {
                break;
            };
            path = format!("{list}?limit=2&before={next}");
        }
        assert_eq!(seen, made);
    }
    let refused = world.get("/v1/deployments?limit=0").await.expect(400);
    assert_eq!(refused.problem(), "invalid-query");
}

#[tokio::test]
async fn a_deployment_is_cancelled_once() {
    let world = World::with_guestbook().await;
    let id = world.deployment().await;
    let path = format!("/v1/deployments/{id}/cancel");
    let cancelled = world.post(&path, json!({})).await.expect(202);
    assert_eq!(cancelled.json()["status"], "cancelled");
    assert_eq!(world.post(&path, json!({})).await.problem(), "ended");
}

#[tokio::test]
async fn what_is_being_deployed_is_not_deleted() {
    let world = World::with_guestbook().await;
    let id = world.deployment().await;
    for path in [LIVE, "/v1/apps/guestbook"] {
        let refused = world.delete(path).await.expect(409);
        assert_eq!(refused.problem(), "busy");
        assert_eq!(
            refused.json()["hint"],
            format!("cancel it first: shipway cancel {id}")
        );
    }
    world.executor.succeed(id).await;
    world.delete(LIVE).await.expect(204);
}

#[tokio::test]
async fn a_plan_that_cannot_be_made_says_why_and_what_to_do() {
    let world = World::with_guestbook().await;
    let path = format!("{LIVE}/plan");
    let plan = world
        .post(&path, json!({"image": "build"}))
        .await
        .expect(200);
    assert_eq!(plan.json()["commit"]["subject"], "First");
    let failed = world.post(&path, json!({"reference": "nowhere"})).await;
    insta::assert_snapshot!(failed.expect(422).text, @r#"{"type":"/problems/plan-failed","title":"No plan can be made","status":422,"detail":"the repository has no branch, tag or commit \"nowhere\"","hint":"see what there is with `git ls-remote`","failure":{"step":"checkout","reason":"checkout","message":"the repository has no branch, tag or commit \"nowhere\"","hint":"see what there is with `git ls-remote`"}}"#);
}

#[tokio::test]
async fn the_status_shows_the_newest_deployment() {
    let world = World::with_guestbook().await;
    let path = format!("{LIVE}/status");
    let before = world.get(&path).await.expect(200).json();
    assert_eq!(before["latest"], serde_json::Value::Null);
    let id = world.deployment().await;
    world.executor.start(id).await;
    let status = world.get(&path).await.expect(200).json();
    assert_eq!(status["latest"]["status"], "running");
    assert_eq!(status["latest"]["step"], "services");
    assert_eq!(status["serving"], serde_json::Value::Null);
}
