//! How the console says things.

use maud::{Markup, html};
use shipway_core::ending::Ending;
use shipway_core::journal::Subject;
use shipway_core::name::Timestamp;
use shipway_core::release::{Invocation, Phase, When};

use crate::wire::deployment::{Deployment, Status};
use crate::words::ago;

/// A moment, as how long it is ago.
pub fn moment(at: Timestamp, now: Timestamp) -> Markup {
    html! { time datetime=(at) title=(at) { (ago(at, now)) } }
}

/// From its first step to its end.
pub fn duration(deployment: &Deployment) -> Option<u64> {
    let (started, ended) = (deployment.started_at?, deployment.ended_at?);
    u64::try_from(ended.as_millis() - started.as_millis()).ok()
}

/// A state with its colour, and in words for those who see none.
pub fn badge(deployment: &Deployment) -> Markup {
    html! {
        span class={ "badge " (deployment.status) } {
            (deployment.status)
            @match (&deployment.ending, &deployment.step) {
                (Some(Ending::Failed(failed)), _) => { " (" (failed.failure.reason) ")" }
                (None, Some(step)) => { " (" (step) ")" }
                _ => {}
            }
        }
    }
}

/// Whether it may still be stopped, as far as can be seen from outside.
pub fn goes_on(status: Status) -> bool {
    matches!(status, Status::Queued | Status::Running)
}

/// What it deploys, in a few words.
pub fn subject(deployment: &Deployment) -> String {
    match &deployment.subject {
        Subject::Commit => deployment.reference.clone(),
        Subject::Rollback { to, .. } => format!("rollback to {}", short(to)),
        Subject::Promotion { from, .. } => format!("promotion of {from}"),
    }
}

/// The end of an id: of two made in one minute it is what differs.
pub fn short(id: &impl ToString) -> String {
    let text = id.to_string();
    let start = text.len().saturating_sub(8);
    format!("…{}", text.get(start..).unwrap_or(&text))
}

pub fn phase(phase: Phase) -> &'static str {
    match phase {
        Phase::Release => "Before the new version starts",
        Phase::Gate => "New version up, not yet routed",
        Phase::After => "New version routed",
        Phase::Failed => "Only if the deployment fails",
    }
}

pub fn when(when: When) -> Option<&'static str> {
    match when {
        When::Always => None,
        When::FirstDeploy => Some("first deployment only"),
        When::Once => Some("once per image"),
    }
}

pub fn limit(seconds: u32) -> String {
    match (seconds / 60, seconds % 60) {
        (0, seconds) => format!("{seconds} s"),
        (minutes, 0) => format!("{minutes} min"),
        (minutes, seconds) => format!("{minutes} min {seconds} s"),
    }
}

/// A command as a person writes it down: a line for the shell, or a list.
pub fn run(invocation: &Invocation) -> String {
    match invocation {
        Invocation::Shell(script) => script.clone(),
        Invocation::Argv(argv) => serde_json::to_string(argv).unwrap_or_default(),
    }
}

pub fn count(number: usize, one: &str, many: &str) -> String {
    match number {
        1 => format!("1 {one}"),
        number => format!("{number} {many}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_short() {
        assert_eq!(
            (limit(90), limit(1800)),
            ("1 min 30 s".into(), "30 min".into())
        );
    }
}
