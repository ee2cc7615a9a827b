//! The command line: the README's way to a first deployment, exit codes, lines
//! for pipes, JSON for programs.

use serde_json::{Value, json};
use shipway_tests::cli::Cli;
use shipway_tests::repo::Repo;
use shipway_tests::ship::Ship;
use shipway_tests::{parts, wait};

use crate::apps::{next_version, serves, tiny};

#[test]
fn a_repository_of_ones_own_is_deployed_with_three_verbs() {
    let Some(ship) = Ship::start() else { return };
    let repo = Repo::of("tests/apps/tiny");
    let (cli, app) = (ship.cli(), ship.unique("hello"));
    let (place, domain) = (format!("{app}/live"), format!("{app}.localhost"));
    let path = repo.path().to_str().expect("a path");
    cli.ok(&["app", "create", &app, "--repository", path]);
    cli.ok(&[
        "env",
        "create",
        &place,
        "--runtime",
        "process",
        "--domain",
        &domain,
    ]);
    let ran = cli.ok(&["deploy", &place]);
    plain_lines(&ran.stdout);
    for shown in [
        "===== git checkout =====",
        "===== process start =====",
        "deployment succeeded",
    ] {
        assert!(ran.stdout.contains(shown), "{shown:?} in\n{}", ran.stdout);
    }
    assert_eq!(ship.get(&domain, "/").text(), "version 1\n");

    let status = cli.ok(&["status", &place]).stdout;
    assert!(
        status.contains(&repo.git(&["rev-parse", "--short=8", "HEAD"])[..7]),
        "{status}"
    );
    assert!(status.contains(&domain), "{status}");
    let history = cli.ok(&["history", &place]).stdout;
    assert!(
        history.contains("succeeded") && history.contains(&place),
        "{history}"
    );
    let log = cli.ok(&["logs", &place]).stdout;
    assert!(log.contains("===== deployment succeeded ====="), "{log}");
    assert!(ran.stdout.contains(&log), "what was followed is the log");
}

#[test]
fn exit_codes_tell_the_ending() {
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = tiny(&ship);
    let (cli, place) = (ship.cli(), live.key());
    assert_eq!(cli.run(&["deploy", &place]).code, 0);

    cli.ok(&[
        "release",
        "add",
        &place,
        "Migrate",
        "--",
        "echo no such table; exit 3",
    ]);
    next_version(&repo, "2");
    let failed = cli.run(&["deploy", &place]);
    assert_eq!(failed.code, 1, "{failed:#?}");
    plain_lines(&failed.stdout);
    let said = format!("{}{}", failed.stdout, failed.stderr);
    for shown in [
        "\"Migrate\" exited with code 3",
        "no such table",
        "goes on serving",
        "release-command",
    ] {
        assert!(said.contains(shown), "{shown:?} in\n{said}");
    }
    serves(&live, "1");
    assert_eq!(cli.run(&["logs", "--follow", &place]).code, 1);

    cli.ok(&["release", "remove", &place, "Migrate"]);
    cli.ok(&["release", "add", &place, "Long", "--", "sleep 600"]);
    let started = cli.json(&["deploy", &place, "--no-follow", "--json"]);
    let id = started["id"].as_str().expect("an id").to_owned();
    let deployment = shipway_tests::deployment::Deployment::new(&ship, id.clone());
    deployment.until_event("command.started", |event| {
        event["kind"] == "command.started"
    });
    cli.ok(&["cancel", &id]);
    assert_eq!(cli.run(&["logs", "-f", &id]).code, 3);

    assert_eq!(cli.run(&["deploy"]).code, 2, "wrong usage");
    assert_eq!(cli.run(&["deploy", "no-slash"]).code, 2);
    let unknown = cli.run(&["deploy", "nothing/live"]);
    assert_eq!(unknown.code, 4, "{unknown:?}");
    assert!(unknown.stderr.starts_with("error: "), "{unknown:?}");
}

#[test]
fn a_program_reads_json() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    let (cli, place) = (ship.cli(), live.key());
    let ran = cli.ok(&["deploy", &place, "--json"]);
    let events: Vec<Value> = ran
        .stdout
        .lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}")))
        .collect();
    assert_eq!(events.last().expect("events")["kind"], "deployment.ended");
    for (arguments, pointer) in [
        (vec!["app", "list"], "/0/name"),
        (vec!["env", "list", &live.app], "/0/name"),
        (vec!["env", "show", &place], "/runtime"),
        (vec!["status", &place], "/serving/deployment"),
        (vec!["history", &place], "/0/id"),
        (vec!["plan", &place], "/commit/id"),
        (vec!["token", "list"], "/0/name"),
    ] {
        let shown = cli.json(&[arguments.as_slice(), &["--json"]].concat());
        assert!(
            shown.pointer(pointer).is_some_and(Value::is_string),
            "{arguments:?}: {shown:#}"
        );
    }
    assert_eq!(cli.json(&["plugin", "list", "--json"]), json!([]));
}

#[test]
fn a_plugin_is_added_granted_and_shows_in_the_plan() {
    let Some(component) = parts::plugin("procfile") else {
        return;
    };
    let Some(ship) = Ship::start() else { return };
    let repo = Repo::of("tests/apps/tiny");
    repo.write(
        "Procfile",
        "web: exec python3 serve.py\nrelease: echo released\n",
    )
    .commit("A release");
    let live = ship
        .app("tiny", &repo)
        .environment("live", crate::apps::quick("process"));
    let cli = ship.cli();
    let file = ship.state_dir().join("procfile.wasm");
    std::fs::write(&file, component).expect("a file");
    let file = file.to_str().expect("a path");

    let shown = cli.ok(&["plugin", "inspect", file]).stdout;
    assert!(
        shown.contains("procfile") && shown.contains("release-source"),
        "{shown}"
    );
    cli.ok(&["plugin", "add", file]);
    // Nobody was there to grant anything: the plan says so, in the plugin's name.
    let ran = cli.run(&["plan", &live.key()]);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(
        said.contains("shipway plugin grant procfile --files"),
        "{ran:#?}"
    );

    cli.ok(&["plugin", "grant", "procfile", "--files", "Procfile"]);
    let plan = cli.ok(&["plan", &live.key()]).stdout;
    for shown in [
        "echo released",
        "release",
        "plugin procfile, Procfile line 2",
    ] {
        assert!(plan.contains(shown), "{shown:?} in\n{plan}");
    }
    let ran = cli.ok(&["deploy", &live.key()]);
    assert!(ran.stdout.contains("[1/1] echo released"), "{}", ran.stdout);
    cli.ok(&["plugin", "remove", "procfile", "--yes"]);
    let plan = cli.ok(&["plan", &live.key()]).stdout;
    assert!(!plan.contains("echo released"), "{plan}");
}

#[test]
fn settings_are_set_and_taken_back() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    let (cli, place) = (ship.cli(), live.key());
    cli.ok(&["env", "set", &place, "--instances", "2", "--drain", "3s"]);
    let file = ship.state_dir().join("key");
    std::fs::write(&file, "k-98765-secret\n").expect("a file");
    cli.ok(&["var", "set", &place, "GREETING=hello"]);
    cli.ok(&[
        "var",
        "set",
        "--secret",
        &place,
        "API_KEY",
        "--file",
        file.to_str().expect("a path"),
    ]);
    let listed = cli.ok(&["var", "list", &place]).stdout;
    assert!(
        listed.contains("GREETING") && listed.contains("hello") && listed.contains("API_KEY"),
        "{listed}"
    );
    assert!(!listed.contains("k-98765"), "{listed}");
    cli.ok(&["deploy", &place]);
    let environment = live.get("/env").json();
    assert_eq!(
        (&environment["GREETING"], &environment["API_KEY"]),
        (&json!("hello"), &json!("k-98765-secret"))
    );
    assert_eq!(
        live.status()["serving"]["instances"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    cli.ok(&["var", "unset", &place, "GREETING"]);
    let listed = cli.ok(&["var", "list", &place]).stdout;
    assert!(!listed.contains("GREETING"), "{listed}");
}

#[test]
fn an_engine_that_is_not_there_and_a_token_that_is_wrong() {
    let Some(ship) = Ship::start() else { return };
    ship.kill_serve();
    let ran = ship.cli().run(&["app", "list"]);
    assert_eq!(ran.code, 4);
    assert!(
        ran.stderr.contains("shipway serve"),
        "what to do is said: {ran:?}"
    );
    assert!(ran.stdout.is_empty(), "{ran:?}");

    ship.serve();
    let wrong = ship.state_dir().join("wrong");
    let text = std::fs::read_to_string(ship.credentials()).expect("the credentials");
    std::fs::write(
        &wrong,
        text.replace(&ship.token, &format!("shipway_{}", "0".repeat(64))),
    )
    .expect("a file");
    let ran = Cli::new(&wrong, ship.state_dir()).run(&["app", "list"]);
    assert_eq!(ran.code, 4);
    assert!(ran.stderr.contains("token"), "{ran:?}");
}

#[test]
fn deleting_an_app_stops_it_everywhere() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    live.deploy().succeeded();
    let address = live.status()["serving"]["instances"][0]["address"]
        .as_str()
        .expect("an address")
        .to_owned();
    let cli = ship.cli();
    let asked = cli.run(&["app", "delete", &live.app]);
    assert_ne!(asked.code, 0, "nobody said yes: {asked:?}");
    serves(&live, "1");
    cli.ok(&["app", "delete", &live.app, "--yes"]);
    assert_eq!(live.get("/").status, 404);
    wait::until_true(
        "the instance is gone",
        std::time::Duration::from_secs(20),
        || std::net::TcpStream::connect(&address).is_err(),
    );
    assert_eq!(cli.json(&["app", "list", "--json"]), json!([]));
}

/// No colour, no cursor: what a pipe should have.
#[track_caller]
fn plain_lines(text: &str) {
    assert!(!text.contains('\u{1b}') && !text.contains('\r'), "{text:?}");
}
