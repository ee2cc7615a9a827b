//! From the generated traits of a component's exports to the traits of this
//! crate.

use std::convert::Infallible;
use std::marker::PhantomData;
use std::time::Duration;

use super::calls::whole_milliseconds;
use super::imports::shipway::plugin::model;
use super::manifest::exports::shipway::plugin::manifest;
use super::notify::exports::shipway::notify::notifier;
use super::release::exports::shipway::release::commands;
use super::self_test::exports::shipway::self_test::checks;
use crate::notify::{Event, Notifier};
use crate::plugin::{Plugin, Request, Setting};
use crate::release::{Command, Invocation, Provenance, ReleaseSource, Skipped};
use crate::self_test::{Check, Outcome, SelfTest};

/// Stands for a plugin in the generated code. Has no value.
#[derive(Debug)]
pub struct Export<P>(Infallible, PhantomData<P>);

impl<P: Plugin> manifest::Guest for Export<P> {
    fn describe() -> manifest::Description {
        let manifest = P::describe();
        manifest::Description {
            name: manifest.name,
            version: manifest.version,
            summary: manifest.summary,
            settings: manifest.settings.into_iter().map(setting).collect(),
            requests: manifest.requests.into_iter().map(request).collect(),
            attributes: manifest.attributes,
        }
    }
}

impl<P: ReleaseSource> commands::Guest for Export<P> {
    fn collect(deployment: model::Deployment) -> Result<commands::Collected, model::Failure> {
        let (commands, skipped_, warnings, attributes) =
            P::collect(&deployment.into())?.into_parts();
        Ok(commands::Collected {
            commands: commands.into_iter().map(command).collect(),
            skipped: skipped_.into_iter().map(skipped).collect(),
            warnings,
            attributes,
        })
    }
}

impl<P: Notifier> notifier::Guest for Export<P> {
    fn deliver(event: notifier::Event) -> Result<(), model::Failure> {
        let event = Event {
            id: event.id,
            sequence: event.sequence,
            time: event.time,
            kind: event.kind,
            deployment: event.deployment.into(),
            summary: event.summary,
            data: event.data,
            attributes: event.attributes,
        };
        Ok(P::deliver(&event)?)
    }
}

impl<P: SelfTest> checks::Guest for Export<P> {
    fn run(deployment: model::Deployment) -> Result<checks::Report, model::Failure> {
        let report = P::run(&deployment.into())?;
        Ok(checks::Report {
            checks: report.checks.into_iter().map(check).collect(),
            attributes: report.attributes,
        })
    }
}

fn setting(setting: Setting) -> manifest::Setting {
    manifest::Setting {
        name: setting.name,
        summary: setting.summary,
        required: setting.required,
        secret: setting.secret,
        places: setting.places.iter().map(ToString::to_string).collect(),
        attributes: setting.attributes,
    }
}

fn request(request: Request) -> manifest::Request {
    manifest::Request {
        capability: request.capability.as_str().to_owned(),
        targets: request.targets,
        reason: request.reason,
        attributes: request.attributes,
    }
}

fn command(command: Command) -> commands::ReleaseCommand {
    commands::ReleaseCommand {
        label: command.label,
        run: invocation(command.run),
        phase: command.phase.as_str().to_owned(),
        entrypoint: command.entrypoint.as_str().to_owned(),
        timeout_seconds: command.timeout.map(whole_seconds),
        when: command.when.as_str().to_owned(),
        undo: command.undo.map(invocation),
        provenance: provenance(command.provenance),
        attributes: command.attributes,
    }
}

fn invocation(invocation: Invocation) -> commands::Invocation {
    match invocation {
        Invocation::Shell(line) => commands::Invocation::Shell(line),
        Invocation::Argv(argv) => commands::Invocation::Argv(argv),
    }
}

fn skipped(skipped: Skipped) -> commands::Skipped {
    commands::Skipped {
        what: skipped.what,
        reason: skipped.reason,
        provenance: provenance(skipped.provenance),
        attributes: Vec::new(),
    }
}

fn provenance(provenance: Provenance) -> model::Provenance {
    model::Provenance {
        file: provenance.file,
        place: provenance.place,
    }
}

fn check(check: Check) -> checks::Check {
    checks::Check {
        name: check.name,
        outcome: match check.outcome {
            Outcome::Pass => checks::Outcome::Pass,
            Outcome::Warn => checks::Outcome::Warn,
            Outcome::Fail => checks::Outcome::Fail,
            Outcome::Skip => checks::Outcome::Skip,
        },
        message: check.message,
        duration_ms: whole_milliseconds(check.duration),
        attributes: check.attributes,
    }
}

/// At least one second: a limit of nothing would end every command.
fn whole_seconds(duration: Duration) -> u32 {
    u32::try_from(duration.as_secs().max(1)).unwrap_or(u32::MAX)
}
