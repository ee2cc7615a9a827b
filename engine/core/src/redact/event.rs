//! What of an event, a failure or a plan is free text, and so may hold a
//! secret. Names, labels and ids are left: others find things by them.

use super::Redactor;
use crate::ending::{Ending, Failed, Failure};
use crate::journal::{Entry, Event, Output};
use crate::plan::Plan;
use crate::release::Invocation;

impl Event {
    /// The event as the journal may have it. The commands of a plan stay as
    /// they are, because they are run from there; [`Entry::shown`] masks them
    /// for whoever looks.
    #[must_use]
    pub fn redacted(mut self, redactor: &Redactor) -> Self {
        let mask = |text: &mut String| *text = redactor.line(text);
        match &mut self {
            Self::StepSucceeded { output, .. } => redact_output(output, redactor),
            Self::StepFailed { failure } => redact_failure(failure, redactor),
            Self::InstanceHealthy { answer, .. } => mask(answer),
            Self::CheckReported { name, message, .. } => {
                mask(name);
                mask(message);
            }
            Self::Warning { message, .. } => mask(message),
            Self::Ended(Ending::Failed(Failed { failure, .. })) => {
                redact_failure(failure, redactor);
            }
            Self::Ended(_)
            | Self::Queued(_)
            | Self::CancelRequested { .. }
            | Self::StepStarted { .. }
            | Self::StepCancelled { .. }
            | Self::CommandStarted { .. }
            | Self::CommandFinished { .. }
            | Self::CommandUndone { .. }
            | Self::InstanceStarted { .. } => {}
        }
        self
    }
}

impl Entry {
    /// The entry for whoever looks at it: nothing is run from it.
    #[must_use]
    pub fn shown(mut self, redactor: &Redactor) -> Self {
        self.event = self.event.redacted(redactor);
        if let Event::StepSucceeded { output, .. } = &mut self.event
            && let Output::Plan { plan } = output.as_mut()
        {
            redact_plan(plan, redactor);
        }
        self
    }
}

impl Failure {
    #[must_use]
    pub fn redacted(mut self, redactor: &Redactor) -> Self {
        redact_failure(&mut self, redactor);
        self
    }
}

impl Plan {
    /// The plan for whoever looks at it: nothing is run from it.
    #[must_use]
    pub fn shown(mut self, redactor: &Redactor) -> Self {
        redact_remarks(&mut self, redactor);
        redact_plan(&mut self, redactor);
        self
    }
}

fn redact_output(output: &mut Output, redactor: &Redactor) {
    match output {
        Output::Services { answered } => redact_all(answered, redactor),
        Output::Checkout(commit) => {
            commit.subject = redactor.line(&commit.subject);
            commit.author = redactor.line(&commit.author);
        }
        Output::Plan { plan } => redact_remarks(plan, redactor),
        Output::Retire(retired) => redact_all(&mut retired.problems, redactor),
        Output::Build(_)
        | Output::Release
        | Output::Start { .. }
        | Output::SelfTest { .. }
        | Output::Gate
        | Output::Switch(_) => {}
    }
}

fn redact_failure(failure: &mut Failure, redactor: &Redactor) {
    failure.message = redactor.line(&failure.message);
    failure.hint = failure.hint.as_deref().map(|hint| redactor.line(hint));
    redact_all(&mut failure.last_lines, redactor);
}

/// What a plan says about itself, and nobody acts on.
fn redact_remarks(plan: &mut Plan, redactor: &Redactor) {
    plan.commit.subject = redactor.line(&plan.commit.subject);
    plan.commit.author = redactor.line(&plan.commit.author);
    redact_all(&mut plan.warnings, redactor);
    for skipped in &mut plan.skipped {
        skipped.what = redactor.line(&skipped.what);
        skipped.reason = redactor.line(&skipped.reason);
    }
}

/// What a deployment runs.
fn redact_plan(plan: &mut Plan, redactor: &Redactor) {
    for command in &mut plan.commands {
        redact_invocation(&mut command.run, redactor);
        if let Some(undo) = &mut command.undo {
            redact_invocation(undo, redactor);
        }
    }
    for process in &mut plan.processes {
        let command = process.command.as_deref();
        process.command = command.map(|command| redactor.line(command));
    }
    for service in &mut plan.services {
        service.url = redactor.line(&service.url);
    }
    for value in plan.build.args.values_mut() {
        *value = redactor.line(value);
    }
    let command = plan.build.command.as_deref();
    plan.build.command = command.map(|command| redactor.line(command));
}

fn redact_invocation(invocation: &mut Invocation, redactor: &Redactor) {
    match invocation {
        Invocation::Shell(script) => *script = redactor.line(script),
        Invocation::Argv(argv) => redact_all(argv, redactor),
    }
}

fn redact_all(texts: &mut [String], redactor: &Redactor) {
    for text in texts {
        *text = redactor.line(text);
    }
}
