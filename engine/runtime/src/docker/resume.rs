//! Goes on with release commands that an engine before this one has started.
//!
//! The container's own log is the durable record: it is read from its start, the
//! driver's markers tell which lines are whose, and lines that are stored
//! already are passed over. What the log does not tell is not guessed.

use std::collections::BTreeMap;
use std::time::Instant;

use bollard::models::{ContainerSummary, ContainerSummaryStateEnum};
use shipway_core::journal::Exit;
use shipway_core::ports::runtime::{
    Command, CommandRun, CommandWatcher, OpenCommand, Resumed, RuntimeError,
};
use shipway_core::release::Entrypoint;

use super::attended::{Attended, Attending, End, Limit, told_already};
use super::commands::{Driven, Job, Next, Shared, exit_apart, exit_driven, remove_all_of};
use super::container;
use super::engine::Engine;
use super::label::{COMMAND, DEPLOYMENT, NONCE, RUN, Role};
use super::marks::Marked;
use super::one_off::{OneOff, Started};

/// What the engine says of a container that was running when the machine went
/// down: it does not know better.
const UNKNOWN: Exit = Exit::Code { code: 255 };

/// An error leaves the run as it is, to be tried again.
pub async fn resume(
    engine: &Engine,
    run: &CommandRun,
    open: Option<&OpenCommand>,
    watcher: &dyn CommandWatcher,
) -> Result<Resumed, RuntimeError> {
    let mut resuming = Resuming {
        job: Job::new(engine, run, watcher),
        left: Left::of(engine, run).await?,
    };
    let mut shared = Shared::NotYet;
    let last = match open {
        Some(open) => resuming.open_command(open, &mut shared).await?,
        None => resuming.between_two(&mut shared).await?,
    };
    match last {
        Some(last) => {
            shared.close(last).await?;
            Ok(Resumed::Ended)
        }
        None => {
            remove_all_of(engine, run).await?;
            Ok(Resumed::Lost)
        }
    }
}

/// The containers of a run.
#[derive(Default)]
struct Left {
    /// The one with the driver in it.
    shared: Option<One>,
    /// Those of one command each, by its index.
    apart: BTreeMap<usize, One>,
}

struct One {
    id: String,
    /// The first command.
    from: usize,
    nonce: Option<String>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    NotStarted,
    Running,
    Ended,
}

impl Left {
    async fn of(engine: &Engine, run: &CommandRun) -> Result<Self, RuntimeError> {
        let deployment = run.deployment.to_string();
        let labels = [(DEPLOYMENT, deployment.as_str()), (RUN, run.name.as_str())];
        let found = container::list(engine, &labels, &[Role::Commands]).await?;
        let mut left = Self::default();
        for one in found.into_iter().filter_map(One::of) {
            match one.nonce {
                Some(_) => left.shared = Some(one),
                None => drop(left.apart.insert(one.from, one)),
            }
        }
        Ok(left)
    }

    /// The one with the driver, unless it has ended.
    fn take_shared_at_work(&mut self) -> Option<One> {
        self.shared.take_if(|one| one.state != State::Ended)
    }
}

impl One {
    fn of(container: ContainerSummary) -> Option<Self> {
        let labels = container.labels?;
        Some(Self {
            id: container.id?,
            from: labels.get(COMMAND)?.parse().ok()?,
            nonce: labels.get(NONCE).cloned(),
            state: match container.state {
                Some(ContainerSummaryStateEnum::CREATED) => State::NotStarted,
                Some(
                    ContainerSummaryStateEnum::EXITED
                    | ContainerSummaryStateEnum::DEAD
                    | ContainerSummaryStateEnum::REMOVING,
                ) => State::Ended,
                _ => State::Running,
            },
        })
    }
}

struct Resuming<'a> {
    job: Job<'a>,
    left: Left,
}

impl<'a> Resuming<'a> {
    /// What came of the last command; none where the run is lost.
    async fn between_two(&mut self, shared: &mut Shared) -> Result<Option<Next>, RuntimeError> {
        let Some(one) = self.left.take_shared_at_work() else {
            return Ok(None);
        };
        let Some(driven) = self.take_up(&one).await? else {
            return Ok(None);
        };
        *shared = Shared::Up(Box::new(driven));
        let last = self.job.all_from(self.job.run.from, shared).await?;
        Ok(Some(last))
    }

    async fn open_command(
        &mut self,
        open: &OpenCommand,
        shared: &mut Shared,
    ) -> Result<Option<Next>, RuntimeError> {
        let run = self.job.run;
        let Some(command) = run.commands.get(open.index) else {
            return Ok(None);
        };
        let next = match (self.left.apart.remove(&open.index), command.entrypoint) {
            (Some(one), _) => self.apart(&one, open, command, shared).await?,
            (None, Entrypoint::Bypass) => self.in_shared(open, command, shared).await?,
            (None, Entrypoint::Keep) => None,
        };
        match next {
            Some(Next::Start) => {
                let last = self.job.all_from(open.index + 1, shared).await?;
                Ok(Some(last))
            }
            last => Ok(last),
        }
    }

    /// None if nobody knows how the command ended.
    async fn in_shared(
        &mut self,
        open: &OpenCommand,
        command: &Command,
        shared: &mut Shared,
    ) -> Result<Option<Next>, RuntimeError> {
        let Some(one) = self.left.shared.take() else {
            return Ok(None);
        };
        let mut attending = self.attending(open, command);
        if one.has_ended(open.index, self.job.engine).await? {
            attending.limit = Limit::None;
        }
        let Some(mut driven) = self.take_up(&one).await? else {
            return Ok(None);
        };
        let again = Instant::now();
        let end = driven.attend(&attending).await?;
        if end == End::OfContainer && one.state == State::Ended {
            return Ok(None);
        }
        let exit = exit_driven(&driven.attended.container, end).await?;
        let took = open.started_before + again.elapsed();
        let next = self.job.finish(open.index, exit, took).await;
        if one.state == State::Ended {
            // Another one runs the commands that follow.
            driven.attended.close(next).await?;
        } else {
            *shared = Shared::Up(Box::new(driven));
        }
        Ok(Some(next))
    }

    /// The same for a command that has a container of its own.
    async fn apart(
        &mut self,
        one: &One,
        open: &OpenCommand,
        command: &Command,
        shared: &mut Shared,
    ) -> Result<Option<Next>, RuntimeError> {
        let container = OneOff::found(self.job.engine, one.id.clone()).await?;
        if one.state == State::NotStarted
            && let Started::CannotExecute(message) = container.start().await?
        {
            let job = &self.job;
            let next = job.not_started(open.index, command, container, &message);
            return next.await.map(Some);
        }
        let mut attending = self.attending(open, command);
        attending.after = None;
        if one.state == State::Ended {
            attending.limit = Limit::None;
        }
        let again = Instant::now();
        let mut attended = Attended::found(container, None, Marked::default(), open.index);
        let end = attended.attend(&attending).await?;
        let exit = exit_apart(&attended.container, end).await?;
        if one.state == State::Ended && exit == UNKNOWN {
            return Ok(None);
        }
        let took = open.started_before + again.elapsed();
        let next = self.job.finish(open.index, exit, took).await;
        attended.close(next).await?;
        *shared = self.shared_after(command).await?;
        Ok(Some(next))
    }

    /// For the commands that follow one with a container of its own.
    async fn shared_after(&mut self, command: &Command) -> Result<Shared, RuntimeError> {
        if command.entrypoint == Entrypoint::Bypass {
            return Ok(Shared::Impossible);
        }
        let Some(one) = self.left.take_shared_at_work() else {
            return Ok(Shared::NotYet);
        };
        let driven = self.take_up(&one).await?;
        Ok(driven.map_or(Shared::NotYet, |driven| Shared::Up(Box::new(driven))))
    }

    fn attending(&self, open: &OpenCommand, command: &Command) -> Attending<'a> {
        let left = command.timeout.saturating_sub(open.started_before);
        Attending {
            stored: open.into(),
            limit: Limit::Left {
                left,
                of: command.timeout,
            },
            ..self.job.attending(open.index, command)
        }
    }

    /// None for one that cannot even be started.
    async fn take_up(&self, one: &One) -> Result<Option<Driven>, RuntimeError> {
        let container = OneOff::found(self.job.engine, one.id.clone()).await?;
        if one.state == State::NotStarted && container.start().await? != Started::Yes {
            return Ok(None);
        }
        let input = match one.state {
            State::Ended => None,
            State::NotStarted | State::Running => Some(container.input().await?),
        };
        let nonce = one.nonce.clone().unwrap_or_default();
        let attended = Attended::found(container, input, Marked::by(&nonce), one.from);
        Ok(Some(Driven { nonce, attended }))
    }
}

impl One {
    /// Whether the command is over, so that no limit can stop it any more.
    async fn has_ended(&self, index: usize, engine: &Engine) -> Result<bool, RuntimeError> {
        if self.state != State::Running {
            return Ok(self.state == State::Ended);
        }
        let container = OneOff::found(engine, self.id.clone()).await?;
        let marked = Marked::by(self.nonce.as_deref().unwrap_or_default());
        Ok(told_already(&container, marked, index).await?.is_some())
    }
}
