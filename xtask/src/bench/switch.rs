//! `cargo xtask bench switch`: hundreds of deployments of an app under
//! constant load. Quick requests on kept and on new connections, slow ones,
//! downloads, uploads, event streams and WebSockets that live through the
//! switches; every answer is checked, and says which deployment gave it.

use std::process::ExitCode;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use super::app;
use super::program::Program;
use crate::demo::Runtime;
use crate::house::House;
use crate::{say, signal};

mod crowd;
mod scene;
mod verdict;
mod visit;
mod websocket;

use crowd::Crowd;
use scene::{Moments, Scene};
use verdict::Verdict;

/// With nothing but visitors, before the first deployment.
const FIRST_REST: Duration = Duration::from_secs(5);
/// The same between two of them.
const REST: Duration = Duration::from_millis(600);
/// Deployments from one word about it to the next.
const WORD_EVERY: u32 = 10;
/// More failures than anybody reads: there is no use in going on.
const TOO_MANY: u64 = 10_000;
const FAILURES_SHOWN: usize = 20;

#[derive(Debug, clap::Args)]
pub struct Arguments {
    /// How often the app is deployed under load
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..))]
    deployments: u32,
    /// Where the app runs
    #[arg(long, value_enum, default_value = "process")]
    runtime: Runtime,
    /// Copies of the app
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    instances: u32,
    /// How many seconds a long request takes
    #[arg(long, value_name = "SECONDS", default_value_t = 3, value_parser = clap::value_parser!(u64).range(1..=20))]
    long: u64,
    /// One JSON object instead of a table
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    program: Program,
}

pub fn run(arguments: &Arguments) -> Result<ExitCode> {
    signal::listen()?;
    let house = House::open()?;
    let program = arguments.program.bring(&house)?;
    let app = app::build(&house)?;
    let mut scene = Scene::new(&house, program, arguments.runtime, &app)?;
    let played = play(&mut scene, arguments);
    if played.is_err() {
        say::note(scene.stage.logs());
    }
    signal::heard();
    let cleared = scene.clear();
    let verdict = played?;
    cleared?;
    tell(&verdict, arguments);
    Ok(match verdict.is_ok() {
        true => ExitCode::SUCCESS,
        false => ExitCode::FAILURE,
    })
}

/// The story, one line a scene.
fn play(scene: &mut Scene, arguments: &Arguments) -> Result<Verdict> {
    scene.start(arguments.instances)?;
    let crowd = Crowd::start(&scene.site(Duration::from_secs(arguments.long)));
    thread::sleep(FIRST_REST);
    let deployed = deploy_all(scene, &crowd, arguments.deployments);
    thread::sleep(REST);
    let seen = crowd.stop();
    match deployed {
        Ok(moments) => Ok(Verdict::of(seen, &moments, arguments.deployments)),
        Err(error) => {
            for failure in seen.failures.iter().take(FAILURES_SHOWN) {
                say::note(failure);
            }
            Err(error)
        }
    }
}

fn deploy_all(scene: &mut Scene, crowd: &Crowd, deployments: u32) -> Result<Vec<Moments>> {
    let began = Instant::now();
    let mut all = Vec::new();
    for number in 1..=deployments {
        ensure!(!signal::asked_to_stop(), "interrupted");
        all.push(scene.deploy(number)?);
        thread::sleep(REST);
        if number % WORD_EVERY == 0 {
            let (requests, failed) = (crowd.requests(), crowd.failed());
            say::note(format_args!(
                "{number} of {deployments} deployments after {} s: {requests} requests, {failed} failed",
                began.elapsed().as_secs()
            ));
            ensure!(
                failed < TOO_MANY,
                "{failed} requests failed, too many to go on"
            );
        }
    }
    Ok(all)
}

fn tell(verdict: &Verdict, arguments: &Arguments) {
    if arguments.json {
        say::line(verdict.json());
        return;
    }
    say::line(verdict.table());
    for failure in verdict.failures.iter().take(FAILURES_SHOWN) {
        say::line(format_args!("  {failure}"));
    }
    say::line(verdict.line());
}
