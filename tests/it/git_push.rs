//! `git push` to the engine, with the stock client.

use std::io::Read;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::sys::signal::Signal;
use nix::unistd::Pid;
use serde_json::{Value, json};
use shipway_tests::app::{App, Environment};
use shipway_tests::deployment::Deployment;
use shipway_tests::repo::Repo;
use shipway_tests::ship::Ship;
use shipway_tests::wait;

use crate::apps::{next_version, quick, serves};

const PATIENCE: Duration = Duration::from_secs(60);

/// What `git push` left.
#[derive(Debug)]
struct Pushed {
    ok: bool,
    said: String,
}

fn git(repo: &Repo, arguments: &[&str]) -> Command {
    let mut command = Command::new("git");
    command
        .current_dir(repo.path())
        .args(arguments)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_CONFIG_SYSTEM", "/dev/null")
        .env("GIT_TERMINAL_PROMPT", "0")
        .env("LC_ALL", "C")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn address(live: &Environment<'_>, token: &str) -> String {
    let server = live.ship.api_address();
    format!(
        "http://me:{token}@{server}/git/{}/{}.git",
        live.app, live.name
    )
}

fn push_as(repo: &Repo, live: &Environment<'_>, token: &str, reference: &str) -> Pushed {
    let address = address(live, token);
    let output = git(repo, &["push", &address, reference]).output();
    let output = output.expect("git is installed");
    let said = [output.stdout, output.stderr].concat();
    Pushed {
        ok: output.status.success(),
        said: String::from_utf8_lossy(&said).into_owned(),
    }
}

fn push(repo: &Repo, live: &Environment<'_>, reference: &str) -> Pushed {
    push_as(repo, live, &live.ship.token, reference)
}

impl Pushed {
    #[track_caller]
    fn succeeded(&self) -> &Self {
        assert!(self.ok, "{}", self.said);
        self
    }

    #[track_caller]
    fn refused(&self, words: &str) -> &Self {
        assert!(!self.ok, "{}", self.said);
        self.says(words)
    }

    #[track_caller]
    fn says(&self, words: &str) -> &Self {
        assert!(self.said.contains(words), "{words:?} in\n{}", self.said);
        self
    }
}

/// An app that is pushed to.
fn pushed_app(ship: &Ship) -> (Repo, App<'_>) {
    (
        Repo::of("tests/apps/tiny"),
        ship.app_with("pushed", json!({})),
    )
}

fn deployments(live: &Environment<'_>) -> Vec<Value> {
    let page = live.ship.api.get(&live.path("/deployments")).ok();
    page["items"].as_array().expect("deployments").clone()
}

#[test]
fn a_push_deploys_and_shows_what_happens() {
    let Some(ship) = Ship::start() else { return };
    let (repo, app) = pushed_app(&ship);
    let live = app.environment("live", quick("process"));
    live.command("Say hello", "echo hello from the release");
    let first = push(&repo, &live, "main");
    first.succeeded().says("main -> main");
    for shown in [
        "remote: deployment ",
        "remote: ===== git checkout =====",
        "remote: hello from the release",
        "remote: ===== switch =====",
    ] {
        first.says(shown);
    }
    serves(&live, "1");
    let made = &deployments(&live)[0];
    assert_eq!(made["by"], "git push by first");
    assert_eq!(made["reference"], repo.git(&["rev-parse", "HEAD"]));

    next_version(&repo, "2");
    push(&repo, &live, "main").succeeded();
    serves(&live, "2");
    push(&repo, &live, "main").succeeded().says("up-to-date");
    // History that is written anew must be forced, as anywhere.
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    next_version(&repo, "3");
    push(&repo, &live, "main").refused("rejected");
    push(&repo, &live, "+main").succeeded();
    serves(&live, "3");

    // The same commit to another place; and by a verb, from what was pushed.
    let test = app.environment("test", quick("process"));
    push(&repo, &test, "main").succeeded();
    serves(&test, "3");
    assert!(
        ship.cli()
            .ok(&["deploy", &live.key()])
            .stdout
            .contains("succeeded")
    );
    live.deploy_reference("main").succeeded();
    audited(&ship, &app);
}

fn audited(ship: &Ship, app: &App<'_>) {
    let path = format!("/v1/audit?action=git_push&app={}", app.name);
    let page = ship.api.get(&path).ok();
    let records = page["items"].as_array().expect("records");
    assert_eq!(records.len(), 4, "{records:#?}");
    for record in records {
        assert_eq!(
            record["actor"],
            json!({"kind": "git-push", "name": "first"})
        );
        assert_eq!(record["from"], "127.0.0.1");
        assert_eq!(record["outcome"]["result"], "accepted");
        let subject = record["subject"].as_str().expect("a subject");
        assert!(subject.starts_with("/v1/deployments/"), "{record}");
    }
}

#[test]
fn a_deployment_that_fails_refuses_the_push() {
    let Some(ship) = Ship::start() else { return };
    let (repo, app) = pushed_app(&ship);
    let live = app.environment("live", quick("process"));
    push(&repo, &live, "main").succeeded();
    live.command("Fail", "echo no such table; exit 4");
    next_version(&repo, "2");
    let refused = push(&repo, &live, "main");
    refused.refused("! [remote rejected] main -> main (deployment failed: ");
    refused.says("remote: no such table");
    serves(&live, "1");
    let deployment = deployments(&live)[0]["id"]
        .as_str()
        .expect("an id")
        .to_owned();
    Deployment::new(&ship, deployment).failed("release", "release-command");

    // The branch did not move: the same commit can be pushed again.
    let path = live.path("/release-commands/Fail");
    ship.api.delete(&path).ok();
    push(&repo, &live, "main").succeeded();
    serves(&live, "2");
}

#[test]
fn only_who_may_deploy_pushes_and_only_the_branch_that_deploys() {
    let Some(ship) = Ship::start() else { return };
    let (repo, app) = pushed_app(&ship);
    let live = app.environment("live", quick("process"));
    let reader = json!({"name": "reader", "scope": "read"});
    let reader = ship.api.post("/v1/tokens", &reader).ok()["token"].clone();
    let reader = reader.as_str().expect("a token");
    push_as(&repo, &live, reader, "main")
        .refused("403")
        .says("this needs `deploy`");
    let wrong = format!("shipway_{}", "0".repeat(64));
    push_as(&repo, &live, &wrong, "main").refused("Authentication failed");
    let other = json!({"name": "other", "scope": "deploy", "apps": []});
    let other = ship.api.post("/v1/tokens", &other).ok()["token"].clone();
    let other = other.as_str().expect("a token");

    push_as(&repo, &live, other, "main:next").refused("deploys branch main");
    repo.git(&["tag", "v1"]);
    push(&repo, &live, "v1").refused("[remote rejected] v1 -> v1");
    assert_eq!(deployments(&live), [] as [Value; 0]);
    push_as(&repo, &live, other, "HEAD:main").succeeded();
    push(&repo, &live, ":main").refused("rejected");
    serves(&live, "1");

    let elsewhere = Repo::of("tests/apps/tiny");
    let elsewhere = ship
        .app("elsewhere", &elsewhere)
        .environment("live", quick("process"));
    push(&repo, &elsewhere, "main")
        .refused("403")
        .says("deploys from");
    let address = address(&live, &ship.token);
    let fetched = git(&repo, &["ls-remote", &address]).output().expect("git");
    assert!(!fetched.status.success());

    let page = ship.api.get("/v1/audit?action=git_push&limit=100").ok();
    let refused = |actor: &str, reason: &str| {
        let records = page["items"].as_array().expect("records").iter();
        let kinds = records.filter(|record| record["outcome"]["reason"] == reason);
        kinds
            .filter(|record| record["actor"]["kind"] == actor)
            .count()
    };
    assert_eq!(refused("git-push", "forbidden"), 2, "{page:#}");
    assert_eq!(refused("anonymous", "unauthorized"), 1, "{page:#}");
    let text = page.to_string();
    assert!(
        !text.contains(&ship.token) && !text.contains(&wrong),
        "{text}"
    );
}

#[test]
fn a_push_that_is_too_large_is_refused() {
    let Some(ship) = Ship::start_with_arguments(&["--push-limit", "1"]) else {
        return;
    };
    let (repo, app) = pushed_app(&ship);
    let live = app.environment("live", quick("process"));
    // Noise, so that Git cannot make it small.
    let mut noise: u64 = 0x9e37_79b9_7f4a_7c15;
    let text: String = (0..400_000)
        .map(|_| {
            noise ^= noise << 13;
            noise ^= noise >> 7;
            noise ^= noise << 17;
            format!("{noise:x}")
        })
        .collect();
    repo.write("large", &text);
    repo.commit("Large");
    push(&repo, &live, "main").refused("maximum allowed size");
    assert_eq!(deployments(&live), [] as [Value; 0]);
    repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    push(&repo, &live, "main").succeeded();
}

/// A push whose deployment is in the middle of a release command, which ends
/// when it may.
struct Underway<'a> {
    child: Child,
    deployment: Deployment<'a>,
    go: PathBuf,
}

impl<'a> Underway<'a> {
    fn begin(repo: &Repo, live: &Environment<'a>) -> Self {
        let go = live.ship.state_dir().join("go");
        let wait = format!("while ! test -e {}; do sleep 0.05; done", go.display());
        live.command("Wait", &wait);
        let address = address(live, &live.ship.token);
        let child = git(repo, &["push", &address, "main"]).spawn().expect("git");
        let deployment = wait::until("a deployment is made", PATIENCE, || {
            let made = deployments(live);
            made.first()
                .and_then(|one| one["id"].as_str().map(str::to_owned))
        });
        let deployment = Deployment::new(live.ship, deployment);
        deployment.until_event("the command runs", |event| {
            event["kind"] == "command.started"
        });
        Self {
            child,
            deployment,
            go,
        }
    }

    /// Lets the command end, and the deployment with it.
    fn go(self) -> Deployment<'a> {
        std::fs::write(&self.go, "").expect("a file");
        self.deployment.ended()
    }

    /// What Git said when it ended.
    fn pushed(&mut self) -> Pushed {
        let ok = self.child.wait().expect("git ends").success();
        let mut said = String::new();
        let stderr = self.child.stderr.as_mut().expect("what it says");
        stderr.read_to_string(&mut said).expect("text");
        Pushed { ok, said }
    }
}

#[test]
fn who_breaks_off_leaves_the_deployment_running() {
    let Some(ship) = Ship::start() else { return };
    let (repo, app) = pushed_app(&ship);
    let live = app.environment("live", quick("process"));
    let mut underway = Underway::begin(&repo, &live);
    let pid = i32::try_from(underway.child.id()).expect("a process id");
    // Not SIGINT, which is ignored by whatever was started in the background.
    nix::sys::signal::kill(Pid::from_raw(pid), Signal::SIGTERM).expect("it runs");
    assert!(!underway.child.wait().expect("git ends").success());
    underway.go().succeeded();
    serves(&live, "1");
    wait::until_true("the branch has moved", PATIENCE, || {
        push(&repo, &live, "main").said.contains("up-to-date")
    });
}

#[test]
fn an_engine_that_stops_refuses_the_push_and_the_next_one_deploys_it() {
    let Some(ship) = Ship::start() else { return };
    let (repo, app) = pushed_app(&ship);
    let live = app.environment("live", quick("process"));
    let mut underway = Underway::begin(&repo, &live);
    assert_eq!(ship.stop_serve(), Some(0));
    let id = underway.deployment.id.clone();
    let goes_on = format!("the engine stops; deployment {id} goes on with the next one");
    underway.pushed().refused(&goes_on);
    ship.serve();
    underway.go().succeeded();
    serves(&live, "1");
    // The branch did not move; the image is there already.
    push(&repo, &live, "main").succeeded().says("main -> main");
    assert_eq!(deployments(&live).len(), 2);
}

#[test]
fn an_engine_that_is_killed_ends_the_push_and_the_next_one_deploys_it() {
    let Some(ship) = Ship::start() else { return };
    let (repo, app) = pushed_app(&ship);
    let live = app.environment("live", quick("process"));
    let mut underway = Underway::begin(&repo, &live);
    ship.kill_serve();
    underway.pushed().refused("the remote end hung up");
    ship.serve();
    underway.go().succeeded();
    serves(&live, "1");
    push(&repo, &live, "main").succeeded().says("main -> main");
    next_version(&repo, "2");
    push(&repo, &live, "main").succeeded();
    serves(&live, "2");
}

#[test]
fn what_was_pushed_goes_with_its_app() {
    let Some(ship) = Ship::start() else { return };
    let (repo, app) = pushed_app(&ship);
    let live = app.environment("live", quick("process"));
    push(&repo, &live, "main").succeeded();
    let folder = ship
        .state_dir()
        .join(format!("git/pushed/{}.git", app.name));
    assert!(folder.is_dir());
    ship.api.delete(&format!("/v1/apps/{}", app.name)).ok();
    assert!(!folder.exists());
}
