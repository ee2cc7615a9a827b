//! Step 6: the candidate. All instances start in parallel; each must become
//! healthy, or none is kept.

use std::time::Duration;

use futures::future::try_join_all;
use shipway_core::ending::{Failure, Reason};
use shipway_core::health::{ANSWER_TIMEOUT, CONNECT_TIMEOUT, Preset};
use shipway_core::journal::{Event, Instance, Output};
use shipway_core::pipeline::{Planned, Step};
use shipway_core::ports::prober::Healthy;
use shipway_core::ports::runtime::{ImageHealth, InstanceStatus, StartRequest};
use shipway_core::process::Process;
use tokio::time::Instant;

use crate::deploy::Deploying;
use crate::failures::{self, Broken};
use crate::variables::variables;

/// How often an instance is asked whether it still runs.
const LOOK_EVERY: Duration = Duration::from_millis(250);
/// Lines of an unhealthy instance that its ending shows.
const LAST_LINES: usize = 20;

pub async fn candidate(deploying: &Deploying, planned: &Planned) -> Result<Output, Broken> {
    let copies = planned
        .plan
        .processes
        .iter()
        .flat_map(|process| (1..=process.instances).map(move |n| (process, n)));
    let starting = copies.map(|(process, number)| prove(deploying, planned, process, number));
    let instances = try_join_all(starting).await?;
    Ok(Output::Start { instances })
}

/// Starts one instance and waits until it is healthy.
async fn prove(
    deploying: &Deploying,
    planned: &Planned,
    process: &Process,
    number: u32,
) -> Result<Instance, Broken> {
    let scene = &deploying.scene;
    let request = StartRequest {
        environment: scene.environment.key.clone(),
        deployment: scene.deployment,
        image: planned.image.clone(),
        process: process.clone(),
        number,
        variables: variables(
            &scene.environment,
            scene.deployment,
            &planned.commit.id,
            None,
        ),
        limits: scene.environment.limits,
        volumes: scene.environment.volumes.clone(),
    };
    let started = scene.runtime.start(&request).await;
    let instance = started.map_err(|error| failures::of_runtime(Step::Start, &error))?;
    deploying
        .journal
        .record(Event::InstanceStarted {
            instance: instance.clone(),
        })
        .await?;
    let healthy = tokio::select! {
        biased;
        healthy = wait_healthy(deploying, process, &instance) => healthy,
        ended = wait_ended(deploying, &instance) => Err(ended),
    };
    match healthy {
        Ok(healthy) => {
            // From here on the runtime keeps it up.
            let kept = scene.runtime.proven(&instance).await;
            kept.map_err(|error| failures::of_runtime(Step::Start, &error))?;
            note_healthy(deploying, process, &instance, healthy).await?;
        }
        Err(message) => {
            return Err(unhealthy(deploying, process, &instance, message)
                .await
                .into());
        }
    }
    Ok(instance)
}

async fn wait_healthy(
    deploying: &Deploying,
    process: &Process,
    instance: &Instance,
) -> Result<Healthy, String> {
    let scene = &deploying.scene;
    match (process.health.preset, instance.address) {
        (Preset::Image, _) => wait_image_healthy(deploying, instance).await,
        (_, None) => {
            let settle = Duration::from_secs(u64::from(process.health.settle_seconds));
            tokio::time::sleep(settle).await;
            Ok(Healthy {
                tries: 1,
                answer: format!("stayed up for {} s", settle.as_secs()),
                took: settle,
            })
        }
        (_, Some(address)) => {
            let host = scene.environment.domains.first();
            let healthy = scene
                .world
                .prober
                .wait_healthy(address, host, &process.health)
                .await;
            healthy.map_err(|unhealthy| unhealthy.to_string())
        }
    }
}

/// The image's own HEALTHCHECK, within the time that the seeds' rule allows.
async fn wait_image_healthy(deploying: &Deploying, instance: &Instance) -> Result<Healthy, String> {
    let started = Instant::now();
    let limit = CONNECT_TIMEOUT * shipway_core::health::TRIES + ANSWER_TIMEOUT;
    let mut tries = 0;
    while started.elapsed() < limit {
        tries += 1;
        match deploying.scene.runtime.status(instance).await {
            Ok(InstanceStatus::Running(ImageHealth::Healthy)) => {
                let answer = "the image's HEALTHCHECK passed".to_owned();
                return Ok(Healthy {
                    tries,
                    answer,
                    took: started.elapsed(),
                });
            }
            Ok(InstanceStatus::Running(ImageHealth::Unhealthy)) => {
                return Err("the image's HEALTHCHECK says unhealthy".to_owned());
            }
            Ok(InstanceStatus::Running(ImageHealth::None)) => {
                return Err(
                    "the image has no HEALTHCHECK, which health preset `image` needs".to_owned(),
                );
            }
            _ => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
    Err(format!(
        "the image's HEALTHCHECK did not pass within {} s",
        limit.as_secs()
    ))
}

/// Ends when the instance does not run any more, with how it ended.
async fn wait_ended(deploying: &Deploying, instance: &Instance) -> String {
    loop {
        match deploying.scene.runtime.status(instance).await {
            Ok(InstanceStatus::Exited(exit)) => return format!("it {exit} before it was healthy"),
            Ok(InstanceStatus::Gone) => return "it disappeared before it was healthy".to_owned(),
            Ok(InstanceStatus::Running(_)) | Err(_) => tokio::time::sleep(LOOK_EVERY).await,
        }
    }
}

async fn note_healthy(
    deploying: &Deploying,
    process: &Process,
    instance: &Instance,
    healthy: Healthy,
) -> Result<(), Broken> {
    let name = &process.name;
    deploying.scene.log.say(format!(
        "{name} {} healthy: {} (try {})",
        instance.id, healthy.answer, healthy.tries
    ));
    let event = Event::InstanceHealthy {
        id: instance.id.clone(),
        tries: healthy.tries,
        answer: healthy.answer,
        millis: u64::try_from(healthy.took.as_millis()).unwrap_or(u64::MAX),
    };
    deploying.journal.record(event).await?;
    Ok(())
}

async fn unhealthy(
    deploying: &Deploying,
    process: &Process,
    instance: &Instance,
    message: String,
) -> Failure {
    let scene = &deploying.scene;
    let message = format!(
        "{} instance {} is not healthy: {message}",
        process.name, instance.id
    );
    scene.log.say(&message);
    let lines = scene
        .runtime
        .last_lines(instance, LAST_LINES)
        .await
        .unwrap_or_default();
    let lines: Vec<String> = lines.iter().map(|line| scene.log.redacted(line)).collect();
    for line in &lines {
        scene.log.say(format!("  | {line}"));
    }
    let mut failure = Failure::new(Step::Start, Reason::Unhealthy, message);
    if process.port.is_some() {
        failure = failure.with_hint(format!(
            "the app must listen on 0.0.0.0 at the port in PORT and answer {}",
            process.health.path
        ));
    }
    failure.last_lines = lines;
    failure
}
