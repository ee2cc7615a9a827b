//! What is wrong with the world after a crash and a new start.

use serde_json::Value;
use shipway_tests::deployment::Deployment;
use shipway_tests::docker::running_containers_of;
use shipway_tests::machine::processes_with;

use crate::site::{Runtime, Site};
use crate::story::NOTES;

/// How a deployment went on after the crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// As if nothing had happened.
    ToItsEnd,
    /// A command had been about to begin, and nobody could know whether it had.
    Interrupted,
}

/// Looks at all of it. `version` is the one that was deployed, `before` the one
/// that served.
pub fn look(
    site: &Site<'_>,
    deployment: &Deployment<'_>,
    version: usize,
    before: usize,
) -> (Way, Vec<String>) {
    let mut wrong = Vec::new();
    let now = deployment.now();
    let events = deployment.events();
    let way = match reason(&now) {
        Some("interrupted") => Way::Interrupted,
        _ => Way::ToItsEnd,
    };
    wrong.extend(ending(site, &now, &events, way));
    let serves = match now["status"] == "succeeded" {
        true => version,
        false => before,
    };
    wrong.extend(served(site, serves));
    wrong.extend(effects(site, deployment, way));
    wrong.extend(journal(&events));
    wrong.extend(log(&deployment.log(), &events));
    wrong.extend(left_over(site, deployment, &now));
    wrong.extend(
        site.complaints()
            .into_iter()
            .map(|it| format!("a visitor was told {it}")),
    );
    (way, wrong)
}

fn reason(now: &Value) -> Option<&str> {
    now["ending"]["failure"]["reason"].as_str()
}

/// It ended as its story does, unless a command's end could not be known: then
/// it says which, and that it was started.
fn ending(site: &Site<'_>, now: &Value, events: &[Value], way: Way) -> Vec<String> {
    if way == Way::ToItsEnd {
        let story = site.story;
        if reason(now) == story.reason() && now["status"] == story.status() {
            return Vec::new();
        }
        return vec![format!("it ended as {}", now["ending"])];
    }
    let command = &now["ending"]["failure"]["command"];
    let was_started = events
        .iter()
        .any(|event| event["kind"] == "command.started" && event["data"]["label"] == *command);
    match was_started {
        true => Vec::new(),
        false => vec![format!("{command} is interrupted and was never started")],
    }
}

fn served(site: &Site<'_>, version: usize) -> Option<String> {
    let text = site.live.get("/").text();
    let expected = format!("version {version}");
    (text.trim() != expected).then(|| format!("{:?} serves, not {expected:?}", text.trim()))
}

/// Nothing had its effect twice; nothing is missing unless it was interrupted.
fn effects(site: &Site<'_>, deployment: &Deployment<'_>, way: Way) -> Vec<String> {
    let had = site.effects(&deployment.id);
    let all = site.story.effects();
    let is_right = match way {
        Way::ToItsEnd => had == all,
        Way::Interrupted => {
            let count = |name: &&str| had.iter().filter(|one| one == name).count();
            all.iter().all(|name| count(name) <= 1)
        }
    };
    match is_right {
        true => Vec::new(),
        false => vec![format!("the commands had these effects: {had:?}")],
    }
}

/// Numbered without a gap, ended once.
fn journal(events: &[Value]) -> Vec<String> {
    let mut wrong = Vec::new();
    let numbers = events.iter().map(|event| event["sequence"].as_u64());
    if !numbers.eq((1..).map(Some).take(events.len())) {
        wrong.push("the journal has a gap".to_owned());
    }
    let is_end = |event: &&Value| event["kind"] == "deployment.ended";
    let ends = events.iter().filter(is_end).count();
    if ends != 1 || !events.last().is_some_and(|event| is_end(&event)) {
        wrong.push(format!("the journal has {ends} ends"));
    }
    wrong
}

/// Whatever was finished has its two lines in the log, once and in order.
fn log(log: &str, events: &[Value]) -> Vec<String> {
    let finished = events.iter().filter(|event| {
        event["kind"] == "command.finished" && event["data"]["exit"]["exit"] == "code"
    });
    let labels = finished.filter_map(|event| event["data"]["label"].as_str());
    labels
        .filter(|label| *label != "refuse")
        .filter_map(|label| {
            let (one, two) = (format!("{label} one"), format!("{label} two"));
            let lines: Vec<&str> = log
                .lines()
                .filter(|line| *line == one || *line == two)
                .collect();
            (lines != [one.as_str(), two.as_str()])
                .then(|| format!("of {label} the log has {lines:?}"))
        })
        .collect()
}

/// Commands have ended, and of instances only those that serve are there.
fn left_over(site: &Site<'_>, deployment: &Deployment<'_>, now: &Value) -> Vec<String> {
    let serves = now["status"] == "succeeded";
    match site.runtime {
        Runtime::Process => {
            let commands = processes_with(NOTES);
            let own = processes_with(&deployment.id);
            let mut wrong = Vec::new();
            if !commands.is_empty() {
                wrong.push(format!("commands run still: {commands:?}"));
            }
            if !serves && !own.is_empty() {
                wrong.push(format!("it left processes: {own:?}"));
            }
            wrong
        }
        Runtime::Docker => {
            let containers = running_containers_of(&site.live.app);
            match containers.len() == site.story.instances() {
                true => Vec::new(),
                false => vec![format!("these containers run: {containers:?}")],
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event(sequence: u64, kind: &str) -> Value {
        json!({ "sequence": sequence, "kind": kind, "data": {} })
    }

    fn finished(label: &str) -> Value {
        json!({ "kind": "command.finished", "data": {
            "label": label, "exit": { "exit": "code", "code": 0 },
        } })
    }

    #[test]
    fn a_gap_and_a_second_end_are_seen() {
        let end = |sequence| event(sequence, "deployment.ended");
        let start = |sequence| event(sequence, "step.started");
        assert_eq!(journal(&[start(1), end(2)]), Vec::<String>::new());
        assert_eq!(journal(&[start(1), end(3)]).len(), 1);
        assert_eq!(journal(&[end(1), end(2)]).len(), 1);
        assert_eq!(journal(&[end(1), start(2)]).len(), 1);
        assert_eq!(journal(&[start(1)]).len(), 1);
    }

    #[test]
    fn lines_that_are_missing_or_come_twice_are_seen() {
        let events = [finished("migrate")];
        let whole = "migrate one\nmigrate two\n";
        assert_eq!(log(whole, &events), Vec::<String>::new());
        for broken in ["migrate one\n", "migrate two\nmigrate one\n"] {
            assert_eq!(log(broken, &events).len(), 1, "{broken:?}");
        }
        assert_eq!(log(&whole.repeat(2), &events).len(), 1);
    }
}
