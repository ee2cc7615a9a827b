//! Where what is heard of a deployment is shown.

use shipway_core::ending::Ending;
use shipway_core::journal::Entry;
use shipway_core::name::DeploymentId;

use super::live::{Fold, Live};
use super::{Progress, View, Watching};
use crate::failure::Failure;
use crate::follow::Heard;
use crate::output::{Form, note, say};
use crate::render;

const LOST: &str = "connection lost, trying again …";

pub struct Screen {
    form: Form,
    view: View,
    /// The part that moves, below what is printed for good.
    live: Option<Live>,
    /// What is to be printed once a question has been answered.
    held: Option<Vec<String>>,
}

impl Screen {
    pub fn new(watching: Watching) -> Self {
        let Watching {
            view,
            form,
            progress,
        } = watching;
        let live = match (form, progress, view) {
            (Form::People, Progress::Live, View::Steps) => Some(Live::new(Fold::Folded)),
            (Form::People, Progress::Live, View::Log) => Some(Live::new(Fold::Open)),
            _ => None,
        };
        Self {
            form,
            view,
            live,
            held: None,
        }
    }

    pub fn hear(&mut self, heard: Heard) -> Result<(), Failure> {
        match heard {
            Heard::Event(entry) => self.event(&entry),
            Heard::Line(line) => match (self.form, self.view, &mut self.live) {
                (Form::Json, View::Log, _) => self.print(serde_json::to_string(&line)?),
                (Form::People, View::Steps, Some(live)) => {
                    live.line(&line);
                    Ok(())
                }
                (Form::People, View::Steps | View::Log, _) => self.print(line.text),
                _ => Ok(()),
            },
            Heard::Lost => self.link(Some(LOST)),
            Heard::Back => self.link(None),
        }
    }

    fn event(&mut self, entry: &Entry) -> Result<(), Failure> {
        let line = match (self.form, self.view, &mut self.live) {
            (Form::People, View::Events(_), _) => Some(render::deployment::event(entry)),
            (Form::People, _, Some(live)) => live.event(entry),
            (Form::People, _, None) | (Form::Json, View::Log, _) => None,
            (Form::Json, View::Steps | View::Events(_), _) => Some(serde_json::to_string(entry)?),
        };
        line.map_or(Ok(()), |line| self.print(line))
    }

    fn link(&mut self, lost: Option<&'static str>) -> Result<(), Failure> {
        match (&mut self.live, &self.held) {
            (Some(live), _) => live.link(lost),
            (None, Some(_)) => {}
            (None, None) => note(lost.unwrap_or("connected again"))?,
        }
        Ok(())
    }

    fn print(&mut self, text: String) -> Result<(), Failure> {
        match (&mut self.held, &self.live) {
            (Some(held), _) => held.push(text),
            (None, Some(live)) => live.suspend(|| say(text))?,
            (None, None) => say(text)?,
        }
        Ok(())
    }

    /// Leaves the screen to a question.
    pub fn hold(&mut self) {
        if let Some(live) = &mut self.live {
            live.hide();
        }
        self.held.get_or_insert_default();
    }

    pub fn release(&mut self) -> Result<(), Failure> {
        for text in self.held.take().unwrap_or_default() {
            say(text)?;
        }
        if let Some(live) = &mut self.live {
            live.show();
        }
        Ok(())
    }

    /// Nothing moves any more.
    pub fn clear(&mut self) -> Result<(), Failure> {
        if let Some(live) = &mut self.live {
            live.hide();
        }
        for text in self.held.take().unwrap_or_default() {
            say(text)?;
        }
        Ok(())
    }

    /// Where the log was shown it has told the whole ending; here it is once
    /// more, in a line.
    pub fn end(&mut self, id: DeploymentId, ending: &Ending) -> Result<(), Failure> {
        match (self.form, self.view, &self.live) {
            (Form::People, View::Steps, Some(_)) => {
                say(render::deployment::ending(ending))?;
                match ending {
                    Ending::Succeeded => Ok(()),
                    _ => Ok(say(format!("  the whole log: shipway logs {id}"))?),
                }
            }
            (Form::People, View::Steps | View::Log, _) => Ok(say(ending.summary())?),
            _ => Ok(()),
        }
    }
}
