//! Nothing is left to chance: one kind of trouble at the first call of a
//! deployment, at its second, and so on to its last. Whatever it does, the
//! promises hold.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::time::Duration;

use shipway_simulation::faults::{Fate, Fault, Trouble};
use shipway_simulation::{promises, run};

/// More calls than a deployment makes; a loop that gets here is a bug.
const MOST_CALLS: usize = 2_000;

/// Gives how the deployment ended for each call that there is.
fn at_each_call(what: Trouble) -> Vec<&'static str> {
    let mut endings = Vec::new();
    for at in 1..MOST_CALLS {
        let outcome = run::with_one(Fault { at, what }).unwrap();
        let broken = promises::broken(&outcome);
        assert!(broken.is_empty(), "{what:?} at call {at}: {broken:#?}");
        let last = outcome.deployments.last().unwrap();
        let status = last.deployment.status();
        if !outcome.fault_came {
            assert_eq!(status, "succeeded", "nothing went wrong");
            return endings;
        }
        endings.push(status);
    }
    panic!("a deployment makes more than {MOST_CALLS} calls");
}

#[test]
fn whichever_call_fails() {
    let endings = at_each_call(Trouble::Fate(Fate::Fails));
    assert!(endings.contains(&"failed") && endings.contains(&"succeeded"));
}

#[test]
fn whichever_answer_is_lost() {
    at_each_call(Trouble::Fate(Fate::AnswerLost));
}

#[test]
fn whichever_call_is_heard_twice() {
    at_each_call(Trouble::Fate(Fate::Repeated));
}

#[test]
fn wherever_the_engine_stands_still_for_longer_than_its_lease() {
    at_each_call(Trouble::Fate(Fate::Stall(Duration::from_secs(300))));
}

#[test]
fn wherever_the_engine_dies_before_it_acts() {
    at_each_call(Trouble::Fate(Fate::CrashBefore));
}

#[test]
fn wherever_the_engine_dies_after_it_acted() {
    at_each_call(Trouble::Fate(Fate::CrashAfter));
}

#[test]
fn whenever_somebody_cancels() {
    let endings = at_each_call(Trouble::Cancel);
    assert!(endings.contains(&"cancelled") && endings.contains(&"succeeded"));
}
