//! What is counted and traced of calls. The numbers go to whichever recorder the program
//! has installed, and nowhere if there is none.

use std::time::{Duration, Instant};

use metrics::{counter, describe_counter, describe_histogram, histogram};
use shipway_core::plugin::Role;
use shipway_core::ports::plugins::{Call, PluginError, PluginErrorKind};
use tracing::Instrument;
use tracing::field::Empty;

use crate::fault::{Fault, Who};

const CALLS: &str = "shipway_plugin_calls_total";
const CALL_SECONDS: &str = "shipway_plugin_call_duration_seconds";
/// Shared with the executor and the API.
const LIMITS: &str = "shipway_limits_hit_total";

/// Tells the recorder what each number means. Call it once, after installing
/// one.
pub fn describe() {
    describe_counter!(CALLS, "Calls of plugins, by plugin, role and result");
    describe_histogram!(
        CALL_SECONDS,
        "How long a call of a plugin took, with the wait for a free sandbox"
    );
}

/// Makes a call under a span of its own, and counts it.
pub(crate) async fn observed<T>(
    call: &Call,
    role: Role,
    asking: impl Future<Output = Result<T, Fault>>,
) -> Result<T, PluginError> {
    let description = &call.plugin.description;
    let span = tracing::info_span!(
        "plugin",
        otel.name = %format_args!("{role} {}", description.name),
        plugin = %description.name,
        version = %description.version,
        digest = %description.digest,
        %role,
        app = %call.environment.app,
        environment = %call.environment.environment,
        deployment = %call.deployment,
        cpu_ms = Empty,
        result = Empty,
        otel.status_code = Empty,
    );
    let (who, began) = (Who::plugin(&call.plugin, role), Instant::now());
    let outcome = asking.instrument(span.clone()).await;
    let outcome = outcome.map_err(|fault| fault.of(&who));
    let result = match &outcome {
        Ok(_) => "ok".to_owned(),
        Err(error) => {
            span.record("otel.status_code", "ERROR");
            error.kind.to_string()
        }
    };
    span.record("result", &result);
    count(call, role, result, began.elapsed());
    if let Some(limit) = outcome.as_ref().err().and_then(limit) {
        counter!(LIMITS, "limit" => limit).increment(1);
    }
    outcome
}

fn count(call: &Call, role: Role, result: String, took: Duration) {
    let (plugin, role) = (call.plugin.name().to_string(), role.to_string());
    counter!(CALLS, "plugin" => plugin.clone(), "role" => role.clone(), "result" => result)
        .increment(1);
    histogram!(CALL_SECONDS, "plugin" => plugin, "role" => role).record(took);
}

fn limit(error: &PluginError) -> Option<&'static str> {
    match error.kind {
        PluginErrorKind::Timeout => Some("plugin-time"),
        PluginErrorKind::Memory => Some("plugin-memory"),
        _ => None,
    }
}
