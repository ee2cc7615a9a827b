//! What must be true after every run, in sentences. What must be true at every
//! moment is checked in [`crate::world`], and told here.

use std::collections::{BTreeMap, BTreeSet};

use shipway_core::ending::Ending;
use shipway_core::environment::QueuePolicy;
use shipway_core::journal::{Event, Exit, Output, ReleaseCommands, Subject};
use shipway_core::name::DeploymentId;
use shipway_core::pipeline::Pipeline;
use shipway_core::release::{CancelPolicy, Phase, SettingsCommand, When};

use crate::run::{Outcome, Told};

/// The promises that a run broke.
pub fn broken(outcome: &Outcome) -> Vec<String> {
    let mut broken = outcome.state.violations.clone();
    for promise in PROMISES {
        broken.extend(promise(outcome));
    }
    broken
}

type Promise = fn(&Outcome) -> Vec<String>;

const PROMISES: [Promise; 12] = [
    every_deployment_ends,
    a_journal_has_no_gap_and_tells_a_legal_story,
    what_serves_runs_and_is_what_the_journals_say,
    nothing_leaks,
    a_command_is_never_silently_run_again,
    a_once_command_has_at_most_one_effect,
    a_first_deploy_command_runs_only_before_anything_serves,
    a_protected_command_is_never_stopped,
    an_ending_names_what_ran,
    an_idempotency_key_gives_one_deployment,
    a_rollback_takes_what_it_goes_back_to,
    a_notifier_hears_of_every_event_in_order,
];

fn every_deployment_ends(outcome: &Outcome) -> Vec<String> {
    let open = outcome
        .deployments
        .iter()
        .filter(|one| one.ending().is_none());
    let mut broken: Vec<String> = open
        .map(|one| format!("{} did not end: {:?}", one.id(), one.kinds()))
        .collect();
    if !outcome.ended && broken.is_empty() {
        broken.push("the deployments took too long to end".to_owned());
    }
    let unfairly = |one: &&Told| {
        matches!(one.ending(), Some(Ending::Superseded { .. }))
            && outcome.scenario.environment.queue != QueuePolicy::LatestWins
    };
    broken.extend(
        outcome
            .deployments
            .iter()
            .filter(unfairly)
            .map(|one| format!("{} was superseded against the policy", one.id())),
    );
    broken
}

fn a_journal_has_no_gap_and_tells_a_legal_story(outcome: &Outcome) -> Vec<String> {
    let mut broken = Vec::new();
    for one in &outcome.deployments {
        let numbers = one.journal.iter().map(|entry| entry.sequence);
        if !numbers.eq(1..=one.journal.len() as u64) {
            broken.push(format!("the journal of {} has a gap", one.id()));
        }
        if let Err(illegal) = Pipeline::replay(&one.journal) {
            broken.push(format!("the journal of {}: {illegal}", one.id()));
        }
        let ends = one.count(|event| matches!(event, Event::Ended(_)));
        if ends > 1 {
            broken.push(format!("{} ended {ends} times", one.id()));
        }
    }
    broken
}

/// The newest deployment that was switched to serves, whatever came after it.
fn what_serves_runs_and_is_what_the_journals_say(outcome: &Outcome) -> Vec<String> {
    let switched = |one: &&Told| {
        one.count(|event| matches!(event, Event::StepSucceeded { output, .. } if matches!(output.as_ref(), Output::Switch(_)))) > 0
    };
    let newest = outcome.deployments.iter().rfind(switched).map(Told::id);
    let serving = outcome.serving.as_ref().map(|serving| serving.deployment);
    let routed = outcome.state.route.as_ref().map(|route| route.deployment);
    let mut broken = Vec::new();
    if newest != serving || newest != routed {
        broken.push(format!(
            "the journals say that {newest:?} serves, the store {serving:?}, the proxy {routed:?}"
        ));
    }
    let targets = outcome.state.route.iter().flat_map(|route| &route.targets);
    for target in targets {
        let runs = outcome
            .state
            .instances
            .values()
            .any(|running| running.instance.address == Some(*target) && running.healthy);
        if !runs {
            broken.push(format!("{target} is routed and does not serve"));
        }
    }
    broken
}

fn nothing_leaks(outcome: &Outcome) -> Vec<String> {
    let serving = outcome.serving.as_ref().map(|serving| serving.deployment);
    let instances = outcome
        .state
        .instances
        .iter()
        .filter(|(_, running)| Some(running.deployment) != serving)
        .map(|(id, _)| format!("instance {id} was left running"));
    let containers = outcome
        .state
        .containers
        .keys()
        .map(|id| format!("a release container of {id} was left"));
    let aside = outcome
        .state
        .aside
        .iter()
        .map(|id| format!("what {id} left for a look inside was never removed"));
    let directories = outcome
        .state
        .working_directories
        .iter()
        .map(|id| format!("the working directory of {id} was left"));
    let all = instances.chain(containers).chain(aside);
    all.chain(directories).collect()
}

/// At most one start of each command in a deployment, undo and all.
fn a_command_is_never_silently_run_again(outcome: &Outcome) -> Vec<String> {
    let mut starts: BTreeMap<(DeploymentId, &str), usize> = BTreeMap::new();
    for effect in &outcome.state.effects {
        *starts
            .entry((effect.deployment, effect.run.as_str()))
            .or_default() += 1;
    }
    starts
        .into_iter()
        .filter(|(_, count)| *count > 1)
        .map(|((id, run), count)| format!("{run:?} was started {count} times in {id}"))
        .collect()
}

fn a_once_command_has_at_most_one_effect(outcome: &Outcome) -> Vec<String> {
    let mut effects: BTreeMap<(&str, &str), usize> = BTreeMap::new();
    for effect in &outcome.state.effects {
        let once = outcome
            .command(&effect.run)
            .is_some_and(|command| command.when == When::Once);
        if once && effect.exit.is_some_and(Exit::is_success) {
            *effects.entry((&effect.image, &effect.run)).or_default() += 1;
        }
    }
    effects
        .into_iter()
        .filter(|(_, count)| *count > 1)
        .map(|((image, run), count)| format!("{run:?} had {count} effects in {image}"))
        .collect()
}

fn a_first_deploy_command_runs_only_before_anything_serves(outcome: &Outcome) -> Vec<String> {
    let first = outcome.deployments.iter().find(|one| {
        one.count(|event| matches!(event, Event::StepStarted { step } if step.as_str() == "retire"))
            > 0
    });
    let Some(first) = first.map(Told::id) else {
        return Vec::new();
    };
    let late = outcome.state.effects.iter().filter(|effect| {
        effect.deployment > first
            && outcome
                .command(&effect.run)
                .is_some_and(|command| command.when == When::FirstDeploy)
    });
    late.map(|effect| {
        format!(
            "{:?} is for the first deployment and ran in {}",
            effect.run, effect.deployment
        )
    })
    .collect()
}

fn a_protected_command_is_never_stopped(outcome: &Outcome) -> Vec<String> {
    let stopped = outcome.state.effects.iter().filter(|effect| {
        effect.exit == Some(Exit::Cancelled)
            && outcome
                .command(&effect.run)
                .is_some_and(|command| command.cancel == CancelPolicy::Never)
    });
    stopped
        .map(|effect| format!("{:?} was stopped in {}", effect.run, effect.deployment))
        .collect()
}

/// What ran is named, unless its outcome was not known, and that is said.
fn an_ending_names_what_ran(outcome: &Outcome) -> Vec<String> {
    let mut broken = Vec::new();
    for one in &outcome.deployments {
        let (aftermath, unknown) = match one.ending() {
            Some(Ending::Failed(failed)) => (&failed.aftermath, failed.failure.command.clone()),
            Some(Ending::Cancelled(aftermath)) => (aftermath, None),
            _ => continue,
        };
        let said: BTreeSet<&str> = aftermath
            .release_commands_ran
            .iter()
            .map(|label| label.as_str())
            .collect();
        for effect in &outcome.state.effects {
            let counts = effect.deployment == one.id()
                && effect.exit.is_some_and(Exit::is_success)
                && outcome
                    .command(&effect.run)
                    .is_some_and(|command| matches!(command.phase, Phase::Release | Phase::Gate));
            let told = said.contains(effect.run.as_str())
                || unknown
                    .as_ref()
                    .is_some_and(|label| label.as_str() == effect.run);
            if counts && !told {
                broken.push(format!(
                    "{:?} ran in {} and its ending does not say so",
                    effect.run,
                    one.id()
                ));
            }
        }
    }
    broken
}

fn a_rollback_takes_what_it_goes_back_to(outcome: &Outcome) -> Vec<String> {
    let mut broken = Vec::new();
    for told in &outcome.deployments {
        let Subject::Rollback {
            to,
            release_commands,
        } = told.deployment.trigger.subject
        else {
            continue;
        };
        let id = told.deployment.id;
        let earlier = outcome
            .deployments
            .iter()
            .find(|one| one.deployment.id == to);
        let Some(earlier) = earlier.filter(|one| one.deployment.status() == "succeeded") else {
            broken.push(format!("{id} goes back to {to}, which has not succeeded"));
            continue;
        };
        if image(told).is_some_and(|it| Some(it) != image(earlier)) {
            broken.push(format!("{id} has another image than {to}"));
        }
        let runs = told
            .journal
            .iter()
            .any(|entry| entry.event.kind() == "command.started");
        if runs && release_commands == ReleaseCommands::Skip {
            broken.push(format!("{id} ran a command, and was to run none"));
        }
    }
    broken
}

fn image(told: &Told) -> Option<&str> {
    told.journal.iter().find_map(|entry| match &entry.event {
        Event::StepSucceeded { output, .. } => match &**output {
            Output::Build(image) => Some(image.reference.as_str()),
            _ => None,
        },
        _ => None,
    })
}

fn an_idempotency_key_gives_one_deployment(outcome: &Outcome) -> Vec<String> {
    outcome
        .answers
        .iter()
        .filter(|(_, ids)| ids.len() > 1)
        .map(|(key, ids)| format!("key {key} gave {} deployments", ids.len()))
        .collect()
}

fn a_notifier_hears_of_every_event_in_order(outcome: &Outcome) -> Vec<String> {
    let mut broken = Vec::new();
    for one in &outcome.deployments {
        let mut next = 1;
        for (_, _, sequence) in outcome
            .state
            .told
            .iter()
            .filter(|(_, deployment, _)| *deployment == one.id())
        {
            // Heard again is allowed, heard ahead of its time is not.
            if *sequence == next {
                next += 1;
            } else if *sequence > next {
                broken.push(format!(
                    "the notifier heard of event {sequence} of {} before {next}",
                    one.id()
                ));
                break;
            }
        }
        let all = one.journal.len() as u64;
        if next <= all {
            broken.push(format!(
                "the notifier did not hear of event {next} of {} in {}",
                all,
                one.id()
            ));
        }
    }
    broken
}

impl Outcome {
    /// The command that runs this text; none for an undo.
    fn command(&self, run: &str) -> Option<&SettingsCommand> {
        let commands = &self.scenario.environment.release_commands;
        commands
            .iter()
            .find(|command| command.run.to_string() == run)
    }
}

impl Told {
    fn id(&self) -> DeploymentId {
        self.deployment.id
    }

    fn ending(&self) -> Option<&Ending> {
        self.deployment.ending.as_ref()
    }

    fn count(&self, is: impl Fn(&Event) -> bool) -> usize {
        self.journal.iter().filter(|entry| is(&entry.event)).count()
    }

    fn kinds(&self) -> Vec<&'static str> {
        self.journal
            .iter()
            .map(|entry| entry.event.kind())
            .collect()
    }
}
