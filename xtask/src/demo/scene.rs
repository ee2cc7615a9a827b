//! The scenes of the demo. Each tells what happens, and shows the command that
//! a person would type for it.

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::Runtime;
use super::leftovers;
use super::load::{Load, Seen, Site};
use super::repository::Repository;
use super::visitor;
use crate::house::House;
use crate::parts::Images;
use crate::stage::Stage;
use crate::{run, say};

/// Both runtimes stand on one small image of the tests.
const PYTHON_IMAGE: &str = "shipway-test/python:1";

const COMMAND_LIMIT: Duration = Duration::from_secs(120);
/// A build in a container without cache is the slowest of it.
const DEPLOY_LIMIT: Duration = Duration::from_secs(600);
/// A step that is stopped cleans up first.
const CANCEL_LIMIT: Duration = Duration::from_secs(60);
/// Drain, then a polite end.
const GONE_LIMIT: Duration = Duration::from_secs(60);

pub struct Scene {
    pub stage: Stage,
    runtime: Runtime,
    app: String,
    /// `APP/ENV`
    place: String,
    repository: Repository,
    procfile: PathBuf,
    root: PathBuf,
    site: Site,
    /// Written before the load.
    signed: u64,
}

impl Scene {
    pub fn new(house: &House, program: PathBuf, runtime: Runtime) -> Result<Self> {
        if runtime == Runtime::Docker {
            let images = Images::of(house);
            images.engine()?;
            images.image("python-image.sh", PYTHON_IMAGE)?;
        }
        let stage = Stage::new(program, &house.target.join("demo"), runtime.name())?;
        let example = house.path("examples/apps/guestbook");
        let repository = Repository::new(stage.folder().join("repository"), example)?;
        let app = app_name(runtime);
        Ok(Self {
            site: Site {
                address: stage.proxy,
                host: format!("live.{app}.localhost"),
            },
            place: format!("{app}/live"),
            app,
            procfile: house.target.join("plugins/procfile.wasm"),
            root: house.root.clone(),
            stage,
            runtime,
            repository,
            signed: 0,
        })
    }

    pub fn url(&self) -> String {
        format!("http://{}:{}/", self.site.host, self.stage.proxy.port())
    }

    pub fn commit(&self, version: &str, message: &str) -> Result<String> {
        say::heading(format_args!("A commit: {message}"));
        let path = self.short(&self.repository.path);
        say::command(format_args!(
            "cp -R examples/apps/guestbook/{version}/. {path}"
        ));
        say::command(format_args!("git -C {path} add --all"));
        say::command(format_args!("git -C {path} commit --message {message:?}"));
        let id = self.repository.commit(version, message)?;
        say::line(format_args!("  commit {id}"));
        Ok(id)
    }

    pub fn start_engine(&mut self) -> Result<()> {
        say::heading("The engine, and the proxy beside it");
        let credentials = self.short(&self.stage.credentials());
        say::command(format_args!("export SHIPWAY_CREDENTIALS={credentials}"));
        let arguments = self.stage.serve_arguments().join(" ");
        say::command(format_args!("shipway {} &", self.shorten(&arguments)));
        self.stage.start()?;
        say::line(format_args!(
            "  the API answers at http://{}",
            self.stage.api
        ));
        say::line(format_args!("  the apps answer at {}", self.stage.proxy));
        Ok(())
    }

    pub fn install_plugin(&self) -> Result<()> {
        say::heading("A plugin that finds release commands, with what it asks for");
        let component = self.procfile.to_string_lossy();
        self.shipway(&["plugin", "add", &component, "--grant-requested"])
    }

    pub fn make_app(&self) -> Result<()> {
        say::heading("An app, and an environment for it");
        let repository = self.repository.path.to_string_lossy();
        self.shipway(&["app", "create", &self.app, "--repository", &repository])?;
        match self.runtime {
            Runtime::Process => self.make_process_environment(),
            Runtime::Docker => self.make_docker_environment(),
        }
    }

    /// The database lies outside the release directories, which come and go.
    fn make_process_environment(&self) -> Result<()> {
        self.shipway(&["env", "create", &self.place, "--runtime", "process"])?;
        let database = self.stage.folder().join("guestbook.sqlite3");
        let variable = format!("GUESTBOOK_DATABASE={}", database.display());
        self.shipway(&["var", "set", &self.place, &variable])
    }

    /// The database lies in a volume, where the image's own variable points.
    fn make_docker_environment(&self) -> Result<()> {
        let base = format!("PYTHON_IMAGE={PYTHON_IMAGE}");
        let create = ["env", "create", &self.place, "--runtime", "docker"];
        let settings = ["--volume", "data=/data", "--build-arg", &base];
        self.shipway(&[&create[..], &settings].concat())
    }

    pub fn deploy(&self, title: &str) -> Result<()> {
        say::heading(title);
        self.shipway_within(&["deploy", &self.place], DEPLOY_LIMIT)
    }

    /// The guestbook answers with this version, at this commit.
    pub fn expect_version(&self, version: u32, commit: &str) -> Result<()> {
        say::command(format_args!("curl {}version", self.url()));
        let found = visitor::version(&self.site)?;
        ensure!(
            found.version == version && found.commit == commit,
            "version {version} at {commit} was deployed, and {found:?} answers"
        );
        let migrations = found.schema;
        ensure!(
            migrations == u64::from(version),
            "the release commands did not migrate: {found:?}"
        );
        say::line(format_args!(
            "  version {version}, commit {:.12}, {migrations} migrations applied",
            found.commit
        ));
        Ok(())
    }

    pub fn sign_the_guestbook(&mut self) -> Result<()> {
        visitor::sign(&self.site, "First visitor", "Written in version 1")?;
        self.signed += 1;
        ensure!(
            visitor::entries(&self.site)? == self.signed,
            "the first entry is not there"
        );
        say::line("  an entry is written in version 1");
        Ok(())
    }

    pub fn start_load(&self) -> Load {
        say::heading("Visitors");
        say::line(format_args!(
            "  eight connections read and write at {}, all the time; every answer is checked",
            self.url()
        ));
        Load::start(&self.site)
    }

    pub fn tell_load(&self, seen: &Seen) {
        say::heading("What the visitors saw");
        say::line(format_args!(
            "  {seen}, on {} connections",
            seen.connections
        ));
        for (version, answers) in &seen.versions {
            say::line(format_args!(
                "  version {version} answered {answers} times when asked for it"
            ));
        }
        say::line("  no visitor saw the old version after the new one");
    }

    /// Nothing that was written is lost, by whichever version.
    pub fn expect_entries(&self, written: u64) -> Result<()> {
        let expected = self.signed + written;
        let found = visitor::entries(&self.site)?;
        ensure!(
            found == expected,
            "{expected} entries were written, and {found} are there"
        );
        say::line(format_args!(
            "  all {found} entries are there, the one from before the load too"
        ));
        Ok(())
    }

    /// Where the instances that serve now answer.
    pub fn instances(&self) -> Result<Vec<SocketAddr>> {
        let status = self.status()?;
        let instances = status["serving"]["instances"].as_array();
        let addresses = instances
            .into_iter()
            .flatten()
            .filter_map(|instance| instance["address"].as_str());
        let addresses: Vec<SocketAddr> = addresses.filter_map(|text| text.parse().ok()).collect();
        ensure!(
            !addresses.is_empty(),
            "the status names no instance: {status}"
        );
        Ok(addresses)
    }

    /// The old instances have stopped, and the new ones are others.
    pub fn expect_gone(&self, old: &[SocketAddr]) -> Result<()> {
        let serving = self.instances()?;
        let same = old.iter().find(|address| serving.contains(address));
        ensure!(same.is_none(), "an old instance still serves: {same:?}");
        let answers = |address: &&SocketAddr| {
            TcpStream::connect_timeout(address, Duration::from_millis(300)).is_ok()
        };
        let gone = run::until(GONE_LIMIT, || {
            (!old.iter().any(|one| answers(&one))).then_some(())
        });
        gone.with_context(|| format!("an old instance still runs: {old:?}"))?;
        say::line(format_args!(
            "  the {} old instances are gone, {} new ones serve",
            old.len(),
            serving.len()
        ));
        Ok(())
    }

    /// Takes everything down, in the order in which an operator would.
    pub fn clear(&mut self) -> Result<()> {
        say::heading("Clearing away");
        let deleted = match self.stage.serve_pid() {
            Some(_) => self.delete_app(),
            None => Ok(()),
        };
        let stopped = self.stage.stop();
        let removed = match self.runtime {
            Runtime::Process => Ok(()),
            Runtime::Docker => leftovers::remove(&self.app),
        };
        deleted.and(stopped).and(removed)?;
        say::line("  nothing runs any more");
        Ok(())
    }

    /// A deployment that still runs, because the story was interrupted, is
    /// cancelled first.
    fn delete_app(&self) -> Result<()> {
        if self.status().is_ok_and(|status| is_running(&status)) {
            self.shipway(&["cancel", &self.place])?;
            let ended = run::until(CANCEL_LIMIT, || {
                self.status().ok().filter(|status| !is_running(status))
            });
            ended.context("the deployment that was cancelled does not end")?;
        }
        self.shipway(&["app", "delete", &self.app, "--yes"])
    }

    fn status(&self) -> Result<Value> {
        let mut command = self.stage.shipway();
        command.args(["status", &self.place, "--json"]);
        let text = run::output(&mut command, COMMAND_LIMIT)?;
        serde_json::from_str(&text).context("reading `shipway status --json`")
    }

    fn shipway(&self, arguments: &[&str]) -> Result<()> {
        self.shipway_within(arguments, COMMAND_LIMIT)
    }

    /// Shows a command as a person types it, runs it, and shows its output.
    fn shipway_within(&self, arguments: &[&str], limit: Duration) -> Result<()> {
        let typed: Vec<String> = arguments.iter().map(|argument| quoted(argument)).collect();
        say::command(format_args!("shipway {}", self.shorten(&typed.join(" "))));
        let mut command = self.stage.shipway();
        command.args(arguments);
        let status = run::lines(&mut command, limit, |line| {
            say::line(format_args!("  {line}"));
        })?;
        if !status.success() {
            bail!(
                "`shipway {}` failed: {status}",
                arguments[..2.min(arguments.len())].join(" ")
            );
        }
        Ok(())
    }

    /// Paths as they are from the root of the workspace, where a reader stands.
    fn shorten(&self, text: &str) -> String {
        text.replace(&format!("{}/", self.root.display()), "")
    }

    fn short(&self, path: &Path) -> String {
        self.shorten(&path.to_string_lossy())
    }
}

fn is_running(status: &Value) -> bool {
    ["queued", "running"]
        .iter()
        .any(|running| status["latest"]["status"] == *running)
}

/// A container engine is shared: the demo's app must be no one else's.
fn app_name(runtime: Runtime) -> String {
    match runtime {
        Runtime::Process => "guestbook".to_owned(),
        Runtime::Docker => format!("guestbook-demo-{}", std::process::id()),
    }
}

fn quoted(argument: &str) -> String {
    let plain = |char: char| char.is_ascii_alphanumeric() || "-_./:=@,+".contains(char);
    if argument.chars().all(plain) {
        return argument.to_owned();
    }
    format!("'{}'", argument.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_shown_as_a_shell_takes_them() {
        assert_eq!(quoted("build.args.X=python:3"), "build.args.X=python:3");
        assert_eq!(quoted("it's [1]"), r"'it'\''s [1]'");
    }
}
