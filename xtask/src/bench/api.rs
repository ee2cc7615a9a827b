//! The API, as a program uses it.

use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::http::{Client, Request, Response};
use crate::stage::Stage;
use crate::{run, signal};

pub struct Api {
    client: Client,
    host: String,
    authorization: String,
}

/// The journal of a deployment that has ended.
#[derive(Debug)]
pub struct Journal(Vec<Value>);

impl Api {
    pub fn of(stage: &Stage, token: &str) -> Self {
        Self {
            client: Client::new(stage.api),
            host: stage.api.to_string(),
            authorization: format!("Bearer {token}"),
        }
    }

    pub fn call(&mut self, method: &str, path: &str, body: Option<&Value>) -> Result<Response> {
        let body = body.map(Value::to_string).unwrap_or_default();
        let request = Request {
            method,
            path,
            host: &self.host,
            headers: &[
                ("Authorization", &self.authorization),
                ("Content-Type", "application/json"),
            ],
            body: body.as_bytes(),
        };
        let answer = self.client.send(&request)?;
        let text = answer.text();
        ensure!(
            answer.status < 300,
            "{method} {path} answered {}: {text:.500}",
            answer.status
        );
        Ok(answer)
    }

    /// Triggers a deployment of `APP/ENV`; returns its id.
    pub fn trigger(&mut self, place: &str) -> Result<String> {
        let path = place.replace('/', "/environments/");
        let path = format!("/v1/apps/{path}/deployments");
        let deployment = self.call("POST", &path, None)?.json()?;
        let id = deployment["id"].as_str();
        Ok(id.context("a deployment has no id")?.to_owned())
    }

    /// Waits for a deployment's ending.
    pub fn journal(&mut self, id: &str, limit: Duration) -> Result<Journal> {
        let path = format!("/v1/deployments/{id}/events?limit=1000");
        let ended = run::until(limit, || {
            let page = self
                .call("GET", &path, None)
                .and_then(|answer| answer.json());
            match page {
                Ok(page) if page["ended"] != true => None,
                other => Some(other),
            }
        });
        ensure!(!signal::asked_to_stop(), "interrupted");
        let page = ended.with_context(|| format!("deployment {id} does not end"))??;
        Ok(Journal(
            page["items"].as_array().cloned().unwrap_or_default(),
        ))
    }
}

impl Journal {
    /// When the first step began.
    pub fn first_step(&self) -> Result<SystemTime> {
        self.time_of("step.started", |_| true)
            .context("the deployment started no step")
    }

    pub fn started(&self, step: &str) -> Result<SystemTime> {
        self.time_of("step.started", |data| data["step"] == step)
            .with_context(|| format!("the deployment did not start its step {step}"))
    }

    pub fn done(&self, step: &str) -> Result<SystemTime> {
        self.time_of("step.succeeded", |data| data["output"]["step"] == step)
            .with_context(|| format!("the deployment did not do its step {step}"))
    }

    /// Each step with its milliseconds.
    pub fn steps(&self) -> Vec<(String, u64)> {
        let done = self
            .0
            .iter()
            .filter(|event| event["kind"] == "step.succeeded");
        let step = |event: &Value| {
            let step = event["data"]["output"]["step"].as_str()?.to_owned();
            Some((step, event["data"]["millis"].as_u64()?))
        };
        done.filter_map(step).collect()
    }

    /// Requests that were cut off when their time to finish was over.
    pub fn cut_off(&self) -> u64 {
        let retired = self
            .0
            .iter()
            .find(|one| one["data"]["output"]["step"] == "retire");
        let cut_off = retired.and_then(|one| one["data"]["output"]["cut_off"].as_u64());
        cut_off.unwrap_or_default()
    }

    /// # Errors
    /// A deployment that did not succeed, with its own words.
    pub fn expect_success(&self) -> Result<()> {
        let last = self.0.last().context("a deployment has no event")?;
        let text = last["data"].to_string();
        ensure!(
            last["kind"] == "deployment.ended" && last["data"]["status"] == "succeeded",
            "a deployment did not succeed: {text:.2000}"
        );
        Ok(())
    }

    fn time_of(&self, kind: &str, is_it: impl Fn(&Value) -> bool) -> Option<SystemTime> {
        let mut events = self.0.iter();
        let event = events.find(|event| event["kind"] == kind && is_it(&event["data"]))?;
        humantime::parse_rfc3339(event["at"].as_str()?).ok()
    }
}
