//! What every runtime must do, told as functions over `&dyn Runtime`. Each
//! adapter's own tests build a [`Fixture`] and call [`every_case`], or single
//! cases by name; a new rule is a new case here, not a test of one adapter.
//!
//! What the image of the fixture must have: `/bin/sh` with the usual tools
//! (`cat`, `echo`, `sleep`, `env`, `grep`, `kill`, `ls`, `rm`, `sort`, `touch`, `wc`).

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "tests"
)]

pub mod aside;
pub mod commands;
pub mod exec;
pub mod images;
pub mod instances;
pub mod probes;
pub mod recorder;
pub mod recovery;

use std::sync::Arc;
use std::time::Duration;

use shipway_core::environment::Limits;
use shipway_core::journal::Image;
use shipway_core::name::{DeploymentId, RunName};
use shipway_core::ports::runtime::{
    BuildRequest, Command, CommandRun, Runtime, Variables, WhenFailed,
};
use shipway_core::process::{DecidedBy, Process};
use shipway_core::release::{Entrypoint, Invocation, Phase};
use shipway_core::secret::Secret;

/// One runtime with an image that it has built.
pub struct Fixture {
    pub runtime: Arc<dyn Runtime>,
    /// Makes another one on the same machine and state, as an engine does that
    /// was started again.
    pub another: Box<dyn Fn() -> Arc<dyn Runtime> + Send + Sync>,
    /// What the image was built from; it may be built again. Its app and
    /// environment are unlike those of every other fixture on the machine.
    pub build: BuildRequest,
    /// What that build gave.
    pub image: Image,
    /// For `sh -c`: answers HTTP on `$PORT` with 200 to `GET /`, in the
    /// foreground.
    pub web: String,
    /// The port that `web` is told to open, where the runtime does not choose.
    pub port: u16,
}

/// Runs every case, one after the other.
pub async fn every_case(fixture: &Fixture) {
    assert!(fixture.runtime.ready().await.is_ok());
    images::every_case(fixture).await;
    commands::every_case(fixture).await;
    recovery::every_case(fixture).await;
    probes::every_case(fixture).await;
    instances::every_case(fixture).await;
    exec::every_case(fixture).await;
    aside::every_case(fixture).await;
}

impl Fixture {
    /// A deployment of this case alone.
    pub fn deployment(&self) -> DeploymentId {
        DeploymentId(uuid::Uuid::now_v7())
    }

    pub fn command_run(&self, commands: Vec<Command>) -> CommandRun {
        CommandRun {
            environment: self.build.environment.clone(),
            deployment: self.deployment(),
            name: RunName::of_phase(Phase::Release),
            image: self.image.clone(),
            commands,
            from: 0,
            when_failed: WhenFailed::Discard,
            variables: variables(&[]),
            port: Some(self.port),
            limits: Limits::default(),
            volumes: Vec::new(),
        }
    }

    pub fn web_process(&self) -> Process {
        self.process("web", &self.web, Some(self.port))
    }

    pub fn process(&self, name: &str, command: &str, port: Option<u16>) -> Process {
        Process {
            name: name.parse().unwrap(),
            command: Some(command.to_owned()),
            port,
            instances: 1,
            health: Default::default(),
            decided_by: DecidedBy::Procfile,
        }
    }
}

pub fn variables(pairs: &[(&str, &str)]) -> Variables {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), Secret::new(*value)))
        .collect()
}

pub fn shell(script: &str) -> Command {
    Command {
        run: Invocation::Shell(script.to_owned()),
        entrypoint: Entrypoint::Bypass,
        timeout: Duration::from_secs(60),
    }
}

pub fn argv(arguments: &[&str]) -> Command {
    Command {
        run: Invocation::Argv(arguments.iter().map(|&a| a.to_owned()).collect()),
        entrypoint: Entrypoint::Bypass,
        timeout: Duration::from_secs(60),
    }
}

/// Asks until the answer is yes, at most 20 s.
pub async fn eventually<F>(what: &str, mut ask: impl FnMut() -> F)
where
    F: Future<Output = bool>,
{
    let asking = async {
        while !ask().await {
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    };
    if tokio::time::timeout(Duration::from_secs(20), asking)
        .await
        .is_err()
    {
        panic!("did not happen within 20 s: {what}");
    }
}
