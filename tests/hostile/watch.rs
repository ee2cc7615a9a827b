//! Bystanders: an honest plugin that is called all the time on the same host,
//! and the memory of a process.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use shipway_core::ports::plugins::Plugins;
use shipway_tests::wait::{runtime, until};

use crate::bench::Bench;
use crate::world::World;

/// The longest that an honest call may take while others misbehave: with two
/// cores and many endless loops beside it, its turn comes seldom.
const PATIENCE: Duration = Duration::from_secs(10);
/// Between two honest calls.
const PAUSE: Duration = Duration::from_millis(5);

/// Calls an honest plugin again and again.
pub struct Bystander {
    seen: Arc<Mutex<Served>>,
    task: tokio::task::JoinHandle<()>,
}

/// How well a bystander was served.
#[derive(Debug, Default, Clone)]
pub struct Served {
    pub calls: u64,
    pub slowest: Duration,
    pub wrong: Option<String>,
}

impl Served {
    fn note(&mut self, took: Duration, wrong: Option<String>) {
        self.calls += 1;
        self.slowest = self.slowest.max(took);
        self.wrong = self.wrong.take().or(wrong);
    }
}

impl Bystander {
    pub fn start(world: &World) -> Self {
        let bench = Bench::new(world, "honest");
        let seen = Arc::new(Mutex::new(Served::default()));
        let told = Arc::clone(&seen);
        let task = runtime().spawn(async move {
            loop {
                let began = Instant::now();
                let answer = tokio::time::timeout(PATIENCE, bench.host.collect(&bench.call)).await;
                let wrong = match answer {
                    Ok(Ok(gave)) if gave.commands.len() == 1 => None,
                    Ok(other) => Some(format!("{other:?}")),
                    Err(_) => Some(format!("no answer in {PATIENCE:?}")),
                };
                told.lock()
                    .expect("a bystander")
                    .note(began.elapsed(), wrong);
                tokio::time::sleep(PAUSE).await;
            }
        });
        Self { seen, task }
    }

    pub fn served(&self) -> Served {
        self.seen.lock().expect("a bystander").clone()
    }

    /// Waits for a call that began after now, and says what was wrong since.
    pub fn still_served(&self) -> Result<()> {
        let before = self.served().calls;
        let after = until("an honest plugin is served", PATIENCE * 3, || {
            Some(self.served()).filter(|served| served.calls >= before + 2)
        });
        ensure!(
            after.wrong.is_none(),
            "an honest plugin was not served: {:?}",
            after.wrong
        );
        Ok(())
    }
}

impl Drop for Bystander {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The memory of a process, looked at all the time.
pub struct Memory {
    process: String,
    highest: Arc<AtomicU64>,
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Memory {
    /// `self`, or a process' id.
    pub fn of(process: &str) -> Self {
        let (highest, end) = (
            Arc::new(AtomicU64::new(0)),
            Arc::new(AtomicBool::new(false)),
        );
        let (process, high, ended) = (process.to_owned(), Arc::clone(&highest), Arc::clone(&end));
        let looked = process.clone();
        let thread = thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                high.fetch_max(resident(&looked), Ordering::Relaxed);
                thread::sleep(Duration::from_millis(5));
            }
        });
        Self {
            process,
            highest,
            end,
            thread: Some(thread),
        }
    }

    /// MiB, now.
    pub fn now(&self) -> u64 {
        resident(&self.process) >> 20
    }

    /// MiB at most, since it was asked last.
    pub fn highest(&self) -> u64 {
        let now = resident(&self.process);
        now.max(self.highest.swap(0, Ordering::Relaxed)) >> 20
    }
}

impl Drop for Memory {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Bytes of the process' own: what it maps of files is not counted.
fn resident(process: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let anonymous = text.lines().find_map(|line| line.strip_prefix("RssAnon:"));
    let kibibytes = anonymous.and_then(|text| text.trim().trim_end_matches(" kB").parse().ok());
    kibibytes.unwrap_or(0_u64) << 10
}
