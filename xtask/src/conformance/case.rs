//! A case that was played, as `shipway plugin test --json` tells it.

use anyhow::{Context, Result};
use serde_json::{Value, json};

pub const ROLES: [&str; 3] = ["release-source", "notifier", "self-test"];

#[derive(Debug, Clone, PartialEq)]
pub struct Case {
    pub name: String,
    pub role: String,
    /// What was not as expected; none when it passed.
    pub mismatches: Vec<String>,
    /// What the plugin answered, for comparing languages.
    pub answer: Value,
}

impl Case {
    pub fn read(played: &Value) -> Result<Self> {
        let text = |name: &str| {
            let text = played[name].as_str().map(str::to_owned);
            text.with_context(|| format!("a case of the report has no {name}"))
        };
        let found = played["mismatches"].as_array().into_iter().flatten();
        let mut mismatches: Vec<String> = found
            .filter_map(|one| one.as_str().map(str::to_owned))
            .collect();
        if played["passed"] != true && mismatches.is_empty() {
            mismatches.push("it failed, and the report does not say why".to_owned());
        }
        Ok(Self {
            name: text("name")?,
            role: text("role")?,
            mismatches,
            answer: answer(played),
        })
    }

    pub fn passed(&self) -> bool {
        self.mismatches.is_empty()
    }
}

/// Everything but what differs from run to run: how long checks took.
fn answer(played: &Value) -> Value {
    let mut result = played["result"].clone();
    let checks = result.get_mut("checks").and_then(Value::as_array_mut);
    for check in checks.into_iter().flatten() {
        if let Some(check) = check.as_object_mut() {
            check.remove("duration-ms");
        }
    }
    json!({
        "result": result,
        "failure": played["failure"],
        "error": played["error"]["kind"],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_long_checks_took_is_no_part_of_the_answer() {
        let played = |millis: u32| {
            let played = json!({
                "name": "page", "role": "self-test", "passed": true, "mismatches": [],
                "result": {"checks": [{"name": "GET /", "duration-ms": millis}]},
                "failure": null, "error": null,
            });
            Case::read(&played).unwrap()
        };
        assert_eq!(played(1), played(20));
        assert!(played(1).passed());
    }

    #[test]
    fn a_case_that_failed_says_something() {
        let played = json!({"name": "x", "role": "notifier", "passed": false});
        assert!(!Case::read(&played).unwrap().passed());
    }
}
