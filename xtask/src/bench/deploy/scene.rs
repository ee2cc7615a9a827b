//! One repository, deployed in every way: Shipway's engine, and a clone and an
//! nginx for the scripts. Everything in the container engine carries a label
//! of this run, and goes with it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context, Result, bail, ensure};
use serde_json::json;

use super::nginx::Nginx;
use super::way::{self, Way};
use crate::bench::api::Api;
use crate::demo::leftovers;
use crate::demo::repository::Repository;
use crate::house::House;
use crate::parts::{GIT, Images};
use crate::stage::Stage;
use crate::{run, signal};

/// Compose takes a second and more for each of 50 release commands.
const DEPLOYMENT_LIMIT: Duration = Duration::from_secs(900);
const GIT_LIMIT: Duration = Duration::from_secs(60);
const CLEAR_LIMIT: Duration = Duration::from_secs(120);
/// An end is seen this soon.
const GRAIN: Duration = Duration::from_millis(1);
const STATIC_IMAGE: &str = "shipway-test/static:1";

pub struct Scene {
    pub stage: Stage,
    app: String,
    repository: Repository,
    nginx: Option<Nginx>,
    /// How docker compose is called, once it was brought.
    compose: Option<String>,
    api: Option<Api>,
    commits: u32,
}

/// So many instances, so many release commands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub instances: u32,
    pub commands: u32,
}

/// One deployment: seconds, and what Shipway's own journal says of it.
#[derive(Debug, Clone, Default)]
pub struct Took {
    /// Until the command returned.
    pub whole: f64,
    /// Until the new version answered.
    pub serving: f64,
    pub steps: Vec<(String, u64)>,
}

impl Scene {
    pub fn new(house: &House, program: PathBuf) -> Result<Self> {
        GIT.bring()?;
        let images = Images::of(house);
        images.engine()?;
        images.image("static-image.sh", STATIC_IMAGE)?;
        let stage = Stage::new(program, &house.target.join("bench"), "deploy")?;
        let repository = Repository::new(stage.folder().join("repository"), "/nowhere".into())?;
        let nginx = Nginx::start(&stage.folder().join("nginx"))?;
        let mut scene = Self {
            app: format!("deploy-bench-{}", std::process::id()),
            stage,
            repository,
            nginx: Some(nginx),
            compose: None,
            api: None,
            commits: 0,
        };
        scene.start()?;
        Ok(scene)
    }

    /// Makes sure that there is a docker compose.
    pub fn bring_compose(&mut self) -> Result<()> {
        self.compose = Some(way::compose()?);
        Ok(())
    }

    fn start(&mut self) -> Result<()> {
        self.commit(Size {
            instances: 1,
            commands: 1,
        })?;
        for way in Way::OTHERS {
            let folder = self.folder_of(way);
            way::lay(&folder, way)?;
            let mut clone = Command::new("git");
            clone
                .args(["clone", "--quiet"])
                .arg(&self.repository.path)
                .arg(folder.join("work"));
            run::output(&mut clone, GIT_LIMIT)?;
        }
        self.stage.start()?;
        let mut api = Api::of(&self.stage, &self.stage.token()?);
        let app = json!({"name": self.app, "repository": self.repository.path});
        api.call("POST", "/v1/apps", Some(&app))?;
        let environment = json!({"name": "live", "runtime": "docker"});
        let path = format!("/v1/apps/{}/environments", self.app);
        api.call("POST", &path, Some(&environment))?;
        self.api = Some(api);
        Ok(())
    }

    /// A new commit, deployed in one way. The clock runs from the command's
    /// start to its end.
    pub fn deploy(&mut self, way: Way, size: Size) -> Result<Took> {
        self.commit(size)?;
        let log = self.stage.folder().join(format!("{}.log", way.name()));
        let mut command = self.command(way, size)?;
        let began = SystemTime::now();
        let (mut child, clock) = (run::spawn_logged(&mut command, &log)?, Instant::now());
        let ended = wait(&mut child);
        let whole = clock.elapsed().as_secs_f64();
        let said = || run::last_lines(&fs::read_to_string(&log).unwrap_or_default(), 12);
        let status = ended.with_context(said)?;
        ensure!(status.success(), "it failed: {status}\n{}", said());
        let (served, steps) = match way {
            Way::Shipway => self.journal()?,
            _ => (self.switched(way)?, Vec::new()),
        };
        let serving = served.duration_since(began).unwrap_or_default();
        Ok(Took {
            whole,
            serving: serving.as_secs_f64(),
            steps,
        })
    }

    fn command(&self, way: Way, size: Size) -> Result<Command> {
        if way == Way::Shipway {
            let mut command = self.stage.shipway();
            command.args(["deploy", &format!("{}/live", self.app)]);
            return Ok(command);
        }
        let folder = self.folder_of(way);
        let nginx = self.nginx.as_ref().context("nginx does not run")?;
        let mut command = Command::new("sh");
        command
            .arg(folder.join("deploy.sh"))
            .env("PATH", with_servers())
            .env("WORK", folder.join("work"))
            .env("SWITCHED", folder.join("switched"))
            .env("NGINX", &nginx.folder)
            .env("APP", format!("{}-{}", self.app, way.name()))
            .env("LABEL", format!("{}={}", label(), way.name()))
            .env("INSTANCES", size.instances.to_string());
        if way == Way::Compose {
            let compose = self.compose.as_ref();
            command.env("COMPOSE", compose.context("there is no docker compose")?);
        }
        Ok(command)
    }

    /// When the last deployment had switched, and its steps.
    fn journal(&mut self) -> Result<(SystemTime, Vec<(String, u64)>)> {
        let api = self.api.as_mut().context("the engine does not run")?;
        let path = format!(
            "/v1/apps/{}/environments/live/deployments?limit=1",
            self.app
        );
        let newest = api.call("GET", &path, None)?.json()?;
        let id = newest["items"][0]["id"]
            .as_str()
            .context("no deployment is listed")?;
        let journal = api.journal(id, DEPLOYMENT_LIMIT)?;
        journal.expect_success()?;
        Ok((journal.done("switch")?, journal.steps()))
    }

    fn switched(&self, way: Way) -> Result<SystemTime> {
        let text = fs::read_to_string(self.folder_of(way).join("switched"))?;
        let nanos = text.trim().parse().context("reading when it switched")?;
        Ok(SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos))
    }

    fn folder_of(&self, way: Way) -> PathBuf {
        self.stage.folder().join(way.name())
    }

    /// Everything that the ways need is in the commit.
    fn commit(&mut self, size: Size) -> Result<()> {
        self.commits += 1;
        let commands = (1..=size.commands).map(|number| format!("echo release command {number}"));
        let commands: Vec<String> = commands.collect();
        let site = format!("version {}\n", self.commits);
        let compose = format!(
            "services:\n  web:\n    build:\n      context: .\n      labels: {{{label}: compose}}\n    \
             labels: {{{label}: compose}}\n",
            label = label()
        );
        let lay = |name: &str, text: &str| lay(&self.repository.path, name, text);
        lay("Dockerfile", include_str!("Dockerfile"))?;
        lay(".dockerignore", ".git\n")?;
        lay("site/index.html", &site)?;
        lay("release-commands", &(commands.join("\n") + "\n"))?;
        lay("shipway.toml", &settings(size, &commands))?;
        lay("docker-compose.yml", &compose)?;
        let message = format!("Version {}", self.commits);
        self.repository.commit_all(&message).map(drop)
    }

    /// Removes what every way left.
    pub fn clear(&mut self) -> Result<()> {
        let deleted = match &mut self.api {
            Some(api) => {
                let app = format!("/v1/apps/{}", self.app);
                let environment = format!("{app}/environments/live");
                api.call("DELETE", &environment, None)
                    .and_then(|_| api.call("DELETE", &app, None))
                    .map(drop)
            }
            None => Ok(()),
        };
        // It works in the stage's folder, where nobody may be left.
        drop(self.nginx.take());
        let stopped = self.stage.stop();
        let removed = leftovers::remove(&self.app);
        let cleared = clear_label();
        let _ = fs::remove_dir_all(self.stage.folder());
        deleted.and(stopped).and(removed).and(cleared)
    }
}

/// Where programs are found; servers lie in `sbin`, which is not on
/// everybody's path.
fn with_servers() -> std::ffi::OsString {
    let mut path = std::env::var_os("PATH").unwrap_or_default();
    path.push(":/usr/sbin");
    path
}

/// Of everything the scripts make in the container engine.
fn label() -> String {
    format!("shipway.bench-{}", std::process::id())
}

/// Containers, images and networks of the scripts.
fn clear_label() -> Result<()> {
    let filter = format!("label={}", label());
    let network = format!("name=deploy-bench-{}", std::process::id());
    let all: [(&[&str], &[&str]); 3] = [
        (
            &["ps", "--all", "--quiet", "--filter", &filter],
            &["rm", "--force"],
        ),
        (
            &["images", "--quiet", "--filter", &filter],
            &["rmi", "--force"],
        ),
        (
            &["network", "ls", "--quiet", "--filter", &network],
            &["network", "rm"],
        ),
    ];
    for (list, remove) in all {
        let found = run::output(Command::new("docker").args(list), CLEAR_LIMIT)?;
        let mut names: Vec<&str> = found.split_whitespace().collect();
        // An image with two tags is listed twice.
        names.sort_unstable();
        names.dedup();
        if !names.is_empty() {
            run::output(Command::new("docker").args(remove).args(names), CLEAR_LIMIT)?;
        }
    }
    Ok(())
}

/// `shipway.toml`: what the scripts have in their variables and lists.
fn settings(size: Size, commands: &[String]) -> String {
    let instances = size.instances;
    let mut text = format!("[processes.web]\nport = 8000\ninstances = {instances}\n");
    for command in commands {
        text += &format!("[[release]]\nlabel = {command:?}\nrun = {command:?}\n");
    }
    text
}

fn lay(repository: &Path, name: &str, text: &str) -> Result<()> {
    let file = repository.join(name);
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    fs::write(&file, text).with_context(|| format!("writing {}", file.display()))
}

/// Looks more often than [`run::status`] would: its grain would be measured.
fn wait(child: &mut Child) -> Result<std::process::ExitStatus> {
    let deadline = Instant::now() + DEPLOYMENT_LIMIT;
    loop {
        if let Some(status) = child.try_wait().context("waiting for its end")? {
            return Ok(status);
        }
        if signal::asked_to_stop() || Instant::now() > deadline {
            run::stop(child);
            bail!(
                "a deployment was not done after {} s, or interrupted",
                DEPLOYMENT_LIMIT.as_secs()
            );
        }
        std::thread::sleep(GRAIN);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_commands_are_in_the_file() {
        let size = Size {
            instances: 4,
            commands: 1,
        };
        assert_eq!(
            settings(size, &["echo one".to_owned()]),
            "[processes.web]\nport = 8000\ninstances = 4\n\
             [[release]]\nlabel = \"echo one\"\nrun = \"echo one\"\n"
        );
    }
}
