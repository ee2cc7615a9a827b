//! Plugins are installed with nothing granted.

use axum::body::Body;
use serde_json::{Value, json};

use crate::world::{Answer, COMPONENT, World};

async fn install(world: &World, bytes: &'static [u8]) -> Answer {
    let request = world
        .request("POST", "/v1/plugins")
        .header("content-type", "application/wasm")
        .body(Body::from(bytes))
        .unwrap();
    world.send(request).await
}

#[tokio::test]
async fn nothing_is_granted_until_an_operator_says_so() {
    let world = World::new().await;
    let plugin = install(&world, COMPONENT).await.expect(201).json();
    assert_eq!(
        plugin["grants"],
        json!({"files": [], "variables": [], "image": "denied", "exec": "denied", "http": []})
    );
    assert_eq!(plugin["lacks"].as_array().unwrap().len(), 1);

    let settings = json!({"url": {"value": "https://hooks.example.com/x"},
        "token": {"value": "swordfish"}});
    let path = "/v1/plugins/webhook/settings";
    let set = world.json("PATCH", path, settings).await.expect(200);
    assert!(!set.text.contains("swordfish"), "{}", set.text);
    let requested = set.json()["requested"].clone();
    assert_eq!(requested["http"][0]["origin"], "https://hooks.example.com");

    let path = "/v1/plugins/webhook/grants";
    let granted = world.json("PUT", path, requested).await.expect(200).json();
    assert_eq!(granted["lacks"], json!([]));

    // A new version keeps what was granted and set.
    let again = install(&world, COMPONENT).await.expect(200).json();
    assert_eq!(again["grants"], granted["grants"]);
    assert_eq!(again["values"].as_array().unwrap().len(), 2);
    world.delete("/v1/plugins/webhook").await.expect(204);
    assert_eq!(world.get("/v1/plugins").await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_file_that_is_no_component_is_refused_with_a_reason() {
    let world = World::new().await;
    let refused = install(&world, b"#!/bin/sh").await.expect(422);
    insta::assert_snapshot!(refused.text, @r#"{"type":"/problems/plugin-rejected","title":"The plugin cannot be used","status":422,"detail":"the file is no WebAssembly component","hint":"build it for wasm32-wasip2"}"#);
    assert_eq!(world.get("/v1/plugins").await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_plugin_can_be_looked_at_without_installing_it() {
    let world = World::new().await;
    let request = world
        .request("POST", "/v1/plugins/inspect")
        .header("content-type", "application/wasm")
        .body(Body::from(COMPONENT))
        .unwrap();
    let seen = world.send(request).await.expect(200).json();
    assert_eq!(seen["name"], "webhook");
    assert_eq!(world.get("/v1/plugins").await.json()["items"], json!([]));
}

#[tokio::test]
async fn a_component_may_be_larger_than_other_bodies() {
    let world = World::new().await;
    let mut large = COMPONENT.to_vec();
    large.resize(2 * 1024 * 1024, 0);
    let request = world
        .request("POST", "/v1/plugins")
        .header("content-type", "application/wasm")
        .body(Body::from(large))
        .unwrap();
    world.send(request).await.expect(201);
}

#[tokio::test]
async fn settings_of_an_environment_stand_over_the_plugins_own() {
    let world = World::with_guestbook().await;
    install(&world, COMPONENT).await.expect(201);
    let path = "/v1/apps/guestbook/environments/live/plugins/webhook/settings";
    let set = json!({"token": {"value": "swordfish"}});
    let listed = world.json("PATCH", path, set).await.expect(200);
    assert_eq!(
        listed.json()["items"],
        json!([{"name": "token", "type": "secret"}])
    );
    let unknown = json!({"colour": {"value": "red"}});
    let refused = world.json("PATCH", path, unknown).await.expect(422);
    assert_eq!(refused.json()["hint"], "it has url, token");
    let unset = json!({"token": Value::Null});
    let listed = world.json("PATCH", path, unset).await.expect(200);
    assert_eq!(listed.json()["items"], json!([]));
}

#[tokio::test]
async fn a_grant_that_could_not_work_is_refused() {
    let world = World::new().await;
    install(&world, COMPONENT).await.expect(201);
    let path = "/v1/plugins/webhook/grants";
    let grants = json!({"http": [{"origin": "https://hooks.example.com/path"}]});
    let refused = world.json("PUT", path, grants).await.expect(422);
    assert_eq!(refused.problem(), "invalid-setting");
    let off = json!({"enabled": "no"});
    let off = world
        .json("PATCH", "/v1/plugins/webhook", off)
        .await
        .expect(200);
    assert_eq!(off.json()["enabled"], "no");
}
