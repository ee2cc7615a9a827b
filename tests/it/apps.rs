//! The apps that the tests deploy, and the settings that make them quick.

use serde_json::{Value, json};
use shipway_tests::app::Environment;
use shipway_tests::parts;
use shipway_tests::repo::Repo;
use shipway_tests::ship::Ship;

/// Settings of an environment that proves itself quickly, or not at all.
pub fn quick(runtime: &str) -> Value {
    json!({
        "runtime": runtime,
        "processes": {"web": {"health": {"tries": 25}}},
        "drain_seconds": 5,
    })
}

/// The quick app on the process runtime.
pub fn tiny(ship: &Ship) -> (Repo, Environment<'_>) {
    let repo = Repo::of("tests/apps/tiny");
    let environment = ship
        .app("tiny", &repo)
        .environment("live", quick("process"));
    (repo, environment)
}

/// The quick app on Docker, whose base image is the static one.
pub fn tiny_image(ship: &Ship) -> (Repo, Environment<'_>) {
    let repo = Repo::of("tests/apps/tiny-image");
    let environment = ship
        .app("tiny", &repo)
        .environment("live", on_static_image());
    (repo, environment)
}

pub fn on_static_image() -> Value {
    let mut settings = quick("docker");
    settings["build"] = json!({"args": {"BASE_IMAGE": parts::STATIC_IMAGE}});
    settings
}

/// The next version of a tiny app.
pub fn next_version(repo: &Repo, version: &str) -> String {
    repo.write("version", version)
        .write("site/index.html", &format!("version {version}\n"));
    repo.commit(&format!("Version {version}"))
}

/// The site answers with this version.
#[track_caller]
pub fn serves(environment: &Environment<'_>, version: &str) {
    let answer = environment.get("/");
    assert_eq!(
        (answer.status, answer.text().trim()),
        (200, format!("version {version}").as_str())
    );
}

/// All text of a failure that a person reads: message, hint, last lines.
pub fn said(failure: &Value) -> String {
    let lines = failure["last_lines"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let lines: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
    format!(
        "{}\n{}\n{}",
        failure["message"].as_str().unwrap_or_default(),
        failure["hint"].as_str().unwrap_or_default(),
        lines.join("\n")
    )
}
