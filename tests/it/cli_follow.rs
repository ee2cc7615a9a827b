//! Following a deployment: the list of steps on a terminal, plain lines
//! elsewhere, an engine that is killed in the middle, and Ctrl-C.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use shipway_tests::app::Environment;
use shipway_tests::cli::Ran;
use shipway_tests::deployment::Deployment;
use shipway_tests::parts;
use shipway_tests::ship::Ship;
use shipway_tests::wait::until;

use crate::apps::tiny;

/// A release command that prints lines until it is let go.
struct Gate(PathBuf);

impl Gate {
    fn on(live: &Environment<'_>) -> Self {
        let file = live.ship.state_dir().join("go");
        let _ = std::fs::remove_file(&file);
        live.command(
            "Count",
            &format!(
                "i=0; while [ ! -e {} ]; do i=$((i+1)); echo \"line $i\"; sleep 0.02; done; echo the last line",
                file.display()
            ),
        );
        Self(file)
    }

    fn open(&self) {
        std::fs::write(&self.0, "").expect("a file");
    }
}

fn newest<'a>(live: &Environment<'a>) -> Deployment<'a> {
    let id = until("there is a deployment", Duration::from_secs(60), || {
        live.status()["latest"]["id"].as_str().map(str::to_owned)
    });
    Deployment::new(live.ship, id)
}

#[test]
fn a_terminal_shows_what_runs_and_folds_what_is_done() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    let gate = Gate::on(&live);
    let mut terminal = ship.cli().at_terminal(&["deploy", &live.key()]);
    terminal.until_shown("[1/1] Count");
    terminal.until_shown("| line 7");
    let screen = terminal.screen();
    assert!(
        screen.contains("✓ checkout")
            && screen.contains("✓ build")
            && !screen.contains("✓ release"),
        "{screen}"
    );
    // The last lines alone are shown, and time passes.
    terminal.until("the first lines are gone", |screen| {
        !screen.contains("| line 1 ")
    });
    terminal.until_shown("2s");
    gate.open();
    assert_eq!(terminal.ended(), 0);
    let screen = terminal.screen();
    for shown in [
        "✓ Count",
        "✓ release",
        "✓ switch",
        "✓ retire",
        "deployment succeeded",
    ] {
        assert!(screen.contains(shown), "{shown:?} on\n{screen}");
    }
    assert!(
        !screen.contains("| line") && !screen.contains("====="),
        "what is done is folded:\n{screen}"
    );
}

#[test]
fn a_failure_on_a_terminal_shows_its_last_lines_and_where_the_log_is() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    live.command("Migrate", "echo no such table; exit 3");
    let mut terminal = ship.cli().at_terminal(&["deploy", &live.key()]);
    assert_eq!(terminal.ended(), 1);
    let screen = terminal.screen();
    for shown in [
        "✗ Migrate",
        "✗ release",
        "release-command",
        "| no such table",
        "the whole log: shipway logs",
    ] {
        assert!(screen.contains(shown), "{shown:?} on\n{screen}");
    }
}

#[test]
fn a_terminal_gets_plain_lines_when_that_is_wished() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    let cli = ship.cli();
    let key = live.key();
    for (arguments, cli) in [
        (vec!["deploy", key.as_str(), "--no-progress"], cli.clone()),
        (
            vec!["deploy", key.as_str()],
            cli.with_variable("CI", "true"),
        ),
        (
            vec!["deploy", key.as_str()],
            cli.with_variable("TERM", "dumb"),
        ),
    ] {
        let mut terminal = cli.at_terminal(&arguments);
        assert_eq!(terminal.ended(), 0);
        let bytes = terminal.bytes();
        assert!(!bytes.contains('\u{1b}'), "{arguments:?}: {bytes:?}");
        assert!(bytes.contains("===== git checkout ====="), "{bytes:?}");
    }
}

#[test]
fn an_engine_that_is_killed_loses_no_line_and_repeats_none() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    let gate = Gate::on(&live);
    let (cli, key) = (ship.cli(), live.key());
    let mut terminal = cli.at_terminal(&["deploy", &key]);
    terminal.until_shown("| line 3");
    let id = newest(&live).id;
    let follower = |arguments: [&'static str; 3]| {
        let (cli, id) = (cli.clone(), id.clone());
        thread::spawn(move || cli.run(&[arguments.as_slice(), &[&id]].concat()))
    };
    let text = follower(["logs", "-f", "--no-progress"]);
    let lines = follower(["logs", "-f", "--json"]);
    let events = follower(["events", "-f", "--json"]);

    for _ in 0..2 {
        let before = newest(&live).log().lines().count();
        until("the log grows", Duration::from_secs(60), || {
            (newest(&live).log().lines().count() > before + 5).then_some(())
        });
        ship.kill_serve();
        terminal.until_shown("connection lost, trying again");
        ship.serve();
        terminal.until("it is there again", |screen| {
            !screen.contains("connection lost")
        });
    }
    gate.open();
    assert_eq!(terminal.ended(), 0, "{}", terminal.screen());
    let screen = terminal.screen();
    for step in ["✓ checkout", "✓ release", "✓ retire"] {
        assert_eq!(screen.matches(step).count(), 1, "{step} on\n{screen}");
    }
    let of = |thread: thread::JoinHandle<Ran>| thread.join().expect("it ran");
    let whole = newest(&live).log();
    let (text, lines, events) = (of(text), of(lines), of(events));
    assert!(text.stderr.contains("connection lost"), "{}", text.stderr);
    assert_eq!(text.stdout, format!("{whole}deployment succeeded\n"));
    let parsed = |ran: &Ran| -> Vec<Value> {
        assert_eq!(ran.code, 0, "{ran:#?}");
        ran.stdout
            .lines()
            .map(|line| serde_json::from_str(line).expect("JSON"))
            .collect()
    };
    let texts: Vec<String> = parsed(&lines)
        .iter()
        .map(|line| line["text"].as_str().expect("text").to_owned())
        .collect();
    assert_eq!(texts, whole.lines().collect::<Vec<_>>());
    assert_eq!(parsed(&events), newest(&live).events());
}

#[test]
fn ctrl_c_asks_and_detaches_or_cancels() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    let gate = Gate::on(&live);
    let cli = ship.cli();
    let mut terminal = cli.at_terminal(&["deploy", &live.key()]);
    terminal.until_shown("| line 3");
    terminal.interrupt();
    terminal.until_shown("d: detach   c: cancel");
    // It is followed on, and nothing moves below the question.
    terminal.type_keys("\n");
    terminal.until("it is followed on", |screen| {
        screen
            .rsplit("c: cancel")
            .next()
            .is_some_and(|below| below.contains("| line"))
    });
    terminal.interrupt();
    terminal.until("it asks again", |screen| {
        screen.matches("c: cancel").count() == 2
    });
    terminal.interrupt();
    assert_eq!(terminal.ended(), 130);
    let detached = newest(&live);
    let follow = format!("to follow it: shipway logs -f {}", detached.id);
    assert!(terminal.screen().contains(&follow), "{}", terminal.screen());
    assert!(detached.now()["ending"].is_null(), "it goes on");

    let mut terminal = cli.at_terminal(&["logs", "-f", &detached.id]);
    terminal.until_shown("line 3");
    terminal.interrupt();
    terminal.until_shown("c: cancel");
    terminal.type_keys("c\n");
    assert_eq!(terminal.ended(), 3, "{}", terminal.screen());
    assert!(
        terminal.screen().contains("asked it to stop"),
        "{}",
        terminal.screen()
    );
    assert_eq!(detached.now()["status"], "cancelled");
    gate.open();
}

#[test]
fn an_interrupted_job_detaches_and_says_how_to_go_on() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    let gate = Gate::on(&live);
    for signal in ["-INT", "-TERM"] {
        let child = Command::new(parts::shipway())
            .args(["deploy", &live.key(), "--idempotency-key", "one"])
            .env("SHIPWAY_CREDENTIALS", ship.credentials())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("shipway starts");
        newest(&live).until_event("command.started", |event| {
            event["kind"] == "command.started"
        });
        let pid = child.id().to_string();
        // It may not listen yet: until then the signal ends it without a word.
        shipway_tests::machine::until_catches(child.id());
        let sent = Command::new("kill").args([signal, &pid]).status();
        assert!(sent.is_ok_and(|status| status.success()));
        let output = child.wait_with_output().expect("it ended");
        let said = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(130), "{said}");
        assert!(said.contains("the deployment goes on"), "{said}");
        assert!(said.contains("to cancel it: shipway cancel"), "{said}");
    }
    gate.open();
    newest(&live).ended().succeeded();
}

#[test]
fn a_detached_deploy_is_followed_later() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    let cli = ship.cli();
    let ran = cli.ok(&["deploy", &live.key(), "--detach"]);
    let id = ran
        .stdout
        .trim()
        .rsplit(' ')
        .next()
        .expect("an id")
        .to_owned();
    assert_eq!(cli.run(&["logs", "-f", &id]).code, 0);
    let made = cli.json(&["deploy", &live.key(), "--detach", "--json"]);
    assert!(made["id"].is_string(), "{made}");
    newest(&live).ended().succeeded();
}
