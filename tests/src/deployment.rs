//! A deployment, followed through the API.

use std::time::Duration;

use serde_json::Value;

use crate::ship::Ship;
use crate::wait::until;

/// The longest that a test's deployment takes on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(240);

#[derive(Debug)]
pub struct Deployment<'a> {
    ship: &'a Ship,
    pub id: String,
}

impl<'a> Deployment<'a> {
    pub fn new(ship: &'a Ship, id: String) -> Self {
        Self { ship, id }
    }

    pub fn path(&self, rest: &str) -> String {
        format!("/v1/deployments/{}{rest}", self.id)
    }

    pub fn now(&self) -> Value {
        self.ship.api.get(&self.path("")).ok()
    }

    /// Waits for the end.
    pub fn ended(self) -> Self {
        until(&format!("deployment {} ends", self.id), PATIENCE, || {
            (!self.now()["ending"].is_null()).then_some(())
        });
        self
    }

    /// Waits until an event says what is asked for.
    pub fn until_event(&self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        until(what, PATIENCE, || {
            self.events().into_iter().find(|event| is_it(event))
        })
    }

    /// It succeeded, or the test shows its log.
    #[track_caller]
    pub fn succeeded(&self) -> &Self {
        let now = self.now();
        assert_eq!(now["status"], "succeeded", "{now:#}\n{}", self.log());
        self
    }

    /// The failure of one that failed at a step for a reason.
    #[track_caller]
    pub fn failed(&self, step: &str, reason: &str) -> Value {
        let now = self.now();
        let failure = now["ending"]["failure"].clone();
        assert_eq!(now["status"], "failed", "{now:#}\n{}", self.log());
        assert_eq!(failure["step"], step, "{failure:#}\n{}", self.log());
        assert_eq!(failure["reason"], reason, "{failure:#}\n{}", self.log());
        failure
    }

    pub fn ending(&self) -> Value {
        self.now()["ending"].clone()
    }

    /// The log as text.
    pub fn log(&self) -> String {
        self.ship.api.get(&self.path("/log")).text()
    }

    /// The lines under a heading of the log, up to the next heading.
    #[track_caller]
    pub fn section(&self, title: &str) -> String {
        let log = self.log();
        let heading = format!("===== {title} =====\n");
        let Some((_, rest)) = log.split_once(&heading) else {
            panic!("no {heading:?} in the log:\n{log}")
        };
        rest.split("\n===== ").next().unwrap_or(rest).to_owned()
    }

    pub fn events(&self) -> Vec<Value> {
        let page = self.ship.api.get(&self.path("/events?limit=1000")).ok();
        page["items"].as_array().cloned().unwrap_or_default()
    }

    pub fn plan(&self) -> Value {
        self.ship.api.get(&self.path("/plan")).ok()
    }

    /// What a step gave, from its event.
    #[track_caller]
    pub fn output(&self, step: &str) -> Value {
        let events = self.events();
        let done = events.iter().find(|event| {
            event["kind"] == "step.succeeded" && event["data"]["output"]["step"] == step
        });
        done.unwrap_or_else(|| panic!("{step} did not succeed: {events:#?}"))["data"]["output"]
            .clone()
    }

    /// The labels of the commands that ran to their end, in order.
    pub fn commands_finished(&self) -> Vec<String> {
        let events = self.events();
        events
            .iter()
            .filter(|event| event["kind"] == "command.finished")
            .filter_map(|event| event["data"]["label"].as_str().map(str::to_owned))
            .collect()
    }
}
