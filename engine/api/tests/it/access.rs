//! Nobody gets further than their token.

use axum::body::Body;
use serde_json::json;
use shipway_core::token::{Scope, Token};

use crate::world::{Answer, World};

async fn ask(world: &World, method: &str, path: &str, token: Option<&str>) -> Answer {
    let mut request = http::Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    let request = request
        .header("content-type", "application/json")
        .body(Body::from("{}"))
        .unwrap();
    world.send(request).await
}

/// Every route and method of the description, with names that exist.
async fn routes(world: &World) -> Vec<(String, String)> {
    let id = world.deployment().await.to_string();
    let api = world.get("/openapi.json").await.expect(200).json();
    let paths = api["paths"].as_object().unwrap().clone();
    let mut routes = Vec::new();
    for (path, item) in paths
        .into_iter()
        .filter(|(path, _)| path.starts_with("/v1"))
    {
        // Who delivers has no token; deliveries.rs is about them.
        if path == "/v1/webhooks/{webhook}" {
            continue;
        }
        let path = path
            .replace("{webhook}", &"0".repeat(32))
            .replace("{app}", "guestbook")
            .replace("{environment}", "live")
            .replace("{deployment}", &id);
        for method in ["get", "put", "post", "patch", "delete"] {
            if item.get(method).is_some() {
                routes.push((method.to_uppercase(), path.clone()));
            }
        }
    }
    assert!(routes.len() > 35, "{}", routes.len());
    routes
}

#[tokio::test]
async fn no_route_answers_without_a_token() {
    let world = World::with_guestbook().await;
    for (method, path) in routes(&world).await {
        for token in [None, Some("shipway_0000"), Some("hunter2")] {
            let refused = ask(&world, &method, &path, token).await.expect(401);
            assert_eq!(refused.problem(), "unauthorized", "{method} {path}");
            assert_eq!(
                refused.headers["www-authenticate"],
                "Bearer realm=\"shipway\""
            );
        }
    }
}

#[tokio::test]
async fn a_reader_changes_nothing() {
    let world = World::with_guestbook().await;
    let reader = world.token("reader", Scope::Read, &[]).await;
    for (method, path) in routes(&world).await {
        if method == "GET" {
            continue;
        }
        let refused = ask(&world, &method, &path, Some(&reader)).await;
        assert_eq!(refused.status, 403, "{method} {path}: {}", refused.text);
        assert_eq!(refused.problem(), "forbidden");
    }
    for path in ["/v1/apps", "/v1/apps/guestbook/environments/live/variables"] {
        ask(&world, "GET", path, Some(&reader)).await.expect(200);
    }
    // Who holds which token is nobody else's business.
    ask(&world, "GET", "/v1/tokens", Some(&reader))
        .await
        .expect(403);
}

#[tokio::test]
async fn a_deployer_deploys_and_sets_nothing() {
    let world = World::with_guestbook().await;
    let deployer = world.token("ci", Scope::Deploy, &[]).await;
    let live = "/v1/apps/guestbook/environments/live";
    let path = format!("{live}/deployments");
    ask(&world, "POST", &path, Some(&deployer))
        .await
        .expect(202);
    let refused = ask(&world, "PATCH", live, Some(&deployer))
        .await
        .expect(403);
    insta::assert_snapshot!(refused.text, @r#"{"type":"/problems/forbidden","title":"The token does not allow this","status":403,"detail":"token \"ci\" has scope `deploy`; this needs `admin`","hint":"make one that may: shipway token create NAME --scope admin"}"#);
}

#[tokio::test]
async fn an_app_out_of_reach_does_not_exist() {
    let world = World::with_guestbook().await;
    let app = json!({"name": "shop", "repository": "/srv/git/shop"});
    world.post("/v1/apps", app).await.expect(201);
    let id = world.deployment().await;
    let shop = world.token("shop-ci", Scope::Admin, &["shop"]).await;
    let listed = ask(&world, "GET", "/v1/apps", Some(&shop))
        .await
        .expect(200);
    assert_eq!(listed.json()["items"].as_array().unwrap().len(), 1);
    ask(&world, "GET", "/v1/apps/shop", Some(&shop))
        .await
        .expect(200);
    for path in [
        "/v1/apps/guestbook".to_owned(),
        "/v1/apps/guestbook/environments/live/variables".to_owned(),
        format!("/v1/deployments/{id}"),
        format!("/v1/deployments/{id}/events"),
        format!("/v1/deployments/{id}/log"),
    ] {
        let hidden = ask(&world, "GET", &path, Some(&shop)).await.expect(404);
        assert_eq!(hidden.problem(), "not-found", "{path}");
    }
    let all = ask(&world, "GET", "/v1/deployments", Some(&shop))
        .await
        .expect(200);
    assert_eq!(all.json()["items"], json!([]));
    let refused = ask(&world, "GET", "/v1/tokens", Some(&shop))
        .await
        .expect(403);
    assert_eq!(
        refused.json()["detail"],
        "token \"shop-ci\" is limited to some apps"
    );
}

#[tokio::test]
async fn images_of_an_app_out_of_reach_cannot_be_reused() {
    let world = World::with_guestbook().await;
    let app = json!({"name": "shop", "repository": "/srv/git/shop"});
    world.post("/v1/apps", app).await.expect(201);
    let shop = world.token("shop", Scope::Admin, &["shop"]).await;
    let request = http::Request::patch("/v1/apps/shop")
        .header("authorization", format!("Bearer {shop}"))
        .header("content-type", "application/json")
        .body(Body::from(r#"{"mirror_of":"guestbook"}"#))
        .unwrap();
    let refused = world.send(request).await.expect(422);
    assert_eq!(
        refused.json()["detail"],
        "mirror_of: there is no app guestbook"
    );
}

#[tokio::test]
async fn a_token_is_shown_once_works_and_can_be_taken_back() {
    let world = World::with_guestbook().await;
    let new = json!({"name": "ci", "scope": "deploy", "apps": ["guestbook"]});
    let made = world
        .post("/v1/tokens", new.clone())
        .await
        .expect(201)
        .json();
    let token = made["token"].as_str().unwrap().to_owned();
    assert!(token.starts_with("shipway_"));
    assert_eq!(world.post("/v1/tokens", new).await.problem(), "exists");
    ask(&world, "GET", "/v1/apps", Some(&token))
        .await
        .expect(200);
    let own = ask(&world, "GET", "/v1/token", Some(&token)).await;
    let own = own.expect(200).json();
    assert_eq!(own["scope"], "deploy");
    assert_eq!(own["apps"], json!(["guestbook"]));
    let listed = world.get("/v1/tokens").await.expect(200);
    assert!(!listed.text.contains(&token) && !listed.text.contains("digest"));
    let items = listed.json()["items"].as_array().unwrap().clone();
    let ci = items.iter().find(|t| t["name"] == "ci").unwrap();
    assert!(ci["last_used_at"].is_string());
    world.delete("/v1/tokens/ci").await.expect(204);
    ask(&world, "GET", "/v1/apps", Some(&token))
        .await
        .expect(401);
}

#[tokio::test]
async fn a_token_that_has_expired_is_refused() {
    let world = World::with_guestbook().await;
    let past = json!({"name": "old", "scope": "read", "expires_at": "1960-01-01T00:00:00Z"});
    let refused = world.post("/v1/tokens", past).await.expect(422);
    assert_eq!(refused.problem(), "invalid-setting");

    let later = json!({"name": "ci", "scope": "read", "expires_at": "2999-01-01T00:00:00Z"});
    let made = world.post("/v1/tokens", later).await.expect(201).json();
    assert_eq!(made["expires_at"], "2999-01-01T00:00:00Z");
    let text = made["token"].as_str().unwrap();
    ask(&world, "GET", "/v1/apps", Some(text)).await.expect(200);

    let (text, digest) = shipway_api::new_token().unwrap();
    let now = world.state.clock.now();
    let over = Token {
        name: "over".to_owned(),
        digest,
        scope: Scope::Admin,
        apps: Vec::new(),
        created_at: now,
        last_used_at: None,
        expires_at: Some(now),
    };
    world.state.store.create_token(&over).await.unwrap();
    let refused = ask(&world, "GET", "/v1/apps", Some(text.reveal())).await;
    let detail = refused.expect(401).json()["detail"].clone();
    assert!(
        detail.as_str().unwrap().contains("has expired at"),
        "{detail}"
    );
}
