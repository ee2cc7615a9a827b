//! What must be true after every run, in sentences.

use std::collections::BTreeMap;

use shipway_core::journal::Event;
use shipway_core::pipeline::Pipeline;

use super::run::Outcome;

pub fn check(outcome: &Outcome) {
    old_version_served_until_the_new_one_was_healthy(outcome);
    what_serves_at_the_end_runs_and_is_what_the_ending_says(outcome);
    nothing_leaks(outcome);
    the_journal_has_no_gap_and_tells_a_legal_story(outcome);
    no_command_ran_twice_unseen(outcome);
}

fn old_version_served_until_the_new_one_was_healthy(outcome: &Outcome) {
    assert!(
        outcome.violations.is_empty(),
        "{:#?}\n{outcome:#?}",
        outcome.violations
    );
}

fn what_serves_at_the_end_runs_and_is_what_the_ending_says(outcome: &Outcome) {
    let route = outcome
        .route
        .as_ref()
        .expect("the environment keeps its route");
    let expected = if outcome.status == "succeeded" {
        outcome.second
    } else {
        outcome.first
    };
    assert_eq!(route.deployment, expected, "{outcome:#?}");
    assert_eq!(outcome.serving, Some(expected), "{outcome:#?}");
    for target in &route.targets {
        assert!(
            outcome.running.contains_key(target),
            "{target} is routed and does not run\n{outcome:#?}"
        );
    }
}

fn nothing_leaks(outcome: &Outcome) {
    let serving = outcome.serving.expect("something serves");
    // A retire step that could not do its work says so; then what it left is known.
    let excused = outcome.problems > 0;
    for (address, owner) in &outcome.running {
        assert!(
            excused || *owner == serving,
            "{address} of {owner} was left running\n{outcome:#?}"
        );
    }
    assert!(
        excused || outcome.working_directories.is_empty(),
        "{outcome:#?}"
    );
    assert!(
        excused || outcome.open_containers.is_empty(),
        "{outcome:#?}"
    );
}

fn the_journal_has_no_gap_and_tells_a_legal_story(outcome: &Outcome) {
    for (number, entry) in (1..).zip(&outcome.journal) {
        assert_eq!(entry.sequence, number, "{outcome:#?}");
    }
    Pipeline::replay(&outcome.journal).unwrap_or_else(|error| panic!("{error}\n{outcome:#?}"));
    let ended = outcome
        .journal
        .iter()
        .filter(|entry| matches!(entry.event, Event::Ended(_)))
        .count();
    assert_eq!(ended, 1, "{outcome:#?}");
}

/// A release command has at most one effect in a deployment.
fn no_command_ran_twice_unseen(outcome: &Outcome) {
    let mut effects: BTreeMap<&str, usize> = BTreeMap::new();
    for command in &outcome.effects {
        *effects.entry(command.as_str()).or_default() += 1;
    }
    for once in ["migrate", "seed", "announce"] {
        assert!(
            effects.get(once).copied().unwrap_or(0) <= 1,
            "{once} ran twice\n{outcome:#?}"
        );
    }
}
