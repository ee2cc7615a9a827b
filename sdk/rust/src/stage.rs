//! How far a deployment is, for notifiers that set a status elsewhere: at a Git
//! host, on a board, in a chat. Most events are nobody's business but the log's.

use serde::Deserialize;

use crate::deployment::Deployment;
use crate::notify::Event;

/// How far a deployment is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stage {
    Queued,
    Running,
    Succeeded,
    /// Why, in a sentence.
    Failed(String),
    /// What became of it instead: `cancelled`, `superseded`.
    Left(String),
}

#[derive(Deserialize)]
struct StepDone {
    output: Output,
}

#[derive(Deserialize)]
struct Output {
    step: String,
}

#[derive(Deserialize)]
struct Ending {
    status: String,
    failure: Option<Reason>,
}

#[derive(Deserialize)]
struct Reason {
    message: String,
}

impl Stage {
    /// None for an event that changes nothing for others.
    pub fn of(event: &Event) -> Option<Self> {
        match event.kind.as_str() {
            "deployment.queued" => Some(Self::Queued),
            "step.succeeded" => {
                let done: StepDone = serde_json::from_str(&event.data).ok()?;
                (done.output.step == "checkout").then_some(Self::Running)
            }
            "deployment.ended" => {
                let ending: Ending = serde_json::from_str(&event.data).ok()?;
                let why = ending.failure.map(|failure| failure.message);
                Some(match ending.status.as_str() {
                    "succeeded" => Self::Succeeded,
                    "failed" => Self::Failed(why.unwrap_or_else(|| event.summary.clone())),
                    other => Self::Left(other.to_owned()),
                })
            }
            _ => None,
        }
    }
}

/// The commit's full id, once it is known.
pub fn commit(deployment: &Deployment) -> Option<&str> {
    let is_id = |text: &&str| {
        matches!(text.len(), 40 | 64) && text.bytes().all(|byte| byte.is_ascii_hexdigit())
    };
    [deployment.commit.as_str(), deployment.reference.as_str()]
        .into_iter()
        .find(is_id)
}

/// A sentence of at most so many characters.
pub fn shortened(text: &str, most: usize) -> String {
    let line = text.lines().next().unwrap_or_default();
    if line.chars().count() <= most {
        return line.to_owned();
    }
    let cut: String = line.chars().take(most.saturating_sub(1)).collect();
    format!("{}…", cut.trim_end())
}

/// A URL with the deployment's own words in it.
pub fn filled(template: &str, deployment: &Deployment) -> String {
    template
        .replace("{deployment}", &deployment.id)
        .replace("{app}", &deployment.app)
        .replace("{environment}", &deployment.environment)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing;

    fn stage(kind: &str, data: &str) -> Option<Stage> {
        let mut event = testing::event(kind);
        event.data = data.into();
        Stage::of(&event)
    }

    #[test]
    fn an_event_is_a_stage_or_nothing() {
        let checkout = r#"{"output":{"step":"checkout","id":"3b"},"millis":3}"#;
        assert_eq!(stage("step.succeeded", checkout), Some(Stage::Running));
        let build = r#"{"output":{"step":"build"},"millis":3}"#;
        assert_eq!(stage("step.succeeded", build), None);
        let failed = r#"{"status":"failed","failure":{"message":"it broke","step":"build"}}"#;
        let why = Stage::Failed("it broke".into());
        assert_eq!(stage("deployment.ended", failed), Some(why));
        let superseded = r#"{"status":"superseded","by":"1"}"#;
        let left = Stage::Left("superseded".into());
        assert_eq!(stage("deployment.ended", superseded), Some(left));
        assert_eq!(stage("step.started", "{}"), None);
        assert_eq!(stage("something.new", "[]"), None);
    }

    #[test]
    fn a_commit_is_an_id() {
        let mut deployment = testing::deployment();
        assert_eq!(commit(&deployment), Some(&*deployment.commit));
        deployment.commit.clear();
        assert_eq!(commit(&deployment), None);
        deployment.reference = "a".repeat(40);
        assert_eq!(commit(&deployment), Some(&*deployment.reference));
    }

    #[test]
    fn a_sentence_is_cut() {
        assert_eq!(shortened("one\ntwo", 10), "one");
        assert_eq!(shortened("one two three", 9), "one two…");
    }
}
