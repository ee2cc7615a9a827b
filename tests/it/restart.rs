//! The engine may be killed, stopped and started again; the sites go on.

use std::process::Command;
use std::time::Duration;

use serde_json::json;
use shipway_tests::api::Answer;
use shipway_tests::deployment::Deployment;
use shipway_tests::load::Load;
use shipway_tests::machine::processes_with;
use shipway_tests::parts;
use shipway_tests::ship::Ship;
use shipway_tests::wait::until_true;

use crate::apps::{next_version, serves, tiny, tiny_image};

#[test]
fn a_killed_engine_leaves_everything_serving_and_the_next_one_takes_over() {
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = tiny(&ship);
    let first = live.deploy();
    first.succeeded();
    let proxy = ship.proxy_pid().expect("a proxy");

    let load = Load::on(&live, "/", 3, says_a_version);
    ship.kill_serve();
    load.until_answered(50);
    ship.serve();
    load.until_answered(50);
    assert_eq!(ship.proxy_pid(), Some(proxy), "the same proxy goes on");
    next_version(&repo, "2");
    let second = live.deploy();
    second.succeeded();
    load.until_answered(20);
    load.stop().assert_none_failed();
    serves(&live, "2");
    assert_eq!(
        second.output("retire")["stopped"].as_array().map(Vec::len),
        Some(1)
    );
    let left = processes_with(&format!("SHIPWAY_DEPLOYMENT={}", first.id));
    assert!(left.is_empty(), "still there: {left:?}");
}

#[test]
fn containers_outlive_the_engine_too() {
    let Some(()) = parts::image(parts::STATIC_IMAGE) else {
        return;
    };
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = tiny_image(&ship);
    live.deploy().succeeded();
    ship.kill_serve();
    serves(&live, "1");
    ship.serve();
    next_version(&repo, "2");
    let second = live.deploy();
    second.succeeded();
    serves(&live, "2");
    assert_eq!(shipway_tests::docker::containers_of(&live.app).len(), 1);
}

#[test]
fn a_stopped_engine_leaves_everything_serving() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    live.deploy().succeeded();
    assert_eq!(ship.stop_serve(), Some(0));
    serves(&live, "1");
    ship.serve();
    assert_eq!(live.status()["latest"]["status"], "succeeded");
    serves(&live, "1");
}

#[test]
fn a_command_goes_on_while_the_engine_is_down_and_its_log_is_whole() {
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = tiny(&ship);
    live.deploy().succeeded();
    let notes = ship.state_dir().join("notes");
    let place = ship.state_dir().join("place");
    let run = format!(
        "echo ran >> {}; for n in 1 2 3 4 5 6 7 8; do echo line $n; echo $n > {}; sleep 1; done",
        notes.display(),
        place.display()
    );
    live.command("Slow", &run);
    next_version(&repo, "2");
    let second = live.trigger(json!({}));
    until_true("the command writes", Duration::from_secs(60), || {
        second.log().contains("line 2")
    });
    ship.kill_serve();
    until_true("the command goes on", Duration::from_secs(60), || {
        std::fs::read_to_string(&place).is_ok_and(|text| text.trim() >= "5")
    });
    ship.serve();
    let second = second.ended();
    second.succeeded();
    assert_eq!(std::fs::read_to_string(notes).expect("the notes"), "ran\n");
    let log = second.log();
    let lines: Vec<&str> = log
        .lines()
        .filter(|line| line.starts_with("line "))
        .collect();
    let all: Vec<String> = (1..=8).map(|n| format!("line {n}")).collect();
    assert_eq!(lines, all, "{log}");
    serves(&live, "2");
}

#[test]
fn a_command_whose_end_nobody_saw_is_never_silently_run_again() {
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = tiny(&ship);
    live.deploy().succeeded();
    let notes = ship.state_dir().join("notes");
    // Its supervisor, then itself.
    let run = format!("echo $PPID $$ >> {}; sleep 600", notes.display());
    live.command("Slow", &run);
    next_version(&repo, "2");
    let second = live.trigger(json!({}));
    until_true("the command runs", Duration::from_secs(60), || {
        std::fs::read_to_string(&notes).is_ok_and(|text| text.ends_with('\n'))
    });
    ship.kill_serve();
    let written = std::fs::read_to_string(&notes).expect("the notes");
    for process in written.split_whitespace() {
        let killed = Command::new("kill").args(["-KILL", process]).status();
        assert!(killed.expect("kill").success(), "{process}");
    }
    ship.serve();
    let second = second.ended();
    let failure = second.failed("release", "interrupted");
    assert_eq!(failure["command"], "Slow");
    let notes = std::fs::read_to_string(notes).expect("the notes");
    assert_eq!(notes.lines().count(), 1, "{notes}");
    serves(&live, "1");
}

#[test]
fn a_deployment_that_was_cut_off_while_it_started_instances_is_finished() {
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = tiny(&ship);
    live.deploy().succeeded();
    // Each start takes a while, so that the engine can be killed in it.
    repo.write("Procfile", "web: sleep 2; exec python3 serve.py\n");
    next_version(&repo, "2");
    let second = live.trigger(json!({}));
    second.until_event("instance.started", |event| {
        event["kind"] == "instance.started"
    });
    ship.kill_serve();
    serves(&live, "1");
    ship.serve();
    let second: Deployment<'_> = second.ended();
    second.succeeded();
    serves(&live, "2");
    assert_eq!(addresses(&live.status()).len(), 1);
}

#[test]
fn killed_at_every_step_it_loses_no_request_and_ends_honestly() {
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = tiny(&ship);
    live.command("Migrate", "true");
    live.deploy().succeeded();
    let load = Load::on(&live, "/", 2, says_a_version);
    let steps = [
        "checkout",
        "build",
        "plan",
        "start",
        "self-test",
        "gate",
        "switch",
        "retire",
    ];
    for (index, step) in steps.iter().enumerate() {
        let version = (index + 2).to_string();
        next_version(&repo, &version);
        let before = live.serving();
        let deployment = live.trigger(json!({}));
        deployment.until_event(step, |event| {
            event["kind"] == "step.started" && event["data"]["step"] == *step
        });
        ship.kill_serve();
        ship.serve();
        let deployment = deployment.ended();
        match deployment.now()["status"].as_str() {
            Some("succeeded") => assert_eq!(live.serving(), Some(deployment.id.clone())),
            _ => {
                deployment.failed("release", "interrupted");
                assert_eq!(live.serving(), before);
            }
        }
        load.until_answered(10);
    }
    load.stop().assert_none_failed();
    let serving = live.serving().expect("a deployment");
    let ours = format!("SHIPWAY_APP={}", live.app);
    let own = format!("SHIPWAY_DEPLOYMENT={serving}");
    assert_eq!(
        processes_with(&ours),
        processes_with(&own),
        "only what serves is left"
    );
}

#[test]
fn who_follows_a_deployment_hears_every_line_once_though_the_engine_is_killed() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    live.deploy().succeeded();
    live.command_with(json!({"label": "Slow", "run": "echo begun; sleep 3", "phase": "after"}));
    let (cli, place, first) = (ship.cli(), live.key(), live.serving());
    std::thread::scope(|scope| {
        let following = scope.spawn(|| cli.run(&["deploy", &place]));
        let latest = || live.status()["latest"]["id"].as_str().map(str::to_owned);
        until_true("the command runs", Duration::from_secs(60), || {
            let id = latest().filter(|id| Some(id) != first.as_ref());
            id.is_some_and(|id| Deployment::new(&ship, id).log().contains("begun"))
        });
        ship.kill_serve();
        live.ship.serve();
        let ran = following.join().expect("the follower");
        assert_eq!(ran.code, 0, "{ran:#?}");
        for line in [
            "===== git checkout =====",
            "===== deployment succeeded =====",
        ] {
            assert_eq!(
                ran.stdout.matches(line).count(),
                1,
                "{line}: {}",
                ran.stdout
            );
        }
        let log = Deployment::new(&ship, latest().expect("a deployment")).log();
        assert!(
            ran.stdout.contains(&log),
            "{}\n--- and the log ---\n{log}",
            ran.stdout
        );
    });
}

#[test]
fn a_second_engine_on_the_same_state_is_refused() {
    let Some(ship) = Ship::start() else { return };
    let state = ship.state_dir().to_str().expect("a path").to_owned();
    let listen = shipway_tests::ship::free_address().to_string();
    let ran = ship
        .cli()
        .run(&["serve", "--state-dir", &state, "--listen", &listen]);
    assert_ne!(ran.code, 0);
    assert!(
        ran.stderr.contains("another `shipway serve` runs"),
        "{ran:?}"
    );
}

fn says_a_version(answer: &Answer) -> Result<String, String> {
    match (answer.status, answer.text().strip_prefix("version ")) {
        (200, Some(version)) => Ok(version.trim().to_owned()),
        _ => Err(format!("{}: {}", answer.status, answer.text())),
    }
}

fn addresses(status: &serde_json::Value) -> Vec<String> {
    let instances = status["serving"]["instances"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    instances
        .iter()
        .filter_map(|one| one["address"].as_str().map(str::to_owned))
        .collect()
}
