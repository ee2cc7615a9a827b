//! Triggers while a deployment runs: one environment at a time, and nothing
//! done twice.

use serde_json::json;
use shipway_tests::deployment::Deployment;
use shipway_tests::ship::Ship;

use crate::apps::{next_version, serves, tiny};

#[test]
fn the_same_idempotency_key_gives_the_same_deployment() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    let trigger = || {
        let request = ship
            .api
            .request(reqwest::Method::POST, &live.path("/deployments"));
        ship.api.send(
            request
                .header("idempotency-key", "build-4711")
                .json(&json!({})),
        )
    };
    let (first, second) = (trigger(), trigger());
    assert_eq!((first.status, second.status), (202, 200));
    assert_eq!(first.json()["id"], second.json()["id"]);
    let id = first.json()["id"].as_str().expect("an id").to_owned();
    Deployment::new(&ship, id).ended().succeeded();
}

#[test]
fn a_hundred_deliveries_of_one_hook_make_one_deployment() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    let deliver = || {
        let request = ship
            .api
            .request(reqwest::Method::POST, &live.path("/deployments"));
        let request = request.header("idempotency-key", "delivery-4711");
        ship.api.send(request.json(&json!({})))
    };
    let answers: Vec<_> = std::thread::scope(|scope| {
        let senders: Vec<_> = (0..10)
            .map(|_| scope.spawn(|| (0..10).map(|_| deliver()).collect::<Vec<_>>()))
            .collect();
        let answers = senders.into_iter().map(|sender| sender.join());
        answers.flat_map(|one| one.expect("a sender")).collect()
    });
    let new = answers.iter().filter(|answer| answer.status == 202).count();
    let seen = answers.iter().filter(|answer| answer.status == 200).count();
    assert_eq!((new, seen), (1, 99));
    let all = ship.api.get(&live.path("/deployments")).ok();
    assert_eq!(all["items"].as_array().map(Vec::len), Some(1), "{all:#}");
    let id = all["items"][0]["id"].as_str().expect("an id").to_owned();
    Deployment::new(&ship, id).ended().succeeded();
}

#[test]
fn a_deployment_can_be_cancelled_and_the_old_version_serves() {
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = tiny(&ship);
    live.deploy().succeeded();
    next_version(&repo, "2");
    live.command("Long", "echo begun; sleep 600");
    let second = live.trigger(json!({}));
    second.until_event("command.started", |event| {
        event["kind"] == "command.started"
    });
    ship.api.post(&second.path("/cancel"), &json!({})).ok();
    let second = second.ended();
    assert_eq!(second.now()["status"], "cancelled", "{}", second.log());
    serves(&live, "1");
    ship.api
        .post(&second.path("/cancel"), &json!({}))
        .problem(409, "ended");
}

#[test]
fn a_command_that_may_not_be_stopped_runs_to_its_end_and_whoever_cancels_is_told() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    live.command_with(json!({
        "label": "Convert",
        "run": "sleep 5",
        "cancel": "never",
    }));
    let deployment = live.trigger(json!({}));
    deployment.until_event("command.started", |event| {
        event["kind"] == "command.started"
    });
    let told = ship.api.post(&deployment.path("/cancel"), &json!({}));
    told.problem(409, "protected");
    let deployment = deployment.ended();
    assert_eq!(
        deployment.now()["status"],
        "succeeded",
        "{}",
        deployment.log()
    );
}

#[test]
fn the_newest_trigger_wins_the_queue() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    live.command("Hold the line", "sleep 1");
    let running = live.trigger(json!({}));
    running.until_event("step.started", |event| event["kind"] == "step.started");
    let older = live.trigger(json!({}));
    let newest = live.trigger(json!({}));
    let older = older.ended();
    assert_eq!(older.now()["status"], "superseded");
    assert_eq!(older.ending()["by"], newest.id.as_str());
    running.ended().succeeded();
    newest.ended().succeeded();
}

#[test]
fn with_policy_queue_all_run_in_order() {
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = tiny(&ship);
    live.change(json!({"queue": "queue"}));
    live.command("Hold the line", "sleep 0.5");
    let first = repo.git(&["rev-parse", "HEAD"]);
    let second = next_version(&repo, "2");
    let deployments: Vec<_> = [&first, &second, &first]
        .map(|commit| live.trigger(json!({"reference": commit})))
        .into_iter()
        .map(Deployment::ended)
        .collect();
    for deployment in &deployments {
        deployment.succeeded();
    }
    for pair in deployments.windows(2) {
        assert!(
            pair[0].now()["ended_at"].as_str() <= pair[1].now()["started_at"].as_str(),
            "one at a time"
        );
    }
    serves(&live, "1");
}

#[test]
fn with_policy_reject_a_second_trigger_is_refused() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    live.change(json!({"queue": "reject"}));
    live.command("Hold the line", "sleep 1");
    let running = live.trigger(json!({}));
    let refused = ship.api.post(&live.path("/deployments"), &json!({}));
    let problem = refused.problem(409, "busy");
    let hint = problem["hint"].as_str().unwrap_or_default();
    assert!(hint.contains(&running.id), "{problem:#}");
    running.ended().succeeded();
    live.deploy().succeeded();
}

#[test]
fn what_is_being_deployed_cannot_be_deleted() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    live.command("Hold the line", "sleep 1");
    let running = live.trigger(json!({}));
    let problem = ship.api.delete(&live.path("")).problem(409, "busy");
    let hint = problem["hint"].as_str().unwrap_or_default();
    assert!(hint.contains("shipway cancel"), "{problem:#}");
    running.ended().succeeded();
    ship.api.delete(&live.path("")).ok();
    assert_eq!(live.get("/").status, 404);
}
