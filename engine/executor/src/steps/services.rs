//! Step 1: every backing service must answer before anything is begun. The
//! services that only the commit's file declares are asked right after checkout.

use std::time::Duration;

use futures::future::join_all;
use shipway_core::ending::{Failure, Reason};
use shipway_core::environment::Service;
use shipway_core::journal::Output;
use shipway_core::pipeline::Step;
use shipway_core::plan::service_url;

use crate::deploy::Deploying;
use crate::failures::Broken;
use crate::scene::Scene;

pub async fn check(deploying: &Deploying) -> Result<Output, Broken> {
    let scene = &deploying.scene;
    let services = scene.environment.services.clone();
    if services.is_empty() {
        scene.log.say("no services in the settings");
    }
    Ok(Output::Services {
        answered: ask(scene, Step::Services, &services).await?,
    })
}

/// Asks all services at once; names the first that does not answer.
pub async fn ask(scene: &Scene, step: Step, services: &[Service]) -> Result<Vec<String>, Failure> {
    let answers = join_all(services.iter().map(|service| ask_one(scene, service))).await;
    let mut first_failure = None;
    for (service, answer) in services.iter().zip(answers) {
        match answer {
            Ok(answer) => scene.log.say(format!("{:<24} ... {answer}", service.name)),
            Err(problem) => {
                scene
                    .log
                    .say(format!("{:<24} ... failed ({problem})", service.name));
                first_failure.get_or_insert_with(|| failure(step, service, &problem));
            }
        }
    }
    match first_failure {
        Some(failure) => Err(failure),
        None => Ok(services
            .iter()
            .map(|service| service.name.clone())
            .collect()),
    }
}

async fn ask_one(scene: &Scene, service: &Service) -> Result<String, String> {
    let url =
        service_url(service, &scene.environment.variables).map_err(|error| error.to_string())?;
    let timeout = Duration::from_secs(u64::from(service.timeout_seconds));
    scene
        .world
        .prober
        .service(&url, timeout)
        .await
        .map_err(|down| scene.log.redacted(&down.to_string()))
}

fn failure(step: Step, service: &Service, problem: &str) -> Failure {
    Failure::new(
        step,
        Reason::Services,
        format!("service {:?} did not answer: {problem}", service.name),
    )
    .with_hint("start the service or correct its URL, then deploy again; nothing has been changed")
}
