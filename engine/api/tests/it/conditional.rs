//! Conditional requests, and limits to how many there may be.

use std::num::NonZeroU32;

use axum::body::Body;
use serde_json::{Value, json};
use shipway_api::rate::Rate;

use crate::world::{Answer, World};

const LIVE: &str = "/v1/apps/guestbook/environments/live";

async fn with(
    world: &World,
    method: &str,
    path: &str,
    header: (&str, &str),
    body: Value,
) -> Answer {
    let request = world
        .request(method, path)
        .header("content-type", "application/json")
        .header(header.0, header.1)
        .body(Body::from(body.to_string()))
        .unwrap();
    world.send(request).await
}

fn tag(answer: &Answer) -> String {
    answer.headers["etag"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_is_known_is_not_sent_again() {
    let world = World::with_guestbook().await;
    let known = tag(&world.get(LIVE).await.expect(200));
    let list = format!("\"other\", W/{known}");
    let again = with(&world, "GET", LIVE, ("if-none-match", &list), json!({})).await;
    assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""));
    assert_eq!(tag(&again), known);

    world
        .json("PATCH", LIVE, json!({"drain_seconds": 5}))
        .await
        .expect(200);
    let anew = with(&world, "GET", LIVE, ("if-none-match", &known), json!({})).await;
    assert_ne!(tag(&anew.expect(200)), known);
}

#[tokio::test]
async fn a_change_to_what_somebody_else_changed_is_refused() {
    let world = World::with_guestbook().await;
    let seen = tag(&world.get(LIVE).await);
    let change = json!({"drain_seconds": 5});
    with(&world, "PATCH", LIVE, ("if-match", &seen), change)
        .await
        .expect(200);
    let refused = with(
        &world,
        "PATCH",
        LIVE,
        ("if-match", &seen),
        json!({"drain_seconds": 6}),
    )
    .await;
    let refused = refused.expect(412);
    assert_eq!(refused.problem(), "precondition-failed");
    let now = world.get(LIVE).await;
    assert_eq!(tag(&refused), tag(&now), "the tag of what is there");
    assert_eq!(now.json()["drain_seconds"], 5);
}

#[tokio::test]
async fn of_many_who_saw_the_same_one_is_first() {
    let world = World::with_guestbook().await;
    let seen = tag(&world.get(LIVE).await);
    let seen = ("if-match", seen.as_str());
    let changes = (1..=20).map(|seconds| {
        with(
            &world,
            "PATCH",
            LIVE,
            seen,
            json!({"drain_seconds": seconds + 100}),
        )
    });
    let answers = futures::future::join_all(changes).await;
    let first = answers.iter().filter(|answer| answer.status == 200).count();
    let late = answers.iter().filter(|answer| answer.status == 412).count();
    assert_eq!((first, late), (1, 19));
}

#[tokio::test]
async fn a_release_command_is_held_against_its_list() {
    let world = World::with_guestbook().await;
    let list = format!("{LIVE}/release-commands");
    for label in ["Migrate", "Collect"] {
        world
            .post(&list, json!({"label": label, "run": "true"}))
            .await
            .expect(201);
    }
    let seen = tag(&world.get(&list).await);
    let move_it = format!("{list}/Collect/move");
    let first = json!({"position": 1});
    with(&world, "POST", &move_it, ("if-match", &seen), first)
        .await
        .expect(200);
    let one = format!("{list}/Migrate");
    with(&world, "DELETE", &one, ("if-match", &seen), json!({}))
        .await
        .expect(412);
    with(&world, "DELETE", &one, ("if-match", "*"), json!({}))
        .await
        .expect(204);
}

#[tokio::test]
async fn a_condition_gives_no_rights() {
    let world = World::with_guestbook().await;
    let nowhere = "/v1/apps/guestbook/environments/test";
    with(&world, "PATCH", nowhere, ("if-match", "*"), json!({}))
        .await
        .expect(404);
    let request = http::Request::patch(LIVE).header("if-match", "*");
    let refused = world.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(refused.expect(401).headers.get("etag"), None);
}

#[tokio::test]
async fn who_asks_too_often_is_told_when_to_go_on() {
    let mut world = World::with_guestbook().await;
    world.limit(Rate::per_second(NonZeroU32::MIN));
    let first = world.get(LIVE).await.expect(200);
    assert_eq!(first.headers["ratelimit-policy"], "\"default\";q=10;w=10");
    assert_eq!(first.headers["ratelimit"], "\"default\";r=9");
    for _ in 0..9 {
        world.get(LIVE).await.expect(200);
    }
    let refused = world.get(LIVE).await.expect(429);
    assert_eq!(refused.problem(), "too-many-requests");
    let wait: u64 = refused.headers["retry-after"]
        .to_str()
        .unwrap()
        .parse()
        .unwrap();
    assert!((1..=2).contains(&wait), "{wait}");
    assert_eq!(refused.headers["ratelimit"], "\"default\";r=0");
}
