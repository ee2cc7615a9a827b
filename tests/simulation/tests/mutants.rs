//! The test of the test: each mutant breaks a rule, and the simulation finds
//! it within a thousand runs. Without a mutant it finds nothing, and the same
//! seed gives the same run.

use shipway_simulation::campaign::{self, Until};
use shipway_simulation::mutant::Mutant;
use shipway_simulation::run;

const RUNS: u64 = 1_000;

fn is_found(mutant: Mutant) {
    let broken = campaign::run_all(1..RUNS, Some(mutant), Until::OneBreaks, &|| {});
    assert!(!broken.is_empty(), "{mutant:?} survives {RUNS} runs");
}

#[test]
fn a_switch_before_the_new_version_is_healthy_is_found() {
    is_found(Mutant::SwitchBeforeHealthy);
}

#[test]
fn a_write_without_the_lease_is_found() {
    is_found(Mutant::WriteWithoutLease);
}

#[test]
fn a_command_that_is_run_again_is_found() {
    is_found(Mutant::RetryCommand);
}

#[test]
fn leftovers_are_found() {
    is_found(Mutant::LeaveLeftovers);
}

#[test]
fn an_idempotency_key_that_is_ignored_is_found() {
    is_found(Mutant::IgnoreIdempotencyKey);
}

#[test]
fn an_event_that_nobody_was_told_of_is_found() {
    is_found(Mutant::ForgetEvent);
}

#[test]
fn a_protected_command_that_is_stopped_is_found() {
    is_found(Mutant::StopProtected);
}

#[test]
fn the_rules_as_they_are_hold() {
    let broken = campaign::run_all(1..200, None, Until::AllAreRun, &|| {});
    assert!(broken.is_empty(), "{broken:#?}");
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in [7, 31, 64] {
        let once = format!("{:#?}", run::outcome(seed, None).unwrap().state);
        let again = format!("{:#?}", run::outcome(seed, None).unwrap().state);
        assert_eq!(once, again, "seed {seed}");
    }
}
