//! The executor over fakes: every port call fails once, and the engine crashes
//! once at every port call. After each run the promises are checked as
//! sentences.

mod fakes;
mod promises;
mod run;

use crate::simulation::fakes::Trouble;
use crate::simulation::run::{Outcome, second_deployment, second_deployment_is_cancelled};

/// More port calls than one deployment makes; a loop that gets here is a bug.
const MOST_CALLS: usize = 500;

#[test]
fn a_deployment_without_trouble_keeps_every_promise() {
    let outcome = second_deployment(Trouble::none());
    assert_eq!(outcome.status, "succeeded", "{outcome:#?}");
    promises::check(&outcome);
}

/// Fail each port call of a deployment in turn: it ends, honestly, and the old
/// version serves unless the new one does.
#[test]
fn whichever_call_fails_the_world_is_clean_and_something_proven_serves() {
    let endings = each_call(Trouble::fail_at);
    assert!(
        endings.iter().any(|ending| ending == "failed"),
        "{endings:?}"
    );
    assert_eq!(
        endings.last().map(String::as_str),
        Some("succeeded"),
        "{endings:?}"
    );
}

/// Crash the engine at each port call in turn, before the call acts; the next
/// engine takes the deployment up and brings it to an honest ending.
#[test]
fn wherever_the_engine_crashes_before_acting_the_deployment_ends_honestly() {
    let endings = each_call(Trouble::crash_before);
    assert_eq!(
        endings.last().map(String::as_str),
        Some("succeeded"),
        "{endings:?}"
    );
}

/// Likewise, but the call has acted when the engine crashes: it acts again.
#[test]
fn wherever_the_engine_crashes_after_acting_the_deployment_ends_honestly() {
    let endings = each_call(Trouble::crash_after);
    assert_eq!(
        endings.last().map(String::as_str),
        Some("succeeded"),
        "{endings:?}"
    );
}

#[test]
fn whenever_it_is_cancelled_the_world_is_clean() {
    for call in 1..=MOST_CALLS {
        let outcome = second_deployment_is_cancelled(call);
        promises::check(&outcome);
        if !outcome.trouble_came {
            assert_eq!(outcome.status, "succeeded");
            return;
        }
    }
    panic!("a deployment makes more than {MOST_CALLS} calls");
}

/// Runs the second deployment with trouble at its first call, its second, …
/// until there is no such call, and checks the promises each time.
fn each_call(trouble_at: impl Fn(usize) -> Trouble) -> Vec<String> {
    let mut endings = Vec::new();
    for call in 1..=MOST_CALLS {
        let outcome: Outcome = second_deployment(trouble_at(call));
        promises::check(&outcome);
        endings.push(outcome.status.clone());
        if !outcome.trouble_came {
            return endings;
        }
    }
    panic!("a deployment makes more than {MOST_CALLS} calls");
}
