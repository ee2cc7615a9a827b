//! A Procfile app with Scalingo's `postdeploy: a && b`: a gate before the
//! switch, in exactly the running app's environment.

use serde_json::{Value, json};
use shipway_tests::app::Environment;
use shipway_tests::parts;
use shipway_tests::repo::Repo;
use shipway_tests::ship::Ship;

use crate::apps::said;

#[test]
fn postdeploy_gates_the_switch_on_processes() {
    let Some(ship) = Ship::start_with_plugins(&["procfile"]) else {
        return;
    };
    let markers = ship.state_dir().join("markers.jsonl");
    let settings = json!({"runtime": "process", "drain_seconds": 5});
    let variables = [("MARKERS_FILE", markers.to_str().expect("a path"))];
    postdeploy_gates_the_switch(&ship, settings, &variables);
}

#[test]
fn postdeploy_gates_the_switch_on_docker() {
    let Some(()) = parts::image(parts::PYTHON_IMAGE) else {
        return;
    };
    let Some(ship) = Ship::start_with_plugins(&["procfile"]) else {
        return;
    };
    let settings = json!({
        "runtime": "docker",
        "drain_seconds": 5,
        "build": {"args": {"PYTHON_IMAGE": parts::PYTHON_IMAGE}},
        "volumes": [{"name": "data", "path": "/data"}],
    });
    postdeploy_gates_the_switch(&ship, settings, &[]);
}

fn postdeploy_gates_the_switch(ship: &Ship, settings: Value, variables: &[(&str, &str)]) {
    let runtime = settings["runtime"].as_str().expect("a runtime").to_owned();
    let repo = Repo::of("examples/apps/scalingo-app/v1");
    let live = ship.app("scalingo", &repo).environment("live", settings);
    live.change(json!({"plugins": {"release-sources": ["procfile"]}}));
    live.plugin_setting("procfile", "platform", "scalingo");
    live.variable("GREETING", "hello there")
        .secret("API_KEY", "k-123456-secret");
    for (name, value) in variables {
        live.variable(name, value);
    }

    let first = live.deploy();
    first.succeeded();
    let command = &first.plan()["commands"][0];
    assert_eq!(command["phase"], "gate");
    assert_eq!(
        command["run"],
        "python3 tasks.py refresh && python3 tasks.py announce"
    );
    assert_eq!(command["timeout_seconds"], 1200);
    assert_eq!(command["provenance"]["file"], "Procfile");
    let gate = first.section(&format!("{runtime} gate commands"));
    assert!(
        gate.contains("refreshing what version 1 shows") && gate.contains("is about to serve"),
        "{gate}"
    );
    same_environment_in_gate_and_app(&live);

    let ran = state(&live)["markers"].as_array().map_or(0, Vec::len);
    repo.copy("examples/apps/scalingo-app/broken")
        .commit("Version 2");
    let second = live.deploy();
    let failure = second.failed("gate", "hook-error");
    assert_eq!(failure["exit_code"], 3);
    let said = said(&failure);
    for shown in [
        "stock: 3 articles have no price",
        "version 2 must not serve",
    ] {
        assert!(said.contains(shown), "{failure:#}");
    }
    assert_eq!(second.ending()["serving"], json!(first.id));
    let now = state(&live);
    assert_eq!(now["version"], "1", "the old version goes on serving");
    assert_eq!(
        now["markers"].as_array().map_or(0, Vec::len),
        ran + 1,
        "`a` of `a && b` ran, `b` failed"
    );
    only_the_first_version_runs(&live, &first.id);
}

/// Names, not values: those of `PORT` and of what names the instance differ.
fn same_environment_in_gate_and_app(live: &Environment<'_>) {
    let state = state(live);
    assert_eq!(state["version"], "1");
    let in_app = names(&state["environment"]);
    for expected in [
        "PORT",
        "CONTAINER_VERSION",
        "GREETING",
        "API_KEY",
        "SHIPWAY_APP",
        "SHIPWAY_ENVIRONMENT",
        "SHIPWAY_DEPLOYMENT",
        "SHIPWAY_PHASE",
    ] {
        assert!(
            in_app.iter().any(|name| name == expected),
            "{expected} in {in_app:?}"
        );
    }
    let markers = state["markers"].as_array().expect("markers");
    let tasks: Vec<&str> = markers
        .iter()
        .filter_map(|marker| marker["task"].as_str())
        .collect();
    assert_eq!(tasks, ["refresh", "announce"]);
    for marker in markers {
        assert_eq!(names(&marker["environment"]), in_app);
        assert_eq!(marker["commit"], state["commit"]);
    }
}

fn only_the_first_version_runs(live: &Environment<'_>, deployment: &str) {
    let instances = live.status()["serving"].clone();
    assert_eq!(instances["deployment"], deployment);
    for _ in 0..10 {
        assert_eq!(state(live)["version"], "1");
    }
}

fn names(list: &Value) -> Vec<String> {
    // Each shell sets these for itself.
    let own = ["_", "PWD", "OLDPWD", "SHLVL", "LC_CTYPE"];
    let list = list.as_array().cloned().unwrap_or_default();
    list.iter()
        .filter_map(Value::as_str)
        .filter(|name| !own.contains(name))
        .map(str::to_owned)
        .collect()
}

fn state(live: &Environment<'_>) -> Value {
    live.get("/state").ok()
}
