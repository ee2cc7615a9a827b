//! Step 7: the self-test plugins look at the candidate on its private address.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use shipway_core::ending::{Failure, Reason};
use shipway_core::journal::{CheckOutcome, Event, Output};
use shipway_core::name::PluginName;
use shipway_core::pipeline::{Candidate, Step, checks_pass};
use shipway_core::plugin::Role;
use shipway_core::ports::plugins::{CandidateExec, Check, Endpoint};
use shipway_core::ports::runtime::{ExecRequest, ProbeOutput, Runtime, RuntimeError};

use crate::deploy::Deploying;
use crate::failures::{self, Broken};
use crate::variables::variables;

/// The limits of a command in the candidate, as the plugin contract states them.
const EXEC_TIMEOUT: Duration = Duration::from_secs(60);
const EXEC_LIMIT: usize = 1024 * 1024;

pub async fn run(deploying: &Deploying, candidate: &Candidate) -> Result<Output, Broken> {
    let names = &candidate.planned.plan.self_tests;
    if names.is_empty() {
        deploying.scene.log.say("no self-tests");
    }
    let mut outcomes = Vec::new();
    let mut first_failure = None;
    for name in names {
        for check in ask(deploying, candidate, name).await? {
            outcomes.push(check.outcome);
            if check.outcome == CheckOutcome::Fail {
                first_failure.get_or_insert_with(|| failure(name, &check));
            }
            note(deploying, name, check).await?;
        }
    }
    if let Some(failure) = first_failure.filter(|_| !checks_pass(&outcomes)) {
        return Err(failure.into());
    }
    let count = |wanted: CheckOutcome| {
        outcomes
            .iter()
            .filter(|outcome| **outcome == wanted)
            .count()
    };
    Ok(Output::SelfTest {
        checks: as_u32(outcomes.len()),
        warnings: as_u32(count(CheckOutcome::Warn)),
    })
}

async fn ask(
    deploying: &Deploying,
    candidate: &Candidate,
    name: &PluginName,
) -> Result<Vec<Check>, Broken> {
    let scene = &deploying.scene;
    let plugin = scene.plugin(Step::SelfTest, name, Role::SelfTest).await?;
    let mut call = scene.call(plugin);
    let commit = candidate.planned.commit.id.as_str();
    call.files = Some(deploying.checkout(commit).await?.files.clone());
    call.commit = Some(candidate.planned.commit.id.clone());
    call.candidate = endpoints(deploying, candidate);
    call.exec = Some(Arc::new(Exec::of(deploying, candidate)));
    let report = scene.world.plugins.self_test(&call).await;
    report.map_err(|error| failures::of_plugin(Step::SelfTest, name, &error).into())
}

fn endpoints(deploying: &Deploying, candidate: &Candidate) -> Vec<Endpoint> {
    let host = deploying
        .scene
        .environment
        .domains
        .first()
        .map(ToString::to_string);
    let addressed = candidate.instances.iter().filter_map(|instance| {
        let address = instance.address?;
        Some(Endpoint {
            process: instance.process.to_string(),
            address,
            host: host.clone(),
        })
    });
    addressed.collect()
}

/// Runs commands in the candidate's instances.
#[derive(Debug)]
struct Exec {
    runtime: Arc<dyn Runtime>,
    /// For any instance; which one, the process type tells.
    requests: Vec<ExecRequest>,
}

impl Exec {
    fn of(deploying: &Deploying, candidate: &Candidate) -> Self {
        let scene = &deploying.scene;
        let planned = &candidate.planned;
        let commit = &planned.commit.id;
        let given = variables(&scene.environment, scene.deployment, commit, None);
        let requests = candidate.instances.iter().map(|instance| ExecRequest {
            deployment: scene.deployment,
            instance: instance.clone(),
            image: planned.image.clone(),
            argv: Vec::new(),
            variables: given.clone(),
            timeout: EXEC_TIMEOUT,
            limit: EXEC_LIMIT,
        });
        Self {
            runtime: scene.runtime.clone(),
            requests: requests.collect(),
        }
    }
}

#[async_trait]
impl CandidateExec for Exec {
    async fn run(
        &self,
        process: &str,
        argv: Vec<String>,
    ) -> Result<Option<ProbeOutput>, RuntimeError> {
        let mut requests = self.requests.iter();
        let Some(request) = requests.find(|r| r.instance.process.as_str() == process) else {
            return Ok(None);
        };
        let request = ExecRequest {
            argv,
            ..request.clone()
        };
        self.runtime.exec(&request).await.map(Some)
    }
}

async fn note(deploying: &Deploying, plugin: &PluginName, check: Check) -> Result<(), Broken> {
    deploying.scene.log.say(format!(
        "{:<40} ... {} ({plugin}: {})",
        check.name, check.outcome, check.message
    ));
    let event = Event::CheckReported {
        plugin: plugin.clone(),
        name: check.name,
        outcome: check.outcome,
        message: check.message,
        millis: u64::try_from(check.took.as_millis()).unwrap_or(u64::MAX),
    };
    deploying.journal.record(event).await?;
    Ok(())
}

fn failure(plugin: &PluginName, check: &Check) -> Failure {
    let message = format!("self-test {plugin}: {}: {}", check.name, check.message);
    let mut failure = Failure::new(Step::SelfTest, Reason::SelfTest, message);
    failure.plugin = Some(plugin.clone());
    failure
}

fn as_u32(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}
