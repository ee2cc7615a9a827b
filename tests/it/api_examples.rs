//! The examples in the API's description tell one story. It is told to a real
//! engine, whose answers must be those that stand there.
//!
//! `SHIPWAY_UPDATE_EXAMPLES=1` writes down what the engine answers now.

use std::collections::BTreeMap;
use std::path::PathBuf;

use reqwest::Method;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use shipway_tests::api::Answer;
use shipway_tests::deployment::Deployment;
use shipway_tests::parts;
use shipway_tests::repo::Repo;
use shipway_tests::ship::Ship;

/// What the story calls the repository.
const REPOSITORY: &str = "https://git.example.com/team/shop.git";
/// And where the engine keeps everything.
const STATE: &str = "/var/lib/shipway";
/// Git hosts sign what they deliver to it, so it has no example: see webhooks.rs.
const WITHOUT: &str = "deliver_webhook";

#[derive(Debug, Serialize, Deserialize)]
struct Example {
    operation: String,
    path: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    body: Option<Value>,
    /// A plugin that ships, sent as the body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    component: Option<String>,
    status: u16,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    answer: Option<Value>,
}

#[test]
fn every_example_is_what_a_real_engine_answers() {
    if parts::plugin("http-check").is_none() {
        return;
    }
    let Some(ship) = Ship::start() else { return };
    let repo = Repo::of("tests/apps/tiny");
    let mut story = Story::new(&ship, &repo);
    let text = std::fs::read_to_string(file()).expect("the examples");
    let mut examples: Vec<Example> = serde_json::from_str(&text).expect("examples");
    for example in &mut examples {
        story.tell(example);
    }
    if story.updates {
        let text = serde_json::to_string_pretty(&examples).expect("JSON");
        std::fs::write(file(), text + "\n").expect("the examples, written");
    }
    let mut missing: Vec<&String> = story.methods.keys().collect();
    missing.retain(|id| examples.iter().all(|example| example.operation != **id));
    assert_eq!(missing, [WITHOUT]);
}

fn file() -> PathBuf {
    parts::root().join("engine/api/src/openapi/examples.json")
}

struct Story<'a> {
    ship: &'a Ship,
    /// By the names of operations.
    methods: BTreeMap<String, Method>,
    /// What the examples call things, and what they are called here.
    names: Vec<(String, String)>,
    updates: bool,
}

impl<'a> Story<'a> {
    fn new(ship: &'a Ship, repo: &Repo) -> Self {
        let api = ship.api.get("/openapi.json").ok();
        let mut methods = BTreeMap::new();
        for item in api["paths"].as_object().expect("paths").values() {
            for (method, operation) in item.as_object().expect("operations") {
                let id = operation["operationId"].as_str().expect("an id").to_owned();
                methods.insert(id, method.to_uppercase().parse().expect("a method"));
            }
        }
        let repository = repo.path().display().to_string();
        let state = ship.state_dir().display().to_string();
        Self {
            ship,
            methods,
            names: vec![
                (REPOSITORY.to_owned(), repository),
                (STATE.to_owned(), state),
            ],
            updates: std::env::var_os("SHIPWAY_UPDATE_EXAMPLES").is_some(),
        }
    }

    fn tell(&mut self, example: &mut Example) {
        let what = format!("{} {}", example.operation, example.path);
        if example.operation == "cancel_deployment" {
            self.until_a_command_runs(&self.as_here(&example.path));
        }
        let answer = self.ask(example);
        assert_eq!(answer.status, example.status, "{what}: {}", answer.text());
        if !answer.header("content-type").contains("json") {
            return;
        }
        let live = answer.json();
        if let Some(told) = &example.answer {
            self.learn(told, &live);
        }
        let live: Value = serde_json::from_str(&self.as_told(&live.to_string())).expect("JSON");
        if self.updates {
            example.answer = Some(live);
            return;
        }
        let told = example.answer.clone().unwrap_or_default();
        assert_eq!(constant(&live), constant(&told), "{what}");
    }

    fn ask(&self, example: &Example) -> Answer {
        let method = self.methods[&example.operation].clone();
        let api = &self.ship.api;
        let mut request = api.request(method, &self.as_here(&example.path));
        if let Some(body) = &example.body {
            let body = self.as_here(&body.to_string());
            request = request
                .header("content-type", "application/json")
                .body(body);
        }
        if let Some(plugin) = &example.component {
            let component = parts::plugin(plugin).expect("a component");
            request = request
                .header("content-type", "application/wasm")
                .body(component);
        }
        api.send(request)
    }

    fn until_a_command_runs(&self, cancel: &str) {
        let id = cancel.split('/').nth(3).expect("an id").to_owned();
        let deployment = Deployment::new(self.ship, id);
        deployment.until_event("the command runs", |event| {
            event["kind"] == "command.started" && event["data"]["label"] == "Take a while"
        });
    }

    /// Ids differ from one engine to the next.
    fn learn(&mut self, told: &Value, live: &Value) {
        match (told, live) {
            (Value::Object(told), Value::Object(live)) => {
                for (key, told) in told {
                    self.learn(told, &live[key]);
                }
            }
            (Value::Array(told), Value::Array(live)) => {
                for (told, live) in told.iter().zip(live) {
                    self.learn(told, live);
                }
            }
            (Value::String(told), Value::String(live)) => {
                let known = self.names.iter().any(|(name, _)| name == told);
                if !known && told != live && is_id(told) && is_id(live) {
                    self.names.push((told.clone(), live.clone()));
                }
            }
            _ => {}
        }
    }

    fn as_here(&self, text: &str) -> String {
        let replaced = |text: String, (told, here): &(String, String)| text.replace(told, here);
        self.names.iter().fold(text.to_owned(), replaced)
    }

    fn as_told(&self, text: &str) -> String {
        let replaced = |text: String, (told, here): &(String, String)| text.replace(here, told);
        self.names.iter().fold(text.to_owned(), replaced)
    }
}

/// A digest, a commit, or the id of a deployment or a webhook.
fn is_id(text: &str) -> bool {
    let digits = text.strip_prefix("sha256:").unwrap_or(text);
    digits.len() >= 32 && digits.chars().all(|c| c.is_ascii_hexdigit() || c == '-')
}

/// Without what no two engines have in common: times, durations, sizes, ports,
/// how much a journal has, and what is shown once.
fn constant(value: &Value) -> Value {
    let of_field = |(key, value): (&String, &Value)| {
        let value = match (key.as_str(), value) {
            ("token" | "secret" | "version" | "address" | "used", Value::String(_)) => "…".into(),
            (_, Value::Number(_)) if measured(key) => 0.into(),
            _ => constant(value),
        };
        (key.clone(), value)
    };
    match value {
        Value::Object(fields) => fields.iter().map(of_field).collect(),
        Value::Array(items) => items.iter().map(constant).collect(),
        Value::String(text) if is_time(text) => "a time".into(),
        Value::String(text) => without_digests(text).into(),
        other => other.clone(),
    }
}

fn measured(key: &str) -> bool {
    key.ends_with("millis")
        || key.ends_with("_ms")
        || key.ends_with("bytes")
        || matches!(key, "port" | "size" | "sequence")
}

/// Names of images and instances are made of parts of commits and ids.
fn without_digests(text: &str) -> String {
    let parts = text.split_inclusive(|c: char| !c.is_ascii_alphanumeric());
    let is_digest = |part: &str| part.len() >= 12 && part.chars().all(|c| c.is_ascii_hexdigit());
    let part = |part: &str| {
        let word = part.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
        match is_digest(word) {
            true => part.replace(word, "…"),
            false => part.to_owned(),
        }
    };
    parts.map(part).collect()
}

fn is_time(text: &str) -> bool {
    text.len() >= 20 && text.ends_with('Z') && text.as_bytes().get(10) == Some(&b'T')
}
