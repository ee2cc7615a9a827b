//! One bounded command in an image: no network, no variables but those given,
//! no privileges worth having, nothing kept of what it writes.

use bollard::container::AttachContainerResults;
use shipway_core::environment::Limits;
use shipway_core::journal::Exit;
use shipway_core::ports::runtime::{ProbeOutput, ProbeRequest, RuntimeError};

use super::container::{Kept, Spec, Start, no_health_check};
use super::engine::{CALL, Engine};
use super::failure::explain;
use super::label::{self, PREFIX, Role};
use super::one_off::{OneOff, Started, WhenDropped};
use super::output::{self, NOT_FOUND, not_found};

/// A probe loads a framework to ask it one thing; it does not serve.
const LIMITS: Limits = Limits {
    memory_mib: Some(1024),
    cpu_millis: None,
};
const MOST_PROCESSES: i64 = 512;

pub async fn probe(engine: &Engine, request: &ProbeRequest) -> Result<ProbeOutput, RuntimeError> {
    let container =
        OneOff::create(engine, &name(request), body(request), WhenDropped::Remove).await?;
    let attached = container.attach().await?;
    if let Started::CannotExecute(message) = container.start().await? {
        container.remove().await?;
        return Ok(not_found(&message, request.limit));
    }
    let listening = listen(&container, attached, request.limit);
    let listened = tokio::time::timeout(request.timeout, listening).await;
    container.remove().await?;
    listened.unwrap_or_else(|_| {
        Err(RuntimeError::Timeout {
            what: format!("the probe {:?}", request.argv.first()),
            seconds: request.timeout.as_secs(),
        })
    })
}

fn name(request: &ProbeRequest) -> String {
    let short = label::short(request.deployment);
    format!("{PREFIX}probe-{short}-{}", label::nonce())
}

fn body(request: &ProbeRequest) -> bollard::models::ContainerCreateBody {
    let spec = Spec {
        image: request.image.reference.clone(),
        labels: label::bare(Role::Probe, request.deployment),
        env: request
            .variables
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect(),
        start: Start::Bypass(request.argv.clone()),
        limits: LIMITS,
        network: Some("none".into()),
        mounts: Vec::new(),
        log: Kept::End,
    };
    let mut body = spec.body();
    body.healthcheck = Some(no_health_check());
    if let Some(host) = &mut body.host_config {
        host.pids_limit = Some(MOST_PROCESSES);
        host.cap_drop = Some(vec!["ALL".into()]);
        // Root of an image may own nothing that it reads.
        host.cap_add = Some(vec!["DAC_OVERRIDE".into()]);
        host.security_opt = Some(vec!["no-new-privileges".into()]);
    }
    body
}

async fn listen(
    container: &OneOff,
    mut attached: AttachContainerResults,
    limit: usize,
) -> Result<ProbeOutput, RuntimeError> {
    let mut output = output::collect(&mut attached.output, limit)
        .await
        .map_err(|error| explain("read a probe's output", CALL, error))?;
    output.exit_code = match container.exit().await? {
        Exit::Code { code } => code,
        Exit::Signal { signal } => 128 + signal,
        Exit::TimedOut { .. } | Exit::NotStarted | Exit::Cancelled | Exit::Interrupted => NOT_FOUND,
    };
    Ok(output)
}
