//! What is shown of the cases: for people with every host call, for programs
//! as JSON.

use std::path::PathBuf;

use console::style;
use serde::Serialize;
use serde_json::Value;
use shipway_api::words::took;
use shipway_core::plugin::{Description, Role};
use shipway_plugin_host::HostCall;

use super::outcome::Outcome;
use crate::verb::plugin::author::Detail;

/// Characters of a host call's arguments and answer that are shown.
const SHOWN: usize = 100;

#[derive(Debug, Clone, Serialize)]
pub struct Report {
    pub plugin: Description,
    pub compile_ms: u64,
    pub cases: Vec<Played>,
}

#[derive(Debug, Clone, Serialize)]
pub struct Played {
    pub name: String,
    pub case: PathBuf,
    pub summary: String,
    pub role: Role,
    pub passed: bool,
    pub took_ms: u64,
    #[serde(flatten)]
    pub outcome: Outcome,
    pub mismatches: Vec<String>,
}

impl Report {
    pub fn failed(&self) -> usize {
        self.cases.iter().filter(|case| !case.passed).count()
    }

    pub fn text(&self, detail: Detail) -> String {
        let Description { name, version, .. } = &self.plugin;
        let mut lines = vec![format!(
            "{name} {version}, ready in {}",
            took(self.compile_ms)
        )];
        for case in &self.cases {
            lines.push(String::new());
            lines.extend(case.lines(detail));
        }
        let failed = self.failed();
        lines.push(String::new());
        lines.push(format!(
            "{} passed, {failed} failed",
            self.cases.len() - failed
        ));
        lines.join("\n")
    }
}

impl Played {
    fn lines(&self, detail: Detail) -> Vec<String> {
        let mark = match self.passed {
            true => style("ok  ").green(),
            false => style("FAIL").red(),
        };
        let mut lines = vec![format!(
            "{mark} {} ({}, {}): {}",
            self.name,
            self.role,
            took(self.took_ms),
            self.summary
        )];
        let outcome = &self.outcome;
        lines.extend(
            outcome
                .calls
                .iter()
                .map(|call| format!("     {}", shown(call))),
        );
        let log = outcome.log.iter();
        lines.extend(log.map(|line| format!("     [{}] {}", line.level, line.message)));
        lines.push(format!("     = {}", answer(outcome)));
        lines.extend(
            self.mismatches
                .iter()
                .map(|found| format!("     ! {found}")),
        );
        match (&outcome.backtrace, detail) {
            (Some(backtrace), Detail::Lines) => {
                lines.extend(backtrace.lines().map(|line| format!("     {line}")));
            }
            (Some(_), Detail::Steps) => {
                lines.push("     where it happened: --verbose".to_owned());
            }
            (None, _) => {}
        }
        lines
    }
}

fn shown(call: &HostCall) -> String {
    let arguments = cut(&call.arguments);
    match call.call.as_str() {
        "log.write" => format!("{} {arguments}", call.call),
        _ => format!("{} {arguments} -> {}", call.call, cut(&call.answer)),
    }
}

fn answer(outcome: &Outcome) -> String {
    match (&outcome.result, outcome.trouble()) {
        (Some(result), _) => cut_to(&result.to_string(), 5 * SHOWN),
        (None, Some(trouble)) => trouble,
        (None, None) => "nothing".to_owned(),
    }
}

fn cut(value: &Value) -> String {
    cut_to(&value.to_string(), SHOWN)
}

fn cut_to(text: &str, characters: usize) -> String {
    match text.char_indices().nth(characters) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.to_owned(),
    }
}
