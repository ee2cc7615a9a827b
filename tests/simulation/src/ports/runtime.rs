//! Where the simulation's instances run. A container goes on without the engine
//! that started it, as real ones do.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use shipway_core::environment::{EnvironmentKey, RuntimeKind};
use shipway_core::journal::{Exit, Image, Instance};
use shipway_core::name::{AppName, DeploymentId};
use shipway_core::ports::Output;
use shipway_core::ports::runtime::{
    BuildRequest, CommandRun, CommandWatcher, ExecRequest, ImageHealth, ImageKey, InstanceStatus,
    Kept, OpenCommand, Owned, ProbeOutput, ProbeRequest, Resumed, Runtime, RuntimeError,
    StartRequest,
};
use tokio::time::{Instant, sleep_until};

use crate::faults::Fate;
use crate::line::{Line, Refused};
use crate::mutant::Mutant;
use crate::world::{Effect, Open};

impl From<Refused> for RuntimeError {
    fn from(refused: Refused) -> Self {
        Self::Other {
            what: "do as asked".to_owned(),
            source: refused.into(),
        }
    }
}

#[async_trait]
impl Runtime for Line {
    fn kind(&self) -> RuntimeKind {
        RuntimeKind::Process
    }

    async fn ready(&self) -> Result<(), RuntimeError> {
        Ok(())
    }

    async fn find_image(&self, _: &ImageKey) -> Result<Option<Image>, RuntimeError> {
        let newest = self.call(|state| state.images.iter().next_back().cloned());
        Ok(newest.await?.map(|reference| Image {
            tag: reference.clone(),
            reference,
            reused: true,
        }))
    }

    async fn has_image(&self, image: &Image) -> Result<bool, RuntimeError> {
        let name = image.reference.clone();
        Ok(self.call(|state| state.images.contains(&name)).await?)
    }

    async fn build(
        &self,
        request: &BuildRequest,
        _: Arc<dyn Output>,
    ) -> Result<Image, RuntimeError> {
        Ok(self.call(|state| state.build(request.deployment)).await?)
    }

    async fn prune_images(
        &self,
        _: &AppName,
        keep: &[String],
    ) -> Result<Vec<String>, RuntimeError> {
        self.call(|state| state.images.retain(|image| keep.contains(image)))
            .await?;
        Ok(Vec::new())
    }

    async fn probe(&self, _: &ProbeRequest) -> Result<ProbeOutput, RuntimeError> {
        Ok(nothing())
    }

    async fn exec(&self, _: &ExecRequest) -> Result<ProbeOutput, RuntimeError> {
        Ok(nothing())
    }

    async fn run_commands(
        &self,
        run: &CommandRun,
        watcher: Arc<dyn CommandWatcher>,
    ) -> Result<(), RuntimeError> {
        self.call(|state| {
            state.containers.entry(run.deployment).or_default();
        })
        .await?;
        self.run_from(run, run.from, &watcher).await
    }

    /// A container of the simulation outlives its engine, and tells how what
    /// ran in it ended. Only one that nobody has made is lost.
    async fn resume_commands(
        &self,
        run: &CommandRun,
        open: Option<&OpenCommand>,
        watcher: Arc<dyn CommandWatcher>,
    ) -> Result<Resumed, RuntimeError> {
        let is_there = self.call(|state| state.containers.contains_key(&run.deployment));
        if !is_there.await? {
            return Ok(Resumed::Lost);
        }
        let Some(open) = open else {
            self.run_from(run, run.from, &watcher).await?;
            return Ok(Resumed::Ended);
        };
        let begun = self
            .world
            .state()
            .begun(run.deployment, &text(run, open.index));
        let ends = match begun {
            Some(ends) => ends,
            None => self.begin(run, open.index),
        };
        let exit = self.attend(run.deployment, ends, &watcher).await?;
        let finished = watcher
            .finished(open.index, exit, Duration::from_secs(1))
            .await;
        if finished.is_ok() && exit.is_success() {
            self.run_from(run, open.index + 1, &watcher).await?;
        } else {
            self.world.state().containers.remove(&run.deployment);
        }
        Ok(Resumed::Ended)
    }

    async fn start(&self, request: &StartRequest) -> Result<Instance, RuntimeError> {
        let started = self
            .call(|state| state.start(request.deployment, &request.process.name, request.number));
        Ok(started.await?)
    }

    async fn status(&self, instance: &Instance) -> Result<InstanceStatus, RuntimeError> {
        let is_there = self.call(|state| state.instances.contains_key(&instance.id));
        Ok(match is_there.await? {
            true => InstanceStatus::Running(ImageHealth::None),
            false => InstanceStatus::Gone,
        })
    }

    async fn last_lines(&self, _: &Instance, _: usize) -> Result<Vec<String>, RuntimeError> {
        Ok(vec!["its last line".to_owned()])
    }

    async fn stop(&self, instance: &Instance, _: Duration) -> Result<(), RuntimeError> {
        Ok(self.call(|state| state.stop(&instance.id)).await?)
    }

    async fn instances(&self, _: &EnvironmentKey) -> Result<Vec<Owned>, RuntimeError> {
        let all = self.call(|state| {
            let owned = state.instances.values().map(|running| Owned {
                deployment: running.deployment,
                instance: running.instance.clone(),
            });
            owned.collect()
        });
        Ok(all.await?)
    }

    async fn set_aside(&self, deployment: DeploymentId) -> Result<Vec<Kept>, RuntimeError> {
        self.call(|state| state.set_aside(deployment)).await?;
        Ok(vec![Kept {
            what: "web.1".to_owned(),
            place: format!("container {deployment}"),
        }])
    }

    async fn discard_runs(&self, deployment: DeploymentId) -> Result<(), RuntimeError> {
        self.call(|state| state.containers.remove(&deployment))
            .await?;
        Ok(())
    }

    async fn clean_up(&self, deployment: DeploymentId) -> Result<(), RuntimeError> {
        if self.world.mutant() == Some(Mutant::LeaveLeftovers) {
            return Ok(());
        }
        Ok(self.call(|state| state.clean_up(deployment)).await?)
    }
}

impl Line {
    async fn run_from(
        &self,
        run: &CommandRun,
        from: usize,
        watcher: &Arc<dyn CommandWatcher>,
    ) -> Result<(), RuntimeError> {
        for index in from..run.commands.len() {
            if watcher.starting(index).await.is_err() {
                break;
            }
            self.alive().await;
            let ends = self.begin(run, index);
            let exit = self.attend(run.deployment, ends, watcher).await?;
            let finished = watcher.finished(index, exit, Duration::from_secs(1)).await;
            if finished.is_err() || !exit.is_success() {
                break;
            }
        }
        self.alive().await;
        self.world.state().containers.remove(&run.deployment);
        Ok(())
    }

    /// Starts a command; it ends by itself, whether or not anybody looks.
    fn begin(&self, run: &CommandRun, index: usize) -> Instant {
        let (time, exit) = self.how_it_goes();
        let ends = Instant::now() + time;
        let mut state = self.world.state();
        state.effects.push(Effect {
            deployment: run.deployment,
            image: run.image.reference.clone(),
            run: text(run, index),
            exit: None,
        });
        let effect = state.effects.len() - 1;
        let container = state.containers.entry(run.deployment).or_default();
        container.open = Some(Open { effect, ends, exit });
        ends
    }

    fn how_it_goes(&self) -> (Duration, Exit) {
        let mut faults = self.world.faults();
        let most = match faults.number(10) {
            0 => 900_000,
            _ => 10_000,
        };
        let time = Duration::from_millis(faults.number(most));
        let code = i32::from(faults.number(15) == 0);
        (time, Exit::Code { code })
    }

    /// Waits for a command's end, or for a cancel; the connection may break.
    async fn attend(
        &self,
        deployment: DeploymentId,
        ends: Instant,
        watcher: &Arc<dyn CommandWatcher>,
    ) -> Result<Exit, RuntimeError> {
        let fate = self.fate().await;
        if matches!(fate, Fate::Fails | Fate::AnswerLost) {
            return Err(Refused.into());
        }
        let is_cancelled = tokio::select! {
            biased;
            () = sleep_until(ends) => false,
            () = watcher.cancelled() => true,
        };
        self.after(fate).await;
        let mut state = self.world.state();
        Ok(match is_cancelled {
            true => state.cancel_command(deployment),
            false => state.last_exit(deployment),
        })
    }
}

fn text(run: &CommandRun, index: usize) -> String {
    let command = run.commands.get(index);
    command.map_or_else(String::new, |command| command.run.to_string())
}

fn nothing() -> ProbeOutput {
    ProbeOutput {
        exit_code: 0,
        stdout: Vec::new(),
        stderr: Vec::new(),
        truncated: false,
    }
}
