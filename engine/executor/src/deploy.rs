//! The main flow of a deployment. Read [`Deploying::run`] and
//! [`Deploying::perform`] aloud and you know what Shipway does.

use std::sync::OnceLock;
use tokio::time::Instant;

use shipway_core::ending::{Ending, Failure, Reason};
use shipway_core::journal::{BuildWish, Event, Output, Subject};
use shipway_core::pipeline::{Debris, State, Step};
use shipway_core::ports::source::Checkout;
use tokio::sync::OnceCell;
use tokio_util::sync::CancellationToken;
use tracing::Instrument;
use tracing::field::Empty;

use crate::failures::{Broken, Halted};
use crate::journal::Journal;
use crate::measure;
use crate::scene::Scene;
use crate::space;
use crate::steps::{
    build, checkout, clean_up, commands, plan, retire, self_test, services, start, switch,
};

/// A deployment under way: a scene, and the pen that writes its journal.
#[derive(Debug)]
pub struct Deploying {
    pub scene: Scene,
    pub journal: Journal,
    pub cancel: Cancel,
    /// Made by the checkout step; made again when a deployment is taken up.
    pub checkout: OnceCell<Checkout>,
    pub build: BuildWish,
    pub subject: Subject,
}

impl Deploying {
    /// From wherever the journal stands to the ending.
    pub async fn run(&self) -> Result<Ending, Halted> {
        self.take_up().await?;
        loop {
            match self.go_on().await {
                Err(halted) if space::is_wanting(&halted) => space::fail(&self.journal).await?,
                outcome => return outcome,
            }
        }
    }

    async fn go_on(&self) -> Result<Ending, Halted> {
        loop {
            match self.journal.state().await {
                State::Ended(ending) => return Ok(ending),
                State::Succeeded => self.end(Ending::Succeeded).await?,
                State::CleanUp(debris) => self.clean_up(debris).await?,
                state => self.step(state).await?,
            }
        }
    }

    /// One step: its start in the journal, the act, its end in the journal.
    async fn step(&self, state: State) -> Result<(), Halted> {
        let Some(step) = self.journal.pipeline().await.step() else {
            return Ok(());
        };
        let span = tracing::info_span!(
            "step",
            otel.name = step.as_str(),
            step = step.as_str(),
            outcome = Empty,
            reason = Empty,
            otel.status_code = Empty,
        );
        self.take_step(step, state).instrument(span).await
    }

    async fn take_step(&self, step: Step, state: State) -> Result<(), Halted> {
        self.journal.record(Event::StepStarted { step }).await?;
        self.scene.log.heading(&self.title(step));
        let started = Instant::now();
        let outcome = tokio::select! {
            outcome = self.perform_or_cancel(step, state) => outcome,
            failure = space::run_out(&self.scene.log, step) => Err(failure.into()),
        };
        let millis = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.scene.log.say("");
        self.scene.log.flush().await;
        measure::step(step, &outcome, started.elapsed());
        match outcome {
            Ok(output) => {
                self.journal
                    .record(Event::StepSucceeded {
                        output: Box::new(output),
                        millis,
                    })
                    .await?
            }
            Err(Broken::Failed(failure)) => {
                self.journal
                    .record(Event::StepFailed { failure: *failure })
                    .await?
            }
            Err(Broken::Cancelled) => self.journal.record(Event::StepCancelled { step }).await?,
            Err(Broken::Halted(halted)) => return Err(halted),
        };
        Ok(())
    }

    /// The ten steps. The old version serves until `switch` and is not touched
    /// before it.
    async fn perform(&self, state: State) -> Result<Output, Broken> {
        match state {
            State::Queued | State::Services => services::check(self).await,
            State::Checkout => checkout::check_out(self).await,
            State::Build(commit) => build::image(self, &commit).await,
            State::Plan(built) => plan::complete(self, &built).await,
            State::Release(planned) => commands::release(self, &planned).await,
            State::Start(planned) => start::candidate(self, &planned).await,
            State::SelfTest(candidate) => self_test::run(self, &candidate).await,
            State::Gate(candidate) => commands::gate(self, &candidate).await,
            State::Switch(candidate) => switch::route(self, &candidate).await,
            State::Retire(routed) => retire::old(self, &routed).await,
            State::CleanUp(_) | State::Succeeded | State::Ended(_) => {
                Err(Failure::new(Step::Retire, Reason::Internal, "no step is left").into())
            }
        }
    }

    /// Steps that run commands stop by themselves and say what was running;
    /// from the switch on nothing is cancelled; every other step is dropped
    /// where it stands, and the clean-up removes what it left.
    async fn perform_or_cancel(&self, step: Step, state: State) -> Result<Output, Broken> {
        // A command whose end is not known is told of first.
        let is_unknown = self.journal.pipeline().await.has_unknown_command();
        if self.cancel.is_requested() && step < Step::Switch && !is_unknown {
            return Err(Broken::Cancelled);
        }
        match step {
            Step::Release | Step::Gate | Step::Switch | Step::Retire => self.perform(state).await,
            _ => tokio::select! {
                biased;
                outcome = self.perform(state) => outcome,
                () = self.cancel.requested() => Err(Broken::Cancelled),
            },
        }
    }

    /// Takes back what a broken deployment left, then ends it.
    async fn clean_up(&self, debris: Debris) -> Result<(), Halted> {
        clean_up::take_back(self, &debris).await?;
        let State::CleanUp(debris) = self.journal.state().await else {
            return Ok(());
        };
        let serving = self
            .scene
            .world
            .store
            .serving(&self.scene.environment.key)
            .await?;
        self.end(debris.ending(serving.map(|serving| serving.deployment)))
            .await
    }

    async fn end(&self, ending: Ending) -> Result<(), Halted> {
        clean_up::say_ending(self, &ending).await;
        self.scene.log.flush().await;
        self.journal.record(Event::Ended(ending)).await?;
        Ok(())
    }

    /// Makes a deployment that was put down fit to go on. Release commands are
    /// taken up where they were; what other steps left half done is removed.
    async fn take_up(&self) -> Result<(), Halted> {
        let pipeline = self.journal.pipeline().await;
        if let Some(by) = pipeline.cancelled_by() {
            self.cancel.request(by);
        }
        let Some(step) = pipeline.running() else {
            return Ok(());
        };
        let scene = &self.scene;
        scene.log.say(format!(
            "the engine was stopped during step {step} and takes the deployment up again"
        ));
        if step <= Step::Start
            && step != Step::Release
            && let Err(error) = scene.runtime.clean_up(scene.deployment).await
        {
            tracing::warn!(deployment = %scene.deployment, %error, "leftovers could not be removed");
        }
        Ok(())
    }

    fn title(&self, step: Step) -> String {
        let runtime = self.scene.environment.runtime;
        match step {
            Step::Services => "services check".to_owned(),
            Step::Checkout => "git checkout".to_owned(),
            Step::Build => format!("{runtime} build"),
            Step::Plan => "release plan".to_owned(),
            Step::Release => format!("{runtime} release commands"),
            Step::Start => format!("{runtime} start"),
            Step::SelfTest => "self-test".to_owned(),
            Step::Gate => format!("{runtime} gate commands"),
            Step::Switch => "switch".to_owned(),
            Step::Retire => "retire".to_owned(),
        }
    }

    /// The working directory of the commit, checked out again if need be.
    pub async fn checkout(&self, commit: &str) -> Result<&Checkout, Failure> {
        self.checkout
            .get_or_try_init(|| self.scene.check_out(commit))
            .await
    }
}

/// Whether somebody asked a deployment to stop, and who.
#[derive(Debug, Clone, Default)]
pub struct Cancel {
    token: CancellationToken,
    by: std::sync::Arc<OnceLock<String>>,
}

impl Cancel {
    pub fn request(&self, by: &str) {
        let _ = self.by.set(by.to_owned());
        self.token.cancel();
    }

    pub fn is_requested(&self) -> bool {
        self.token.is_cancelled()
    }

    pub async fn requested(&self) {
        self.token.cancelled().await;
    }
}
