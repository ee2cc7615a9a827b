//! What an app finds in its environment: `docs/variables.md` to the letter.

use std::collections::BTreeMap;

use serde_json::json;
use shipway_tests::app::Environment;
use shipway_tests::parts;
use shipway_tests::repo::Repo;
use shipway_tests::ship::Ship;

use crate::apps::{next_version, on_static_image, quick};

/// What differs from one process to the next by its nature.
const OWN: [&str; 8] = [
    "PORT", "HOME", "HOSTNAME", "TMPDIR", "PWD", "OLDPWD", "SHLVL", "_",
];

type Variables = BTreeMap<String, String>;

#[test]
fn a_gate_command_has_the_running_apps_environment_values_included() {
    let Some(ship) = Ship::start_with(&[("ENGINES_OWN", "not for apps")]) else {
        return;
    };
    let repo = Repo::of("tests/apps/tiny");
    let live = ship
        .app("tiny", &repo)
        .environment("live", quick("process"));
    live.change(json!({"volumes": [{"name": "some-files", "path": "/data"}]}));
    // Before Python, since wrappers around it add variables of their own.
    let seen = ship.state_dir().join("seen");
    let command = format!("env > {}; exec python3 serve.py", seen.display());
    live.change(json!({"processes": {"web": {"command": command}}}));
    same_in_gate_and_app(&live, &repo, |live| {
        let seen = live.ship.state_dir().join("seen");
        read(&std::fs::read_to_string(seen).expect("what the app saw"))
    });
}

#[test]
fn a_gate_container_has_the_running_apps_environment_values_included() {
    let Some(()) = parts::image(parts::STATIC_IMAGE) else {
        return;
    };
    let Some(ship) = Ship::start_with(&[("ENGINES_OWN", "not for apps")]) else {
        return;
    };
    let repo = Repo::of("tests/apps/tiny-image");
    let live = ship
        .app("tiny", &repo)
        .environment("live", on_static_image());
    let command = "env > site/env; trap 'kill %1; exit 0' TERM; httpd -f -p $PORT -h site & wait";
    live.change(json!({
        "volumes": [{"name": "some-files", "path": "/data"}],
        "processes": {"web": {"command": command}},
    }));
    same_in_gate_and_app(&live, &repo, |live| read(&live.get("/env").text()));
}

fn same_in_gate_and_app(
    live: &Environment<'_>,
    repo: &Repo,
    app: fn(&Environment<'_>) -> Variables,
) {
    live.variable("GREETING", "hello  there = you")
        .secret("API_KEY", "k-1$HOME`x`");
    live.variable("CONTAINER_VERSION", "a lie")
        .variable("SHIPWAY_APP", "another lie");
    for phase in ["release", "gate", "after"] {
        live.command_with(
            json!({"label": phase, "run": "echo BEGIN; env; echo END", "phase": phase}),
        );
    }
    let deployment = live.deploy();
    deployment.succeeded();
    let runtime = deployment.plan()["runtime"]
        .as_str()
        .expect("a runtime")
        .to_owned();
    let commit = repo.git(&["rev-parse", "HEAD"]);

    let app = app(live);
    for (name, value) in [
        ("GREETING", "hello  there = you"),
        ("API_KEY", "k-1$HOME`x`"),
        ("CONTAINER_VERSION", &commit),
        ("SHIPWAY_COMMIT", &commit),
        ("SHIPWAY_APP", &live.app),
        ("SHIPWAY_ENVIRONMENT", "live"),
        ("SHIPWAY_DEPLOYMENT", &deployment.id),
        ("SHIPWAY_PHASE", "run"),
    ] {
        assert_eq!(
            app.get(name).map(String::as_str),
            Some(value),
            "{name} in {app:?}"
        );
    }
    assert!(
        app.contains_key("PORT") && app.contains_key("SHIPWAY_VOLUME_SOME_FILES"),
        "{app:?}"
    );
    assert!(!app.contains_key("ENGINES_OWN"), "{app:?}");

    let gate = read(&deployment.section(&format!("{runtime} gate commands")));
    assert_eq!(
        gate.keys().collect::<Vec<_>>(),
        app.keys().collect::<Vec<_>>()
    );
    assert_eq!(shared(&gate), shared(&app));
    let release = read(&deployment.section(&format!("{runtime} release commands")));
    assert_eq!(release["SHIPWAY_PHASE"], "release");
    assert_eq!(release["GREETING"], app["GREETING"]);
    assert!(!release.contains_key("ENGINES_OWN"), "{release:?}");
    assert_eq!(
        read(&deployment.section("retire"))["SHIPWAY_PHASE"],
        "after"
    );
}

/// Without what differs by nature, and with secrets as a log shows them.
fn shared(variables: &Variables) -> Variables {
    let mut shared = variables.clone();
    // The process runtime gives each its own home, which PATH names too.
    let home = variables.get("HOME").map_or("~", String::as_str);
    if let Some(path) = shared.get_mut("PATH") {
        *path = path.replace(home, "~");
    }
    shared.retain(|name, _| !OWN.contains(&name.as_str()));
    shared.insert("API_KEY".to_owned(), "[secret]".to_owned());
    shared
}

/// The output of `env`, between BEGIN and END where these stand.
fn read(text: &str) -> Variables {
    let text = text.split_once("\nBEGIN\n").map_or(text, |(_, rest)| rest);
    let text = text.split("\nEND\n").next().unwrap_or(text);
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    pairs
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}

#[test]
fn a_volume_outlives_deployments() {
    let Some(ship) = Ship::start() else { return };
    let repo = Repo::of("tests/apps/tiny");
    let live = ship
        .app("tiny", &repo)
        .environment("live", quick("process"));
    live.change(json!({"volumes": [{"name": "data", "path": "/data"}]}));
    live.command(
        "Count",
        "echo x >> $SHIPWAY_VOLUME_DATA/count; echo runs: $(wc -l < $SHIPWAY_VOLUME_DATA/count)",
    );
    for run in 1..=3 {
        next_version(&repo, &run.to_string());
        let deployment = live.deploy();
        deployment.succeeded();
        let said = deployment.section("process release commands");
        assert!(said.contains(&format!("runs: {run}\n")), "{said}");
    }
}
