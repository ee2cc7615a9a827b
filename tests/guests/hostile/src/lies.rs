//! Answers that no plugin may give.

use crate::bindings::exports::shipway::plugin::manifest;
use crate::bindings::exports::shipway::release::commands::{Collected, Invocation, ReleaseCommand};
use crate::bindings::exports::shipway::self_test::checks;
use crate::bindings::shipway::plugin::model::Provenance;

pub fn description(act: &str) -> manifest::Description {
    let name = match act {
        "bad-name" => "No Such Name!",
        _ => "hostile",
    };
    let summary = match act {
        "huge" => "x".repeat(8 << 20),
        _ => "Misbehaves on demand.".to_owned(),
    };
    manifest::Description {
        name: name.to_owned(),
        version: match act {
            "bad-version" => "newest".to_owned(),
            _ => "1.0.0".to_owned(),
        },
        summary,
        settings: match act {
            "eager" => settings().into_iter().chain(more_settings()).collect(),
            _ => settings(),
        },
        requests: match act {
            "eager" => requests().into_iter().chain(more_requests()).collect(),
            _ => requests(),
        },
        attributes: Vec::new(),
    }
}

fn settings() -> Vec<manifest::Setting> {
    let places = [
        "header:authorization",
        "header:x-token",
        "path",
        "query",
        "body",
        "url",
    ];
    vec![
        setting("act", false, &[]),
        setting("url", false, &["url"]),
        setting("token", true, &places),
    ]
}

fn requests() -> Vec<manifest::Request> {
    vec![
        request("files", &["**"]),
        request("image", &[]),
        request("http", &["setting:url"]),
    ]
}

/// What the tests of whole deployments set too.
fn more_settings() -> Vec<manifest::Setting> {
    let names = ["collector", "headers", "body", "method", "timeout"];
    names.map(|name| setting(name, false, &[])).to_vec()
}

/// All that is left to ask for.
fn more_requests() -> Vec<manifest::Request> {
    vec![
        request("variables", &["STAGE", "API_KEY"]),
        request("exec", &[]),
        request("http", &["setting:collector"]),
    ]
}

fn request(capability: &str, targets: &[&str]) -> manifest::Request {
    manifest::Request {
        capability: capability.to_owned(),
        targets: strings(targets),
        reason: "The tests need it.".to_owned(),
        attributes: Vec::new(),
    }
}

fn strings(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

fn setting(name: &str, secret: bool, places: &[&str]) -> manifest::Setting {
    manifest::Setting {
        name: name.to_owned(),
        summary: "What the tests set.".to_owned(),
        required: false,
        secret,
        places: strings(places),
        attributes: Vec::new(),
    }
}

pub fn collected(act: &str) -> Option<Collected> {
    let commands = match act {
        "honest" => vec![command()],
        "bad-phase" => vec![ReleaseCommand {
            phase: "lunch".to_owned(),
            ..command()
        }],
        "nul" => vec![ReleaseCommand {
            run: Invocation::Argv(vec!["a".to_owned(), "b\0c".to_owned()]),
            ..command()
        }],
        "many" => std::iter::repeat_with(command).take(65).collect(),
        "huge" => vec![ReleaseCommand {
            run: Invocation::Shell("x".repeat(8 << 20)),
            ..command()
        }],
        _ => return None,
    };
    Some(Collected {
        commands,
        skipped: Vec::new(),
        warnings: Vec::new(),
        attributes: Vec::new(),
    })
}

fn command() -> ReleaseCommand {
    ReleaseCommand {
        label: String::new(),
        run: Invocation::Shell("./migrate".to_owned()),
        phase: "release".to_owned(),
        entrypoint: "bypass".to_owned(),
        timeout_seconds: None,
        when: "always".to_owned(),
        undo: None,
        provenance: Provenance {
            file: "file".to_owned(),
            place: "line 1".to_owned(),
        },
        attributes: Vec::new(),
    }
}

pub fn report(act: &str) -> Option<checks::Report> {
    let check = |name: &str, outcome| checks::Check {
        name: name.to_owned(),
        outcome,
        message: "a\nb".to_owned(),
        duration_ms: 7,
        attributes: Vec::new(),
    };
    let checks = match act {
        "honest" => vec![
            check("one", checks::Outcome::Pass),
            check("two", checks::Outcome::Fail),
        ],
        "many" => vec![check("same", checks::Outcome::Pass); 1_001],
        "nameless" => vec![check(" ", checks::Outcome::Pass)],
        _ => return None,
    };
    Some(checks::Report {
        checks,
        attributes: Vec::new(),
    })
}
