//! An app and its environments, as a user of the API sees them.

use serde_json::{Value, json};

use crate::api::Answer;
use crate::deployment::Deployment;
use crate::ship::Ship;

#[derive(Debug)]
pub struct App<'a> {
    ship: &'a Ship,
    pub name: String,
}

impl<'a> App<'a> {
    pub(crate) fn new(ship: &'a Ship, name: String) -> Self {
        Self { ship, name }
    }

    pub fn environment(&self, name: &str, settings: Value) -> Environment<'a> {
        let mut body = settings;
        body["name"] = json!(name);
        let made = self
            .ship
            .api
            .post(&format!("/v1/apps/{}/environments", self.name), &body)
            .ok();
        let domain = made["domains"][0].as_str().expect("a domain").to_owned();
        Environment {
            ship: self.ship,
            app: self.name.clone(),
            name: name.to_owned(),
            domain,
        }
    }
}

#[derive(Debug)]
pub struct Environment<'a> {
    pub ship: &'a Ship,
    pub app: String,
    pub name: String,
    /// The first of its domains.
    pub domain: String,
}

impl<'a> Environment<'a> {
    /// `/v1/apps/APP/environments/NAME` and what follows.
    pub fn path(&self, rest: &str) -> String {
        format!("/v1/apps/{}/environments/{}{rest}", self.app, self.name)
    }

    /// `APP/NAME`, as the command line takes it.
    pub fn key(&self) -> String {
        format!("{}/{}", self.app, self.name)
    }

    pub fn change(&self, settings: Value) -> &Self {
        self.ship.api.patch(&self.path(""), &settings).ok();
        self
    }

    pub fn variable(&self, name: &str, value: &str) -> &Self {
        self.ship
            .api
            .put(
                &self.path(&format!("/variables/{name}")),
                &json!({"value": value}),
            )
            .ok();
        self
    }

    pub fn secret(&self, name: &str, value: &str) -> &Self {
        let body = json!({"value": value, "type": "secret"});
        self.ship
            .api
            .put(&self.path(&format!("/variables/{name}")), &body)
            .ok();
        self
    }

    /// A release command of the settings: a label and a line for the shell.
    pub fn command(&self, label: &str, run: &str) -> &Self {
        self.command_with(json!({"label": label, "run": run}))
    }

    pub fn drop_command(&self, label: &str) -> &Self {
        self.ship
            .api
            .delete(&self.path(&format!("/release-commands/{label}")))
            .ok();
        self
    }

    pub fn command_with(&self, command: Value) -> &Self {
        self.ship
            .api
            .post(&self.path("/release-commands"), &command)
            .ok();
        self
    }

    pub fn plugin_setting(&self, plugin: &str, name: &str, value: &str) -> &Self {
        let path = self.path(&format!("/plugins/{plugin}/settings"));
        self.ship
            .api
            .patch(&path, &json!({name: {"value": value}}))
            .ok();
        self
    }

    /// Triggers a deployment and waits for its end.
    pub fn deploy(&self) -> Deployment<'a> {
        self.trigger(json!({})).ended()
    }

    /// The same for a branch, tag or commit.
    pub fn deploy_reference(&self, reference: &str) -> Deployment<'a> {
        self.trigger(json!({"reference": reference})).ended()
    }

    pub fn trigger(&self, wish: Value) -> Deployment<'a> {
        let answer = self.ship.api.post(&self.path("/deployments"), &wish);
        let made = answer.ok();
        let id = made["id"].as_str().expect("an id").to_owned();
        assert_eq!(answer.header("location"), format!("/v1/deployments/{id}"));
        Deployment::new(self.ship, id)
    }

    pub fn plan(&self, request: Value) -> Answer {
        self.ship.api.post(&self.path("/plan"), &request)
    }

    pub fn status(&self) -> Value {
        self.ship.api.get(&self.path("/status")).ok()
    }

    /// The deployment that serves, if one does.
    pub fn serving(&self) -> Option<String> {
        self.status()["serving"]["deployment"]
            .as_str()
            .map(str::to_owned)
    }

    /// A page of the site, through the proxy.
    pub fn get(&self, path: &str) -> Answer {
        self.ship.get(&self.domain, path)
    }
}
