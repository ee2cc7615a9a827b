//! What is counted and traced of deployments. The numbers go to whichever recorder the
//! program has installed, and nowhere if there is none: this crate does not
//! know who exports them.
//!
//! Cardinality: app and environment are labels of one counter alone, whose
//! series are as many as there are environments and ways to end. Everything
//! else has labels of a fixed set, or the names of installed plugins.

use std::time::Duration;

use metrics::{counter, describe_counter, describe_histogram, histogram};
use shipway_core::ending::Ending;
use shipway_core::environment::EnvironmentKey;
use shipway_core::journal::{Event, Exit, Output};
use shipway_core::name::{PluginName, Timestamp};
use shipway_core::pipeline::Step;
use shipway_core::ports::Stream;
use shipway_core::ports::store::{Deployment, NewLine};
use tracing::Span;
use tracing::field::Empty;

use crate::failures::Broken;

const DEPLOYMENTS: &str = "shipway_deployments_total";
const DEPLOYMENT_SECONDS: &str = "shipway_deployment_duration_seconds";
const WAIT_SECONDS: &str = "shipway_deployment_wait_seconds";
const STEP_SECONDS: &str = "shipway_step_duration_seconds";
const COMMANDS: &str = "shipway_commands_total";
const LEASES: &str = "shipway_leases_total";
const DELIVERIES: &str = "shipway_deliveries_total";
const LOG_LINES: &str = "shipway_log_lines_total";
/// Shared with the plugin host and the API.
const LIMITS: &str = "shipway_limits_hit_total";

/// Tells the recorder what each number means. Call it once, after installing
/// one.
pub fn describe() {
    describe_counter!(
        DEPLOYMENTS,
        "Deployments that ended, by environment, ending and reason"
    );
    describe_histogram!(
        DEPLOYMENT_SECONDS,
        "From a deployment's trigger to its ending"
    );
    describe_histogram!(
        WAIT_SECONDS,
        "From a deployment's trigger to its first step"
    );
    describe_histogram!(STEP_SECONDS, "How long a step took, by its outcome");
    describe_counter!(COMMANDS, "Release commands that ended, by phase and result");
    describe_counter!(
        LEASES,
        "Leases on environments: taken, lost to another engine or to a store that does not \
         answer, or held elsewhere when asked for"
    );
    describe_counter!(
        DELIVERIES,
        "Tries to tell a notifier of an event, by result"
    );
    describe_counter!(LOG_LINES, "Lines stored in deployments' logs, by output");
    describe_counter!(LIMITS, "How often a limit was reached, by limit");
    // Alerts look for changes: there must be something to change from.
    for event in ["taken", "lost", "held-elsewhere"] {
        counter!(LEASES, "event" => event).increment(0);
    }
    for limit in ["command-time", "log-size", "disk"] {
        counter!(LIMITS, "limit" => limit).increment(0);
    }
}

pub(crate) fn ended(key: &EnvironmentKey, ending: &Ending, created: Timestamp, now: Timestamp) {
    let reason = reason(ending);
    counter!(DEPLOYMENTS,
        "app" => key.app.to_string(),
        "environment" => key.environment.to_string(),
        "ending" => ending.status(),
        "reason" => reason)
    .increment(1);
    histogram!(DEPLOYMENT_SECONDS, "ending" => ending.status()).record(between(created, now));
}

fn reason(ending: &Ending) -> &'static str {
    match ending {
        Ending::Failed(failed) => failed.failure.reason.as_str(),
        _ => "none",
    }
}

/// The span of a deployment's run, from its first step or from where it is
/// taken up.
pub(crate) fn span(deployment: &Deployment) -> Span {
    let key = &deployment.trigger.key;
    let run = match deployment.started_at {
        None => "first",
        Some(_) => "taken-up",
    };
    tracing::info_span!(
        "deployment",
        otel.name = %format_args!("deploy {key}"),
        deployment = %deployment.id,
        app = %key.app,
        environment = %key.environment,
        reference = %deployment.trigger.reference,
        run,
        ending = Empty,
        reason = Empty,
        otel.status_code = Empty,
    )
}

pub(crate) fn close(span: &Span, ending: &Ending) {
    span.record("ending", ending.status());
    span.record("reason", reason(ending));
    if matches!(ending, Ending::Failed(_)) {
        span.record("otel.status_code", "ERROR");
    }
}

/// The wait in the queue is over.
pub(crate) fn began(created: Timestamp, now: Timestamp) {
    histogram!(WAIT_SECONDS).record(between(created, now));
}

/// A step is over; one that was put down will be taken up, and is not.
pub(crate) fn step(step: Step, outcome: &Result<Output, Broken>, took: Duration) {
    let (word, reason) = match outcome {
        Ok(_) => ("succeeded", None),
        Err(Broken::Failed(failure)) => ("failed", Some(failure.reason.as_str())),
        Err(Broken::Cancelled) => ("cancelled", None),
        Err(Broken::Halted(_)) => return,
    };
    let span = Span::current();
    span.record("outcome", word);
    if let Some(reason) = reason {
        span.record("reason", reason);
        span.record("otel.status_code", "ERROR");
    }
    histogram!(STEP_SECONDS, "step" => step.as_str(), "outcome" => word).record(took);
}

/// Something was written into a journal.
pub(crate) fn written(event: &Event) {
    let Event::CommandFinished { phase, exit, .. } = event else {
        return;
    };
    let result = match exit {
        Exit::Code { code: 0 } => "succeeded",
        Exit::TimedOut { .. } => "timed-out",
        Exit::Cancelled => "cancelled",
        Exit::Interrupted => "interrupted",
        Exit::Code { .. } | Exit::Signal { .. } | Exit::NotStarted => "failed",
    };
    counter!(COMMANDS, "phase" => phase.as_str(), "result" => result).increment(1);
    if matches!(exit, Exit::TimedOut { .. }) {
        limit("command-time");
    }
}

pub(crate) fn lease(what: &'static str) {
    counter!(LEASES, "event" => what).increment(1);
}

pub(crate) fn delivery(notifier: &PluginName, result: &'static str) {
    counter!(DELIVERIES, "notifier" => notifier.to_string(), "result" => result).increment(1);
}

pub(crate) fn stored(lines: &[NewLine]) {
    for (stream, word) in [
        (Stream::Stdout, "stdout"),
        (Stream::Stderr, "stderr"),
        (Stream::Engine, "engine"),
    ] {
        let count = lines.iter().filter(|line| line.stream == stream).count();
        if count > 0 {
            counter!(LOG_LINES, "stream" => word).increment(count as u64);
        }
    }
}

pub(crate) fn limit(limit: &'static str) {
    counter!(LIMITS, "limit" => limit).increment(1);
}

fn between(from: Timestamp, to: Timestamp) -> Duration {
    let millis = to.as_millis().saturating_sub(from.as_millis());
    Duration::from_millis(u64::try_from(millis).unwrap_or(0))
}
