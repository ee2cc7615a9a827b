//! Shows a deployment while it runs: on a terminal the log with the steps and
//! a spinner below it, in a pipe plain lines, for programs its events as JSON
//! lines. Ctrl-C leaves it running and says how to come back.

use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use shipway_core::ending::Ending;
use shipway_core::journal::{Entry, Event};
use shipway_core::name::DeploymentId;

use crate::client::Client;
use crate::failure::{Again, Failure};
use crate::follow::{self, Heard, What};
use crate::output::{Form, note, say, took};
use crate::render;

/// Where the watching begins.
#[derive(Debug, Clone, Copy)]
pub enum Begin {
    FromStart,
    /// With the events after this one; no log.
    After(u64),
}

/// Watches to the end. None when the watcher detached.
pub async fn watch(
    client: &Client,
    id: DeploymentId,
    form: Form,
    begin: Begin,
) -> Result<Option<Ending>, Failure> {
    let screen = Screen::new(form, begin);
    let (what, after) = match (form, begin) {
        (Form::Json, Begin::FromStart) => (What::Events, 0),
        (Form::People, Begin::FromStart) => (What::EventsAndLog, 0),
        (_, Begin::After(after)) => (What::Events, after),
    };
    let following = follow::follow(client, id, what, after, |heard| screen.hear(heard));
    let outcome = tokio::select! {
        ending = following => Some(ending),
        _ = tokio::signal::ctrl_c() => None,
    };
    screen.clear();
    match outcome {
        Some(ending) => {
            let ending = ending.map_err(|failure| lost(failure, id))?;
            screen.end(&ending)?;
            Ok(Some(ending))
        }
        None => {
            note(format!(
                "detached; the deployment goes on\n  to follow it: shipway logs -f {id}\n  to cancel it: shipway cancel {id}"
            ))?;
            Ok(None)
        }
    }
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

struct Screen {
    form: Form,
    begin: Begin,
    /// Hidden where there is no terminal.
    spinner: ProgressBar,
}

impl Screen {
    fn new(form: Form, begin: Begin) -> Self {
        let live = form == Form::People && io::stderr().is_terminal() && io::stdout().is_terminal();
        let target = match live {
            true => ProgressDrawTarget::stderr(),
            false => ProgressDrawTarget::hidden(),
        };
        let spinner = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg} ({elapsed})") {
            spinner.set_style(style);
        }
        spinner.set_message("queued");
        spinner.enable_steady_tick(Duration::from_millis(120));
        Self {
            form,
            begin,
            spinner,
        }
    }

    fn hear(&self, heard: Heard) -> Result<(), Failure> {
        match heard {
            Heard::Line(line) => self.print(&line.text),
            Heard::Event(entry) => self.event(&entry),
            Heard::Lost => {
                let lost = || note("connection lost, trying again …");
                Ok(self.spinner.suspend(lost)?)
            }
        }
    }

    fn event(&self, entry: &Entry) -> Result<(), Failure> {
        if self.form == Form::Json {
            return Ok(say(serde_json::to_string(entry)?)?);
        }
        if let Begin::After(_) = self.begin {
            return self.print(&render::deployment::event(entry));
        }
        match &entry.event {
            Event::StepStarted { step } => {
                self.spinner.reset_elapsed();
                self.spinner.set_message(step.to_string());
            }
            Event::CommandStarted { label, .. } => {
                self.spinner.reset_elapsed();
                self.spinner.set_message(label.to_string());
            }
            Event::StepSucceeded { output, millis } if !self.spinner.is_hidden() => {
                self.print(&format!("✓ {} ({})", output.step(), took(*millis)))?;
            }
            Event::StepFailed { failure } if !self.spinner.is_hidden() => {
                self.print(&format!("✗ {} ({})", failure.step, failure.reason))?;
            }
            Event::CancelRequested { .. } => self.spinner.set_message("cancelling"),
            _ => {}
        }
        Ok(())
    }

    fn print(&self, text: &str) -> Result<(), Failure> {
        Ok(self.spinner.suspend(|| say(text))?)
    }

    fn clear(&self) {
        self.spinner.finish_and_clear();
    }

    /// The log has told the whole ending; here it is once more, in a line.
    fn end(&self, ending: &Ending) -> Result<(), Failure> {
        match (self.form, self.begin) {
            (Form::People, Begin::FromStart) => Ok(say(ending.summary())?),
            _ => Ok(()),
        }
    }
}
