//! Events and logs over real HTTP, as they happen, without a loss.

use std::time::Duration;

use axum::body::Body;
use futures::StreamExt;
use http::Request;
use serde_json::Value;
use shipway_core::ending::Ending;
use shipway_core::journal::Event;
use shipway_core::pipeline::Step;
use shipway_core::token::Scope;

use crate::world::World;

const PATIENCE: Duration = Duration::from_secs(10);

fn ask(world: &World, url: String, accept: &str) -> reqwest::RequestBuilder {
    let client = reqwest::Client::new();
    client
        .get(url)
        .bearer_auth(&world.admin)
        .header("accept", accept)
}

async fn read_to_end(request: reqwest::RequestBuilder) -> String {
    let read = async { request.send().await.unwrap().text().await.unwrap() };
    tokio::time::timeout(PATIENCE, read).await.unwrap()
}

fn ids(stream: &str) -> Vec<u64> {
    let lines = stream.lines();
    lines
        .filter_map(|line| line.strip_prefix("id: "))
        .map(|id| id.parse().unwrap())
        .collect()
}

#[tokio::test]
async fn a_script_waits_for_the_ending_and_reads_one_word() {
    let world = World::with_guestbook().await;
    let base = world.serve().await;
    let id = world.deployment().await;
    let url = format!("{base}/v1/deployments/{id}");
    let now = read_to_end(ask(&world, url.clone(), "text/plain")).await;
    assert_eq!(now, "queued\n");
    // A wait that is over before the deployment is.
    let still = ask(&world, format!("{url}?wait_seconds=1"), "text/plain");
    assert_eq!(read_to_end(still).await, "queued\n");

    let waiting = ask(&world, format!("{url}?wait_seconds=60"), "text/plain");
    let waiting = tokio::spawn(read_to_end(waiting));
    world.executor.start(id).await;
    world.executor.succeed(id).await;
    assert_eq!(waiting.await.unwrap(), "succeeded\n");
    // JSON has the same, at once.
    let shown = read_to_end(ask(&world, format!("{url}?wait_seconds=60"), "*/*")).await;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["status"], "succeeded");
    let too_long = ask(&world, format!("{url}?wait_seconds=61"), "text/plain");
    assert_eq!(too_long.send().await.unwrap().status(), 400);
}

#[tokio::test]
async fn a_watcher_hears_every_event_once_and_the_stream_ends() {
    let world = World::with_guestbook().await;
    let base = world.serve().await;
    let id = world.deployment().await;
    let url = format!("{base}/v1/deployments/{id}/events");
    let watchers: Vec<_> = (0..20)
        .map(|_| tokio::spawn(read_to_end(ask(&world, url.clone(), "text/event-stream"))))
        .collect();
    for step in Step::ALL {
        world.executor.note(id, Event::StepStarted { step }).await;
        tokio::task::yield_now().await;
    }
    world.executor.succeed(id).await;
    for watcher in watchers {
        let stream = watcher.await.unwrap();
        assert_eq!(ids(&stream), (1..=12).collect::<Vec<_>>());
        assert!(stream.contains("event: deployment.ended\n"), "{stream}");
    }

    // Who comes back hears the rest; who has heard all is told to stop.
    let rest = ask(&world, url.clone(), "text/event-stream").header("last-event-id", "10");
    assert_eq!(ids(&read_to_end(rest).await), [11, 12]);
    let all = ask(&world, url, "text/event-stream").header("last-event-id", "12");
    assert_eq!(all.send().await.unwrap().status(), 204);
}

#[tokio::test]
async fn events_come_in_pages_too() {
    let world = World::with_guestbook().await;
    let id = world.deployment().await;
    world.executor.start(id).await;
    world.executor.succeed(id).await;
    let path = format!("/v1/deployments/{id}/events");
    let page = world
        .get(&format!("{path}?limit=2"))
        .await
        .expect(200)
        .json();
    assert_eq!((&page["after"], &page["ended"]), (&2.into(), &false.into()));
    assert_eq!(page["items"][1]["kind"], "step.started");
    let page = world
        .get(&format!("{path}?after=2"))
        .await
        .expect(200)
        .json();
    assert_eq!((&page["after"], &page["ended"]), (&3.into(), &true.into()));
}

#[tokio::test]
async fn a_log_is_followed_to_its_last_line() {
    let world = World::with_guestbook().await;
    let base = world.serve().await;
    let id = world.deployment().await;
    world.executor.print(id, "===== services =====").await;
    let url = format!("{base}/v1/deployments/{id}/log?follow=true");
    let text = tokio::spawn(read_to_end(ask(&world, url.clone(), "text/plain")));
    let lines = tokio::spawn(read_to_end(ask(&world, url, "application/x-ndjson")));
    for n in 0..600 {
        world.executor.print(id, &format!("line {n}")).await;
    }
    world.executor.succeed(id).await;
    let text = text.await.unwrap();
    assert_eq!(text.lines().count(), 601);
    assert_eq!(text.lines().next(), Some("===== services ====="));
    assert_eq!(text.lines().last(), Some("line 599"));
    let lines = lines.await.unwrap();
    let numbers: Vec<u64> = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|line| line["number"].as_u64().unwrap())
        .collect();
    assert_eq!(numbers, (1..=601).collect::<Vec<_>>());

    let path = format!("/v1/deployments/{id}/log?after=600");
    assert_eq!(world.get(&path).await.expect(200).text, "line 599\n");
}

#[tokio::test]
async fn a_log_is_a_stream_of_events_that_goes_on_where_it_broke() {
    let world = World::with_guestbook().await;
    let base = world.serve().await;
    let id = world.deployment().await;
    let url = format!("{base}/v1/deployments/{id}/log");
    for n in 1..=300 {
        world.executor.print(id, &format!("line {n}")).await;
    }
    let stream = tokio::spawn(read_to_end(
        ask(&world, url.clone(), "text/event-stream").header("last-event-id", "290"),
    ));
    for n in 301..=310 {
        world.executor.print(id, &format!("line {n}")).await;
    }
    world.executor.succeed(id).await;
    let stream = stream.await.unwrap();
    assert_eq!(ids(&stream), (291..=310).collect::<Vec<_>>());
    assert!(stream.contains("event: log.line\n"), "{stream}");
    assert!(stream.contains("\"text\":\"line 310\""), "{stream}");

    let all = ask(&world, url, "text/event-stream").header("last-event-id", "310");
    assert_eq!(all.send().await.unwrap().status(), 204);
}

#[tokio::test]
async fn a_page_of_long_lines_ends_early_and_the_next_goes_on() {
    let world = World::with_guestbook().await;
    let id = world.deployment().await;
    let long = "x".repeat(16 << 10);
    for _ in 0..1200 {
        world.executor.print(id, &long).await;
    }
    world.executor.succeed(id).await;
    let (mut after, mut count, mut pages) = (0, 0, 0);
    loop {
        let path = format!("/v1/deployments/{id}/log?limit=10000&after={after}");
        let request = world
            .request("GET", &path)
            .header("accept", "application/json")
            .body(axum::body::Body::empty())
            .unwrap();
        let page = world.send(request).await.expect(200).json();
        count += page["items"].as_array().unwrap().len();
        after = page["after"].as_u64().unwrap();
        pages += 1;
        if page["ended"] == true {
            break;
        }
    }
    assert_eq!((count, after), (1200, 1200));
    assert!((2..=4).contains(&pages), "{pages}");
}

#[tokio::test]
async fn a_log_that_is_not_followed_ends_at_once() {
    let world = World::with_guestbook().await;
    let id = world.deployment().await;
    world.executor.print(id, "hello").await;
    let path = format!("/v1/deployments/{id}/log");
    let answer = world.get(&path).await.expect(200);
    assert_eq!(answer.text, "hello\n");
    assert_eq!(answer.headers["content-type"], "text/plain; charset=utf-8");
}

#[tokio::test]
async fn streams_end_when_the_engine_goes_down() {
    let world = World::with_guestbook().await;
    let base = world.serve().await;
    let id = world.deployment().await;
    let url = format!("{base}/v1/deployments/{id}/events");
    let response = ask(&world, url, "text/event-stream").send().await.unwrap();
    let mut stream = response.bytes_stream();
    let first = tokio::time::timeout(PATIENCE, stream.next()).await.unwrap();
    assert!(first.unwrap().is_ok());
    world.state.shutdown.cancel();
    let rest = tokio::time::timeout(PATIENCE, stream.next()).await.unwrap();
    assert!(rest.is_none());
}

/// The clock runs by itself, so that this waits for nothing.
#[tokio::test(start_paused = true)]
async fn streams_end_when_their_token_is_deleted() {
    let world = World::with_guestbook().await;
    let id = world.deployment().await;
    world.executor.print(id, "hello").await;
    let token = world.token("wall", Scope::Read, &[]).await;
    let open = |path: String, accept: &str| {
        let request = Request::get(path)
            .header("authorization", format!("Bearer {token}"))
            .header("accept", accept)
            .body(Body::empty())
            .unwrap();
        world.send(request)
    };
    let delete = async {
        tokio::time::sleep(Duration::from_secs(100)).await;
        world.delete("/v1/tokens/wall").await.expect(204);
    };
    let began = tokio::time::Instant::now();
    let (events, lines, text, ()) = tokio::join!(
        open(format!("/v1/deployments/{id}/events"), "text/event-stream"),
        open(format!("/v1/deployments/{id}/log"), "text/event-stream"),
        open(
            format!("/v1/deployments/{id}/log?follow=true"),
            "text/plain"
        ),
        delete,
    );
    let took = began.elapsed();
    assert_eq!(ids(&events.expect(200).text), [1]);
    assert_eq!(ids(&lines.expect(200).text), [1]);
    assert_eq!(text.expect(200).text, "hello\n");
    assert!((100..=130).contains(&took.as_secs()), "{took:?}");
}

#[tokio::test]
async fn what_nobody_offers_is_not_acceptable() {
    let world = World::with_guestbook().await;
    let id = world.deployment().await;
    let ending = Event::Ended(Ending::Superseded { by: id });
    world.executor.note(id, ending).await;
    let request = world
        .request("GET", &format!("/v1/deployments/{id}/log"))
        .header("accept", "image/png")
        .body(axum::body::Body::empty())
        .unwrap();
    let refused = world.send(request).await.expect(406);
    assert_eq!(refused.problem(), "not-acceptable");
}
