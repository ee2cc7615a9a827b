//! Where it happens: a `shipway serve` of our own with an app that serves, and
//! visitors who never stop.

use std::os::unix::process::ExitStatusExt;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::{Value, json};
use shipway_tests::api::Answer;
use shipway_tests::app::Environment;
use shipway_tests::deployment::Deployment;
use shipway_tests::docker::{docker, running_containers_of};
use shipway_tests::load::Load;
use shipway_tests::parts;
use shipway_tests::repo::Repo;
use shipway_tests::ship::Ship;
use shipway_tests::wait::until;

use crate::point::Point;
use crate::story::{NOTES, Story};

/// Longer than any deployment of these takes.
const PATIENCE: Duration = Duration::from_secs(120);
const VISITORS: usize = 2;

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Runtime {
    Process,
    Docker,
}

impl Runtime {
    pub const ALL: [Self; 2] = [Self::Process, Self::Docker];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Docker => "docker",
        }
    }

    fn app(self) -> &'static str {
        match self {
            Self::Process => "tests/apps/tiny",
            Self::Docker => "tests/apps/tiny-image",
        }
    }

    fn settings(self, story: Story) -> Value {
        let mut settings = json!({
            "runtime": self.as_str(),
            "processes": {"web": {"health": {"tries": 50}, "instances": story.instances()}},
            "drain_seconds": 5,
        });
        if self == Self::Docker {
            settings["build"] = json!({"args": {"BASE_IMAGE": parts::STATIC_IMAGE}});
            settings["volumes"] = json!([{"name": "notes", "path": "/notes"}]);
        }
        settings
    }
}

pub struct Site<'a> {
    pub ship: &'a Ship,
    pub runtime: Runtime,
    pub story: Story,
    pub live: Environment<'a>,
    repo: Repo,
    visitors: Load,
    version: usize,
}

impl<'a> Site<'a> {
    /// Version 1 serves, and is visited.
    pub fn open(ship: &'a Ship, runtime: Runtime, story: Story) -> Self {
        let repo = Repo::of(runtime.app());
        let app = ship.app("crash", &repo);
        let live = app.environment("live", runtime.settings(story));
        live.deploy().succeeded();
        let notes = match runtime {
            Runtime::Process => ship.state_dir().display().to_string(),
            Runtime::Docker => "/notes".to_owned(),
        };
        for command in story.commands(&notes) {
            live.command_with(command);
        }
        let visitors = Load::on(&live, "/", VISITORS, is_a_version);
        Self {
            ship,
            runtime,
            story,
            live,
            repo,
            visitors,
            version: 1,
        }
    }

    /// Commits the next version; gives its number.
    pub fn next_version(&mut self) -> usize {
        self.version += 1;
        let version = self.version.to_string();
        self.repo
            .write("version", &version)
            .write("site/index.html", &format!("version {version}\n"));
        self.repo.commit(&format!("Version {version}"));
        self.version
    }

    /// Deploys with an engine that dies there, and has `shipway serve` take over.
    pub fn deploy_and_die(&self, point: Point) -> Result<Deployment<'a>> {
        self.ship.kill_serve();
        let status = self.die(point);
        self.ship.serve();
        let status = status?;
        if status.signal() != Some(9) {
            bail!("the engine did not die there: {status}");
        }
        let newest = self
            .ship
            .api
            .get(&self.live.path("/deployments?limit=1"))
            .ok();
        let id = newest["items"][0]["id"].as_str().context("no deployment")?;
        let deployment = Deployment::new(self.ship, id.to_owned());
        self.cancel(&deployment);
        Ok(deployment.ended())
    }

    /// Deploys with nobody in the way; gives how many entries the engine wrote
    /// while it did, which are those that nobody asked for.
    pub fn deploy_undisturbed(&self) -> usize {
        let deployment = self.live.trigger(json!({}));
        self.cancel(&deployment);
        let asked = ["deployment.queued", "deployment.cancel-requested"];
        let events = deployment.ended().events();
        let written = |event: &&Value| asked.iter().all(|kind| event["kind"] != *kind);
        events.iter().filter(written).count()
    }

    /// In the command where the story has it. The engine that died may have
    /// been asked before; then it ends without us.
    fn cancel(&self, deployment: &Deployment<'_>) {
        let Some(label) = self.story.cancelled_in() else {
            return;
        };
        deployment.until_event("the command runs, or it is over", |event| {
            let runs = event["kind"] == "command.started" && event["data"]["label"] == label;
            runs || event["kind"] == "deployment.ended"
        });
        self.ship.api.post(&deployment.path("/cancel"), &json!({}));
    }

    fn die(&self, point: Point) -> Result<ExitStatus> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .arg("engine")
            .arg("--state-dir")
            .arg(self.ship.state_dir())
            .arg("--shipway")
            .arg(parts::shipway())
            .args(["--app", &self.live.app, "--environment", &self.live.name])
            .args(["--at", &point.to_string()])
            .stdin(Stdio::null());
        if let Some(label) = self.story.cancelled_in() {
            command.args(["--cancel-in", label]);
        }
        let mut child = command.spawn().context("starting the engine that dies")?;
        Ok(until("the engine dies", PATIENCE, || {
            child.try_wait().ok().flatten()
        }))
    }

    /// The effects that a deployment's commands have had, in order.
    pub fn effects(&self, deployment: &str) -> Vec<String> {
        let notes = match self.runtime {
            Runtime::Process => std::fs::read_to_string(self.ship.state_dir().join(NOTES)).ok(),
            Runtime::Docker => running_containers_of(&self.live.app)
                .first()
                .and_then(|id| docker(&["exec", id, "cat", &format!("/notes/{NOTES}")])),
        };
        let notes = notes.unwrap_or_default();
        let own = notes
            .lines()
            .filter_map(|line| line.strip_prefix(deployment));
        own.map(|name| name.trim().to_owned()).collect()
    }

    /// What visitors were told that is no page of the site; the visits go on.
    pub fn complaints(&self) -> Vec<String> {
        self.visitors.so_far().failures
    }
}

fn is_a_version(answer: &Answer) -> Result<String, String> {
    let text = answer.text();
    match (answer.status, text.trim().strip_prefix("version ")) {
        (200, Some(version)) => Ok(version.to_owned()),
        (status, _) => Err(format!("{status} {text}")),
    }
}
