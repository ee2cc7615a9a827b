//! `cargo xtask demo`: the main job, for somebody who sees it the first time.
//! A real Git repository is deployed twice, the second time under load, and
//! every answer is checked. [`perform`] is the whole story.

use std::fs;
use std::io::{IsTerminal, stdin, stdout};
use std::process::ExitCode;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::guests::Way;
use crate::house::{House, Profile};
use crate::parts::{GIT, PYTHON};
use crate::{plugins, run, say, signal};

pub mod leftovers;
mod load;
pub mod repository;
mod scene;
mod visitor;

use load::{Load, Seen};
use scene::Scene;

/// Requests that are answered before and after the second deployment.
const BEFORE_AND_AFTER: u64 = 500;
const LOAD_LIMIT: Duration = Duration::from_secs(60);

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// Where the app runs: as processes of this machine, or in containers
    #[arg(long, value_enum, default_value = "process")]
    runtime: Runtime,
    /// Unattended: stop everything at the end; the exit code is the result
    #[arg(long)]
    check: bool,
    /// Keep the folder of the demo, with its logs and its repository
    #[arg(long)]
    keep: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Runtime {
    Process,
    Docker,
}

impl Runtime {
    pub fn name(self) -> &'static str {
        match self {
            Self::Process => "process",
            Self::Docker => "docker",
        }
    }
}

/// What came of it; the demo's last line.
#[derive(Debug, Default)]
struct Score {
    deployments: u32,
    seen: Seen,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    signal::listen()?;
    let mut score = Score::default();
    let outcome = play(arguments, &mut score);
    let Score { deployments, seen } = score;
    match outcome {
        Ok(()) => {
            say::line(format_args!("demo: ok, {deployments} deployments, {seen}"));
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            say::error(&error);
            say::line(format_args!(
                "demo: FAILED, {deployments} deployments, {seen}"
            ));
            Ok(ExitCode::FAILURE)
        }
    }
}

/// Sets the stage, plays, and leaves nothing behind, however it went.
fn play(arguments: &Arguments, score: &mut Score) -> Result<()> {
    let mut scene = prepare(arguments.runtime)?;
    let played = perform(&mut scene, score);
    if played.is_err() {
        say::note(scene.stage.logs());
    }
    if played.is_ok() && !arguments.check {
        wait_for_enter(&scene);
    }
    signal::heard();
    let cleared = scene.clear();
    if arguments.keep {
        say::line(format_args!("kept: {}", scene.stage.folder().display()));
    } else {
        let _ = fs::remove_dir_all(scene.stage.folder());
    }
    played.and(cleared)
}

/// Builds and brings what the story needs.
fn prepare(runtime: Runtime) -> Result<Scene> {
    let house = House::open()?;
    say::heading("Building shipway and its plugins");
    GIT.bring()?;
    if runtime == Runtime::Process {
        PYTHON.bring()?;
    }
    let program = house.build_shipway(Profile::Dev)?;
    plugins::build(&house, Way::Auto)?;
    Scene::new(&house, program, runtime)
}

/// The story, one line a scene.
fn perform(scene: &mut Scene, score: &mut Score) -> Result<()> {
    let first = scene.commit("v1", "Version 1")?;
    scene.start_engine()?;
    scene.install_plugin()?;
    scene.make_app()?;

    scene.deploy("The first deployment")?;
    score.deployments += 1;
    scene.expect_version(1, &first)?;
    scene.sign_the_guestbook()?;
    let old = scene.instances()?;

    let second = scene.commit("v2", "Version 2: moods")?;
    let load = scene.start_load();
    let deployed = keep_busy(&load).and_then(|()| scene.deploy("The second, under load"));
    let after = deployed.and_then(|()| {
        score.deployments += 1;
        keep_busy(&load)
    });
    score.seen = load.stop();
    after?;

    scene.tell_load(&score.seen);
    scene.expect_version(2, &second)?;
    scene.expect_entries(score.seen.written)?;
    scene.expect_gone(&old)?;
    judge(&score.seen)
}

/// Waits until the visitors have asked for a while.
fn keep_busy(load: &Load) -> Result<()> {
    let enough = load.requests() + BEFORE_AND_AFTER;
    let done = run::until(LOAD_LIMIT, || (load.requests() >= enough).then_some(()));
    done.with_context(|| format!("fewer than {BEFORE_AND_AFTER} requests were answered in time"))
}

fn judge(seen: &Seen) -> Result<()> {
    ensure!(
        seen.failed == 0,
        "{} requests failed, among them:\n  {}",
        seen.failed,
        seen.failures.join("\n  ")
    );
    let both = seen.versions.contains_key(&1) && seen.versions.contains_key(&2);
    ensure!(
        both,
        "the visitors did not see both versions: {:?}",
        seen.versions
    );
    Ok(())
}

/// Lets a person at a terminal look around.
fn wait_for_enter(scene: &Scene) {
    if !stdin().is_terminal() || !stdout().is_terminal() {
        return;
    }
    say::heading("Have a look");
    say::line(format_args!("In a browser: {}", scene.url()));
    say::line("Press Enter to stop everything.");
    let (sender, pressed) = mpsc::channel();
    // Blocked in a read until then: it ends with the program.
    thread::spawn(move || {
        let _ = stdin().read_line(&mut String::new());
        let _ = sender.send(());
    });
    while !signal::asked_to_stop() && pressed.recv_timeout(Duration::from_millis(100)).is_err() {}
}
