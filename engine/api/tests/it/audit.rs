//! Who did what is written down, and what was refused to whom.

use axum::body::Body;
use serde_json::{Value, json};
use shipway_core::token::Scope;

use crate::world::World;

async fn log(world: &World, query: &str) -> Vec<Value> {
    let page = world.get(&format!("/v1/audit{query}")).await.expect(200);
    page.json()["items"].as_array().unwrap().clone()
}

fn row(record: &Value) -> String {
    let word = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let outcome = &record["outcome"];
    format!(
        "{} {} {} {} {} {}",
        word(&record["actor"]["name"]),
        word(&record["action"]),
        word(&record["subject"]),
        word(&record["app"]),
        word(&outcome["result"]),
        word(&outcome["reason"])
    )
}

async fn as_nobody(world: &World, method: &str, path: &str, token: Option<&str>) {
    let mut request = http::Request::builder().method(method).uri(path);
    if let Some(token) = token {
        request = request.header("authorization", format!("Bearer {token}"));
    }
    world.send(request.body(Body::empty()).unwrap()).await;
}

#[tokio::test]
async fn every_change_is_written_down_with_who_and_what() {
    let world = World::with_guestbook().await;
    let live = "/v1/apps/guestbook/environments/live";
    let variable = json!({"value": "hunter2", "type": "secret"});
    let path = format!("{live}/variables/PASSWORD");
    world.json("PUT", &path, variable).await;
    let command = json!({"label": "Migrate", "run": "true"});
    world
        .post(&format!("{live}/release-commands"), command)
        .await
        .expect(201);
    let token = json!({"name": "ci", "scope": "deploy"});
    let made = world.post("/v1/tokens", token).await.expect(201).json();
    let text = made["token"].as_str().unwrap();
    world
        .delete(&format!("/v1/tokens/{text}"))
        .await
        .expect(404);
    let id = world.deployment().await;
    world
        .post(&format!("/v1/deployments/{id}/cancel"), json!({}))
        .await
        .expect(202);
    world.get(live).await.expect(200);

    let records = log(&world, "").await;
    let rows: Vec<String> = records.iter().rev().map(row).collect();
    insta::assert_snapshot!(rows.join("\n").replace(&id.to_string(), "ID"), @"
    admin create_app /v1/apps/guestbook guestbook accepted -
    admin create_environment /v1/apps/guestbook/environments/live guestbook accepted -
    admin set_variable /v1/apps/guestbook/environments/live/variables/PASSWORD guestbook accepted -
    admin add_release_command /v1/apps/guestbook/environments/live/release-commands/Migrate guestbook accepted -
    admin create_token /v1/tokens/ci - accepted -
    admin delete_token /v1/tokens/[token] - refused not-found
    admin create_deployment /v1/deployments/ID guestbook accepted -
    admin cancel_deployment /v1/deployments/ID/cancel guestbook accepted -
    ");
    let whole = serde_json::to_string(&records).unwrap();
    assert!(
        !whole.contains("hunter2") && !whole.contains(text),
        "{whole}"
    );
}

#[tokio::test]
async fn what_is_refused_is_written_down_even_when_it_only_reads() {
    let world = World::with_guestbook().await;
    let reader = world.token("reader", Scope::Read, &[]).await;
    as_nobody(&world, "GET", "/v1/apps/guestbook", None).await;
    as_nobody(&world, "GET", "/v1/apps", Some("shipway_0000")).await;
    as_nobody(&world, "DELETE", "/v1/apps/guestbook", Some(&reader)).await;
    as_nobody(&world, "GET", "/v1/audit", Some(&reader)).await;
    as_nobody(&world, "GET", "/v1/apps", Some(&reader)).await;
    let rows: Vec<String> = log(&world, "").await.iter().take(4).map(row).collect();
    insta::assert_snapshot!(rows.join("\n"), @"
    reader list_audit /v1/audit - refused forbidden
    reader delete_app /v1/apps/guestbook guestbook refused forbidden
    - list_apps /v1/apps - refused unauthorized
    - get_app /v1/apps/guestbook guestbook refused unauthorized
    ");
}

#[tokio::test]
async fn it_is_read_page_by_page_and_searched() {
    let world = World::with_guestbook().await;
    as_nobody(&world, "POST", "/v1/apps", None).await;
    let first = world.get("/v1/audit?limit=2").await.expect(200).json();
    let next = first["next"].as_str().unwrap();
    let rest = log(&world, &format!("?limit=2&before={next}")).await;
    assert_eq!(
        row(&rest[0]),
        "admin create_app /v1/apps/guestbook guestbook accepted -"
    );
    for (query, count) in [
        ("?actor=admin", 2),
        ("?actor=anonymous", 1),
        ("?action=create_app", 2),
        ("?app=guestbook", 2),
        ("?app=shop", 0),
        ("?since=2100-01-01T00:00:00Z", 0),
        ("?since=1970-01-01T00:00:00Z", 3),
    ] {
        assert_eq!(log(&world, query).await.len(), count, "{query}");
    }
    for query in ["?limit=0", "?limit=501", "?since=yesterday", "?who=me"] {
        let refused = world.get(&format!("/v1/audit{query}")).await.expect(400);
        assert_eq!(refused.problem(), "invalid-query");
    }
}

#[tokio::test]
async fn strangers_cannot_fill_the_log() {
    let world = World::new().await;
    for _ in 0..300 {
        as_nobody(&world, "POST", "/v1/apps", Some("shipway_0000")).await;
    }
    let attempts = log(&world, "?actor=anonymous&limit=500").await;
    // The clock of this world goes on a second at each look: some minutes passed.
    assert!(attempts.len() <= 260, "{}", attempts.len());
    let left_out: u64 = attempts
        .iter()
        .filter_map(|it| it["unrecorded"].as_u64())
        .sum();
    assert!(left_out > 0 && left_out + attempts.len() as u64 <= 300);
}
