//! Everything that is refused is a problem that says what to change.

use std::collections::BTreeSet;

use axum::body::Body;
use serde_json::json;
use shipway_api::problem::Kind;
use shipway_core::token::Scope;

use crate::world::World;

#[tokio::test]
async fn a_body_that_is_no_json_is_refused() {
    let world = World::new().await;
    let request = world
        .request("POST", "/v1/apps")
        .header("content-type", "application/json")
        .body(Body::from("{name: guestbook"))
        .unwrap();
    let refused = world.send(request).await.expect(400);
    insta::assert_snapshot!(refused.text, @r#"{"type":"/problems/malformed-body","title":"The body cannot be read","status":400,"detail":"the body is no JSON: key must be a string at line 1 column 2"}"#);
}

#[tokio::test]
async fn a_body_without_its_type_is_refused() {
    let world = World::new().await;
    let request = world.request("POST", "/v1/apps").body(Body::from("{}"));
    let refused = world.send(request.unwrap()).await.expect(415);
    insta::assert_snapshot!(refused.text, @r#"{"type":"/problems/unsupported-media-type","title":"The body has another content type","status":415,"detail":"the body has no content type; this takes application/json","hint":"send the header `Content-Type: application/json`"}"#);
}

#[tokio::test]
async fn what_does_not_fit_is_named_with_its_place() {
    let world = World::with_guestbook().await;
    let live = "/v1/apps/guestbook/environments/live";
    for (body, detail) in [
        (
            json!({"processes": {"web": {"port": 70000}}}),
            "processes.web.port: invalid value: integer `70000`, expected u16",
        ),
        (json!({"colour": "red"}), "colour: unknown field `colour`"),
        (
            json!({"plugins": [null, null]}),
            "plugins: a list stands where an object should",
        ),
        (
            json!({"limits": {"memory_mib": 2_147_483_648_u32}}),
            "limits.memory_mib: must be 4 to 16777216",
        ),
        (
            json!({"processes": {"web": {"health": {"tries": 0}}}}),
            "processes.web.health: health tries must be 1 to 300",
        ),
        (
            json!({"services": [{"name": "db", "url": "ftp://x"}]}),
            "services.db.url: must begin with tcp://",
        ),
        (
            json!({"runtime": "heroku"}),
            "runtime: unknown variant `heroku`",
        ),
        (
            json!({"reference": "-x"}),
            "reference: is no name of a branch",
        ),
        (
            json!({"domains": ["HTTP://x"]}),
            "domains[0]: \"HTTP://x\" is no domain",
        ),
    ] {
        let refused = world.json("PATCH", live, body).await.expect(422);
        let text = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(text.starts_with(detail), "{text}");
    }
}

#[tokio::test]
async fn names_and_settings_of_a_new_app_are_checked() {
    let world = World::new().await;
    for (body, kind) in [
        (
            json!({"name": "Shop", "repository": "/srv/x"}),
            "invalid-body",
        ),
        (json!({"repository": "/srv/x"}), "invalid-body"),
        (json!({"name": "shop", "repository": ""}), "invalid-setting"),
        (
            json!({"name": "shop", "repository": "https://u:pass@x.example/y"}),
            "invalid-setting",
        ),
        (
            json!({"name": "shop", "repository": "/srv/x", "colour": 1}),
            "invalid-body",
        ),
    ] {
        let refused = world.post("/v1/apps", body).await.expect(422);
        assert_eq!(refused.problem(), kind, "{}", refused.text);
    }
}

#[tokio::test]
async fn paths_methods_and_sizes_are_checked() {
    let world = World::with_guestbook().await;
    assert_eq!(
        world.get("/v2/apps").await.expect(404).problem(),
        "unknown-route"
    );
    let refused = world
        .post("/v1/apps/guestbook", json!({}))
        .await
        .expect(405);
    assert_eq!(refused.problem(), "method-not-allowed");
    assert!(refused.headers.contains_key("allow"));
    assert_eq!(
        world.get("/v1/apps/Shop").await.expect(400).problem(),
        "invalid-path"
    );
    let refused = world.get("/v1/deployments/7").await.expect(400);
    assert_eq!(refused.problem(), "invalid-path");
    assert_eq!(
        world
            .get("/v1/deployments?colour=red")
            .await
            .expect(400)
            .problem(),
        "invalid-query"
    );
    let large = json!({"name": "shop", "repository": "x".repeat(2 * 1024 * 1024)});
    let refused = world.post("/v1/apps", large).await.expect(413);
    assert_eq!(refused.problem(), "too-large");
}

#[tokio::test]
async fn every_answer_has_a_request_id() {
    let world = World::new().await;
    let answer = world.get("/v1/apps").await;
    assert!(answer.headers.contains_key("x-request-id"));
    let request = world
        .request("GET", "/nowhere")
        .header("x-request-id", "mine")
        .body(Body::empty())
        .unwrap();
    assert_eq!(world.send(request).await.headers["x-request-id"], "mine");
}

#[tokio::test]
async fn health_needs_no_token() {
    let world = World::new().await;
    let ask = |path: &str| {
        let request = http::Request::get(path).body(Body::empty()).unwrap();
        world.send(request)
    };
    let alive = ask("/healthz").await.expect(200).json();
    assert_eq!(alive["status"], "ok");
    let ready = ask("/readyz").await.expect(200).json();
    assert_eq!(ready["parts"], json!([{"name": "store", "status": "ok"}]));
    world.state.shutdown.cancel();
    let leaving = ask("/readyz").await.expect(503);
    assert_eq!(leaving.problem(), "not-ready");
    let part = json!({"name": "engine", "status": "failing", "detail": "it is going down"});
    assert_eq!(leaving.json()["parts"], json!([part]));
}

#[tokio::test]
async fn what_was_counted_is_for_whoever_may_read_everything() {
    let world = World::new().await;
    let with = |token: String| {
        let request = http::Request::get("/metrics")
            .header("authorization", format!("Bearer {token}"))
            .body(Body::empty())
            .unwrap();
        world.send(request)
    };
    let reader = world.token("prometheus", Scope::Read, &[]).await;
    with(reader).await.expect(200);
    let limited = world.token("limited", Scope::Read, &["guestbook"]).await;
    with(limited).await.expect(403);
    with("shipway_nobody".to_owned()).await.expect(401);
}

#[test]
fn every_kind_has_a_type_of_its_own() {
    let slugs: BTreeSet<&str> = Kind::ALL.iter().map(|kind| kind.slug()).collect();
    assert_eq!(slugs.len(), Kind::ALL.len());
}

#[test]
fn every_kind_is_in_the_docs() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/api.md");
    let page = std::fs::read_to_string(page).unwrap();
    let listed = page.lines().filter(|line| line.contains("`/problems/"));
    let listed: BTreeSet<&str> = listed.collect();
    let row = |kind: &Kind| {
        let (status, uri, title) = (kind.status().as_u16(), kind.uri(), kind.title());
        format!("| {status} | `{uri}` | {title} |")
    };
    let rows: BTreeSet<String> = Kind::ALL.iter().map(row).collect();
    assert_eq!(listed, rows.iter().map(String::as_str).collect());
}
