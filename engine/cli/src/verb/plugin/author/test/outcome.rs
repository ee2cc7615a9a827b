//! What came of a case, in the contract's words.

use serde::Serialize;
use serde_json::{Value, json};
use shipway_core::plan::Collected;
use shipway_core::ports::plugins::{Check, Level, PluginError, PluginErrorKind};
use shipway_core::release::{Origin, Provenance, ReleaseCommand};
use shipway_plugin_host::{HostCall, OutsideRequest};

/// What the plugin answered, and what was seen meanwhile.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Outcome {
    pub result: Option<Value>,
    /// The plugin answered with a failure.
    pub failure: Option<Value>,
    /// The host ended the plugin.
    pub error: Option<Value>,
    pub log: Vec<Line>,
    pub calls: Vec<HostCall>,
    pub requests: Vec<Sent>,
    #[serde(skip)]
    pub backtrace: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Line {
    pub level: &'static str,
    pub message: String,
}

#[derive(Debug, Clone, Serialize)]
pub struct Sent {
    pub method: String,
    pub url: String,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Outcome {
    pub fn of(answer: Result<Value, PluginError>) -> Self {
        let error = match answer {
            Ok(result) => {
                return Self {
                    result: Some(result),
                    ..Self::default()
                };
            }
            Err(error) => error,
        };
        let failure = error.answered.as_ref().map(|answered| {
            json!({
                "code": answered.code,
                "message": answered.message,
                "retryable": error.retryable,
            })
        });
        let ended = (error.kind != PluginErrorKind::Failure).then(|| {
            json!({
                "kind": error.kind.to_string(),
                "message": error.message,
                "hint": error.hint,
            })
        });
        Self {
            failure,
            error: ended,
            backtrace: error.backtrace,
            ..Self::default()
        }
    }

    /// Why there is no result, in one line.
    pub fn trouble(&self) -> Option<String> {
        let text = |value: &Value, key: &str| value.get(key)?.as_str().map(str::to_owned);
        if let Some(error) = &self.error {
            return text(error, "message");
        }
        let failure = self.failure.as_ref()?;
        let (code, message) = (text(failure, "code")?, text(failure, "message")?);
        Some(format!("{code}: {message}"))
    }

    /// What the plugin answered, for comparing two runs.
    pub fn answer(&self) -> Value {
        json!({ "result": self.result, "failure": self.failure, "error": self.error })
    }
}

pub fn line((level, message): (Level, String)) -> Line {
    let level = match level {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    };
    Line { level, message }
}

pub fn sent(request: OutsideRequest) -> Sent {
    Sent {
        method: request.method,
        url: request.url,
        headers: request.headers,
        body: String::from_utf8_lossy(&request.body).into_owned(),
    }
}

pub fn collected(collected: &Collected) -> Value {
    let skipped = collected.skipped.iter().map(|skipped| {
        json!({
            "what": skipped.what,
            "reason": skipped.reason,
            "provenance": provenance(&skipped.provenance),
        })
    });
    json!({
        "commands": collected.commands.iter().map(command).collect::<Vec<_>>(),
        "skipped": skipped.collect::<Vec<_>>(),
        "warnings": collected.warnings,
    })
}

fn command(command: &ReleaseCommand) -> Value {
    json!({
        "label": command.label,
        "run": invocation(&command.run),
        "phase": command.phase,
        "entrypoint": command.entrypoint,
        "timeout-seconds": command.timeout_seconds,
        "when": command.when,
        "undo": command.undo.as_ref().map(invocation),
        "provenance": provenance(&command.provenance),
    })
}

fn invocation(run: &shipway_core::release::Invocation) -> Value {
    match run {
        shipway_core::release::Invocation::Shell(line) => json!({ "shell": line }),
        shipway_core::release::Invocation::Argv(argv) => json!({ "argv": argv }),
    }
}

fn provenance(provenance: &Provenance) -> Value {
    let Provenance {
        origin,
        file,
        place,
    } = provenance;
    let plugin = match origin {
        Origin::Plugin(name) => Some(name),
        _ => None,
    };
    json!({ "plugin": plugin, "file": file, "place": place })
}

pub fn report(checks: &[Check]) -> Value {
    let checks = checks.iter().map(|check| {
        json!({
            "name": check.name,
            "outcome": check.outcome,
            "message": check.message,
            "duration-ms": u64::try_from(check.took.as_millis()).unwrap_or(u64::MAX),
        })
    });
    json!({ "checks": checks.collect::<Vec<_>>() })
}
