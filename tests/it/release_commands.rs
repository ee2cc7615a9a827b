//! Release commands of settings, file and plugin: their order, their shells,
//! their endings, their undo.

use serde_json::{Value, json};
use shipway_tests::app::Environment;
use shipway_tests::deployment::Deployment;
use shipway_tests::parts;
use shipway_tests::repo::Repo;
use shipway_tests::ship::Ship;

use crate::apps::{next_version, quick, said, serves, tiny, tiny_image};

#[test]
fn settings_come_first_then_the_file_then_plugins_each_under_its_label() {
    let Some(ship) = Ship::start_with_plugins(&["procfile"]) else {
        return;
    };
    let repo = Repo::of("tests/apps/tiny");
    repo.write(
        "Procfile",
        "web: exec python3 serve.py\nrelease: echo from the Procfile\n",
    );
    repo.write("shipway.toml", FILE);
    repo.commit("Commands of its own");
    let live = ship
        .app("tiny", &repo)
        .environment("live", quick("process"));
    live.command("First of the settings", "echo one; exit 0");
    live.command("Second of the settings", "echo two");
    live.command_with(json!({"label": "Before both", "run": "echo zero", "position": 1}));

    let deployment = live.deploy();
    deployment.succeeded();
    let plan = deployment.plan();
    let commands = plan["commands"].as_array().expect("commands");
    let listed: Vec<(&str, &str)> = commands
        .iter()
        .map(|one| {
            (
                text(&one["label"]),
                text(&one["provenance"]["origin"]["type"]),
            )
        })
        .collect();
    assert_eq!(
        listed,
        [
            ("Before both", "settings"),
            ("First of the settings", "settings"),
            ("Second of the settings", "settings"),
            ("Of the file", "file"),
            ("A list of arguments", "file"),
            ("echo from the Procfile", "plugin"),
        ]
    );
    let log = deployment.section("process release commands");
    in_order(
        &log,
        &[
            "[1/6] Before both",
            "zero",
            "[2/6] First of the settings",
            "$ echo one; exit 0",
            "one",
            "[3/6] Second of the settings",
            "two",
            "[4/6] Of the file",
            "from the file",
            "[5/6] A list of arguments",
            "$NOT_A_SHELL",
            "[6/6] echo from the Procfile",
            "from the Procfile",
        ],
    );
}

const FILE: &str = r#"
[[release]]
label = "Of the file"
run = "echo from the file"
[[release]]
label = "A list of arguments"
run = ["echo", "$NOT_A_SHELL"]
"#;

#[test]
fn each_command_has_a_shell_of_its_own_in_one_container() {
    let Some(()) = parts::image(parts::STATIC_IMAGE) else {
        return;
    };
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny_image(&ship);
    live.command(
        "Leave something",
        "cd /tmp; export LEFT=over; touch here; hostname > host; exit 0",
    );
    live.command(
        "Find it",
        "test -e /tmp/here && test \"$(cat /tmp/host)\" = \"$(hostname)\" && pwd",
    );
    live.command("Not the variable", "test -z \"$LEFT\" && echo clean");
    let deployment = live.deploy();
    deployment.succeeded();
    let log = deployment.section("docker release commands");
    in_order(
        &log,
        &["[2/3] Find it", "/srv", "[3/3] Not the variable", "clean"],
    );
}

#[test]
fn a_command_that_exits_3_ends_the_deployment_with_its_last_lines() {
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = tiny(&ship);
    live.deploy().succeeded();
    let second = failing(
        &repo,
        &live,
        json!({"label": "Check", "run": "echo looking; echo nothing good >&2; exit 3"}),
    );
    let failure = second.failed("release", "release-command");
    assert_eq!(failure["command"], "Check");
    assert_eq!(failure["exit_code"], 3);
    assert_eq!(
        said(&failure).matches("nothing good").count(),
        1,
        "{failure:#}"
    );
    let log = second.log();
    in_order(
        &log,
        &[
            "looking",
            "===== deployment failed =====",
            "failed at: release (release-command)",
            "because:   \"Check\" exited with code 3",
            "last lines:",
            "  | nothing good",
            "goes on serving",
        ],
    );
    serves(&live, "1");
}

#[test]
fn a_command_that_is_not_found_says_so() {
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = tiny(&ship);
    live.deploy().succeeded();
    let second = failing(
        &repo,
        &live,
        json!({"label": "Typo", "run": "mirgate --all"}),
    );
    let failure = second.failed("release", "release-command");
    assert_eq!(failure["exit_code"], 127);
    assert!(
        text(&failure["message"]).contains("command not found"),
        "{failure:#}"
    );
    assert!(said(&failure).contains("mirgate"), "{failure:#}");

    live.ship
        .api
        .delete(&live.path("/release-commands/Typo"))
        .ok();
    let third = failing(
        &repo,
        &live,
        json!({"label": "No shell", "run": ["mirgate", "--all"]}),
    );
    let failure = third.failed("release", "release-command");
    assert_eq!(failure["command"], "No shell");
    assert!(
        said(&failure).contains("could not be started") || failure["exit_code"] == 127,
        "{failure:#}"
    );
    serves(&live, "1");
}

#[test]
fn a_command_that_is_killed_says_by_what() {
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = tiny(&ship);
    live.deploy().succeeded();
    let second = failing(
        &repo,
        &live,
        json!({"label": "Killed", "run": "echo alive; kill -9 $$"}),
    );
    let failure = second.failed("release", "release-command");
    let said = said(&failure);
    assert!(
        said.contains("signal 9") || said.contains("137"),
        "{failure:#}"
    );
    assert!(said.contains("alive"), "{failure:#}");
    serves(&live, "1");
}

#[test]
fn a_command_that_never_ends_is_stopped_at_its_limit() {
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = tiny(&ship);
    live.deploy().succeeded();
    let command = json!({"label": "Waits", "run": "echo waiting; sleep 600", "timeout_seconds": 1});
    let second = failing(&repo, &live, command);
    let failure = second.failed("release", "timeout");
    assert_eq!(failure["command"], "Waits");
    assert!(
        text(&failure["message"]).contains("passed its limit of 1 s"),
        "{failure:#}"
    );
    assert!(said(&failure).contains("waiting"), "{failure:#}");
    serves(&live, "1");
}

#[test]
fn on_docker_each_bad_end_is_told_apart() {
    let Some(()) = parts::image(parts::STATIC_IMAGE) else {
        return;
    };
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = tiny_image(&ship);
    live.deploy().succeeded();
    let cases = [
        (
            json!({"label": "Exits", "run": "echo out; echo err >&2; exit 3"}),
            "release-command",
            "exited with code 3",
        ),
        (
            json!({"label": "Typo", "run": "mirgate"}),
            "release-command",
            "command not found",
        ),
        (
            json!({"label": "Killed", "run": "kill -9 $$"}),
            "release-command",
            "killed",
        ),
        (
            json!({"label": "Waits", "run": "sleep 600", "timeout_seconds": 1}),
            "timeout",
            "passed its limit of 1 s",
        ),
    ];
    for (command, reason, words) in cases {
        let label = text(&command["label"]).to_owned();
        let deployment = failing(&repo, &live, command);
        let failure = deployment.failed("release", reason);
        assert!(text(&failure["message"]).contains(words), "{failure:#}");
        live.ship
            .api
            .delete(&live.path(&format!("/release-commands/{label}")))
            .ok();
        serves(&live, "1");
    }
}

#[test]
fn what_ran_is_undone_in_reverse_when_a_later_step_fails() {
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = tiny(&ship);
    live.deploy().succeeded();
    let notes = ship.state_dir().join("notes");
    let note = |word: &str| format!("echo {word} >> {}", notes.display());
    live.command_with(json!({"label": "A", "run": note("a"), "undo": note("undo-a")}));
    live.command_with(json!({"label": "B", "run": note("b")}));
    live.command_with(
        json!({"label": "C", "run": note("c"), "undo": format!("{}; exit 9", note("undo-c"))}),
    );
    live.command_with(json!({"label": "Tell", "run": note("failed"), "phase": "failed"}));
    live.command_with(json!({"label": "Not now", "run": note("after"), "phase": "after"}));
    repo.write("behaviour", "answer-503");
    next_version(&repo, "2");

    let second = live.deploy();
    second.failed("start", "unhealthy");
    assert_eq!(read(&notes), ["a", "b", "c", "undo-c", "undo-a", "failed"]);
    let ending = second.ending();
    assert_eq!(ending["release_commands_ran"], json!(["A", "B", "C"]));
    assert_eq!(ending["undone"], json!(["A"]));
    assert_eq!(ending["undo_failed"], json!(["C"]));
    let log = second.log();
    for shown in [
        "the data may be ahead of the code",
        "(B, C)",
        "the undo of C failed",
    ] {
        assert!(log.contains(shown), "{shown:?} in\n{log}");
    }
    serves(&live, "1");
}

#[test]
fn after_commands_run_once_the_new_version_serves_and_cannot_fail_it() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    let host = &live.domain;
    let ask = format!(
        "python3 -c 'import http.client as h; c = h.HTTPConnection(\"{}\"); c.request(\"GET\", \"/\", \
         headers={{\"Host\": \"{host}\"}}); print(\"it says\", c.getresponse().read().decode())'",
        ship.proxy
    );
    live.command_with(json!({"label": "Ask the site", "run": ask, "phase": "after"}));
    live.command_with(json!({"label": "Fails late", "run": "exit 5", "phase": "after"}));
    live.command_with(json!({"label": "Only on failure", "run": "echo never", "phase": "failed"}));
    let deployment = live.deploy();
    deployment.succeeded();
    assert!(
        deployment.section("retire").contains("it says version 1"),
        "{}",
        deployment.log()
    );
    assert!(!deployment.log().contains("never"));
    let problems = deployment.output("retire")["problems"].to_string();
    assert!(
        problems.contains("Fails late") && problems.contains("code 5"),
        "{problems}"
    );
}

#[test]
fn a_command_for_the_first_deployment_runs_once() {
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = tiny(&ship);
    live.command_with(json!({"label": "Seed", "run": "echo seeding", "when": "first-deploy"}));
    let first = live.deploy();
    first.succeeded();
    assert_eq!(first.commands_finished(), ["Seed"]);
    next_version(&repo, "2");
    let second = live.deploy();
    second.succeeded();
    assert!(second.commands_finished().is_empty());
    assert!(second.log().contains("Seed is not due in this deployment"));
}

/// Deploys a next version with one more command, which fails.
fn failing<'a>(repo: &Repo, live: &Environment<'a>, command: Value) -> Deployment<'a> {
    live.command_with(command);
    next_version(repo, "2");
    live.deploy()
}

#[track_caller]
fn in_order(text: &str, parts: &[&str]) {
    let mut rest = text;
    for part in parts {
        let Some((_, after)) = rest.split_once(part) else {
            panic!("{part:?} is missing, or out of order, in\n{text}")
        };
        rest = after;
    }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn read(file: &std::path::Path) -> Vec<String> {
    std::fs::read_to_string(file)
        .unwrap_or_default()
        .lines()
        .map(str::to_owned)
        .collect()
}
