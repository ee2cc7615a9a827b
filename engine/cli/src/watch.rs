//! Shows a deployment while it runs: on a terminal a list of its steps or its
//! log, in a pipe plain lines, for programs JSON lines. Ctrl-C asks whether to
//! go on without it or to cancel it.

mod interrupt;
mod live;
mod question;
mod screen;
mod steps;

use std::cell::RefCell;
use std::io::{self, IsTerminal};

use reqwest::Method;
use shipway_api::wire::deployment::Deployment;
use shipway_core::ending::Ending;
use shipway_core::name::DeploymentId;

use self::interrupt::{Call, Interrupts};
use self::question::{Answer, Question};
use self::screen::Screen;
use crate::client::Client;
use crate::failure::{Again, Failure};
use crate::follow::{self, What};
use crate::output::{Form, note};

/// What is shown of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum View {
    /// The steps on a terminal, the log elsewhere.
    Steps,
    Log,
    /// The events after this one.
    Events(u64),
}

/// Whether what is shown may move.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    Live,
    Plain,
}

/// The flag of the verbs that follow.
#[derive(Debug, Clone, Copy, clap::Args)]
pub struct ProgressFlag {
    /// Plain lines, as where there is no terminal or CI is set
    #[arg(long)]
    no_progress: bool,
}

impl ProgressFlag {
    pub fn progress(self) -> Progress {
        let said = |name: &str| std::env::var(name).unwrap_or_default();
        let in_ci = !matches!(said("CI").as_str(), "" | "0" | "false");
        let terminal = io::stderr().is_terminal() && io::stdout().is_terminal();
        if self.no_progress || in_ci || said("TERM") == "dumb" || !terminal {
            return Progress::Plain;
        }
        Progress::Live
    }
}

#[derive(Debug, Clone, Copy)]
pub struct Watching {
    pub view: View,
    pub form: Form,
    pub progress: Progress,
}

/// Watches to the end. None when the watcher detached.
pub async fn watch(
    client: &Client,
    id: DeploymentId,
    watching: Watching,
) -> Result<Option<Ending>, Failure> {
    let screen = RefCell::new(Screen::new(watching));
    let (what, after) = match (watching.form, watching.view) {
        (_, View::Events(after)) => (What::Events, after),
        (Form::Json, View::Steps) => (What::Events, 0),
        _ => (What::EventsAndLog, 0),
    };
    let following = follow::follow(client, id, what, after, |heard| {
        screen.borrow_mut().hear(heard)
    });
    let mut calls = Calls::new(client, id, watching.form)?;
    tokio::pin!(following);
    loop {
        tokio::select! {
            ending = &mut following => {
                screen.borrow_mut().clear()?;
                let ending = ending.map_err(|failure| lost(failure, id))?;
                screen.borrow_mut().end(id, &ending)?;
                return Ok(Some(ending));
            }
            next = calls.next() => match next {
                Next::Detach => break,
                Next::Ask => {
                    // First, for the question takes the place of what moves.
                    screen.borrow_mut().hold();
                    if calls.put().is_err() {
                        break;
                    }
                }
                Next::GoOn => screen.borrow_mut().release()?,
                Next::Cancel => {
                    calls.cancel().await?;
                    screen.borrow_mut().release()?;
                }
            },
        }
    }
    screen.borrow_mut().clear()?;
    note(format!(
        "detached; the deployment goes on\n  to follow it: shipway logs -f {id}\n  to cancel it: shipway cancel {id}"
    ))?;
    Ok(None)
}

/// Losing sight of a deployment does not stop it.
fn lost(mut failure: Failure, id: DeploymentId) -> Failure {
    if failure.again == Again::No {
        return failure;
    }
    let come_back = format!("the deployment may go on; to follow it: shipway logs -f {id}");
    failure.hint = Some(match failure.hint {
        Some(hint) => format!("{hint}\n{come_back}"),
        None => come_back,
    });
    failure
}

/// What Ctrl-C leads to.
enum Next {
    Detach,
    /// Somebody may say what is meant.
    Ask,
    GoOn,
    Cancel,
}

/// Who calls, and whether they are asked what they mean.
struct Calls<'a> {
    client: &'a Client,
    id: DeploymentId,
    interrupts: Interrupts,
    question: Option<Question>,
    /// Whether anybody is there to answer, and the answer could change something.
    ask: bool,
}

impl<'a> Calls<'a> {
    fn new(client: &'a Client, id: DeploymentId, form: Form) -> Result<Self, Failure> {
        Ok(Self {
            client,
            id,
            interrupts: Interrupts::listen()?,
            question: None,
            ask: form == Form::People && io::stdin().is_terminal() && io::stderr().is_terminal(),
        })
    }

    async fn next(&mut self) -> Next {
        tokio::select! {
            call = self.interrupts.next() => match call {
                // A second Ctrl-C is an answer as well.
                Call::Interrupt if self.ask && self.question.is_none() => Next::Ask,
                Call::Interrupt | Call::End => Next::Detach,
            },
            answer = question::answer(&mut self.question) => {
                self.question = None;
                match answer {
                    Answer::Detach => Next::Detach,
                    Answer::Cancel => Next::Cancel,
                    Answer::GoOn => Next::GoOn,
                }
            }
        }
    }

    /// Nobody is there after all when it cannot be asked.
    fn put(&mut self) -> io::Result<()> {
        self.question = Some(Question::put()?);
        Ok(())
    }

    /// What is refused is said, and the deployment is followed on.
    async fn cancel(&mut self) -> Result<(), Failure> {
        let at = self
            .client
            .at(&["deployments", &self.id.to_string(), "cancel"]);
        let asked: Result<Deployment, Failure> =
            at.send(Method::POST, &serde_json::json!({})).await;
        match asked {
            Ok(_) => {
                // From now on Ctrl-C can only mean to leave.
                self.ask = false;
                Ok(note(
                    "asked it to stop; following it to its end (Ctrl-C detaches)",
                )?)
            }
            Err(failure) => Ok(note(failure.to_string())?),
        }
    }
}
