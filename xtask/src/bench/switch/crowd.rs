//! Visitors of all kinds at once, each in a thread of its own, and what they
//! saw.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant, SystemTime};

use anyhow::Result;

use super::visit::{Kind, Site, Visitor};

/// Failures of one visitor that are kept word for word; all are counted.
const MOST_KEPT: usize = 5;
/// After a failure, so that a proxy that is gone is not asked a million times.
const PAUSE: Duration = Duration::from_millis(20);

/// Visitors at work.
pub struct Crowd {
    shared: Arc<Shared>,
    visitors: Vec<JoinHandle<Seen>>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    requests: AtomicU64,
    failed: AtomicU64,
}

/// A request that was answered, in microseconds since 1970.
#[derive(Debug, Clone, Copy)]
pub struct Visit {
    pub kind: Kind,
    pub began: u64,
    pub took: u32,
    pub by: u128,
}

impl Visit {
    pub fn ended(&self) -> u64 {
        self.began + u64::from(self.took)
    }
}

/// What visitors saw.
#[derive(Debug, Default)]
pub struct Seen {
    pub visits: Vec<Visit>,
    pub failed: u64,
    pub failures: Vec<String>,
}

impl Crowd {
    pub fn start(site: &Site) -> Self {
        let shared = Arc::new(Shared::default());
        let each = Kind::ALL
            .into_iter()
            .flat_map(|kind| (0..kind.visitors()).map(move |_| kind));
        let visitors = each.map(|kind| {
            let visitor = Visitor::new(kind, site);
            let shared = Arc::clone(&shared);
            thread::spawn(move || work(visitor, &shared))
        });
        Self {
            visitors: visitors.collect(),
            shared,
        }
    }

    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }

    pub fn failed(&self) -> u64 {
        self.shared.failed.load(Ordering::Relaxed)
    }

    /// Lets every visitor finish the request that runs.
    pub fn stop(mut self) -> Seen {
        self.shared.stop.store(true, Ordering::Relaxed);
        let mut all = Seen::default();
        for visitor in self.visitors.drain(..) {
            match visitor.join() {
                Ok(seen) => all.add(seen),
                Err(_) => all.failed += 1,
            }
        }
        all
    }
}

impl Drop for Crowd {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

impl Seen {
    fn add(&mut self, other: Self) {
        self.visits.extend(other.visits);
        self.failed += other.failed;
        self.failures.extend(other.failures);
    }

    pub fn requests(&self) -> u64 {
        self.visits.len() as u64 + self.failed
    }

    fn record(&mut self, kind: Kind, began: SystemTime, took: Duration, outcome: Result<u128>) {
        match outcome {
            Ok(by) => self.visits.push(Visit {
                kind,
                began: micros(began),
                took: u32::try_from(took.as_micros()).unwrap_or(u32::MAX),
                by,
            }),
            Err(error) => {
                self.failed += 1;
                if self.failures.len() < MOST_KEPT {
                    let at = humantime::format_rfc3339_millis(began);
                    let (what, millis) = (kind.name(), took.as_millis());
                    self.failures
                        .push(format!("{what}, begun {at}, after {millis} ms: {error:#}"));
                }
            }
        }
    }
}

fn work(mut visitor: Visitor, shared: &Shared) -> Seen {
    let mut seen = Seen::default();
    let kind = visitor.kind;
    let mut next = Instant::now();
    while !shared.stop.load(Ordering::Relaxed) {
        let (began, clock) = (SystemTime::now(), Instant::now());
        let outcome = visitor.visit();
        shared.requests.fetch_add(1, Ordering::Relaxed);
        if outcome.is_err() {
            shared.failed.fetch_add(1, Ordering::Relaxed);
            thread::sleep(PAUSE);
        }
        seen.record(kind, began, clock.elapsed(), outcome);
        next = (next + kind.pace()).max(Instant::now());
        thread::sleep(next.saturating_duration_since(Instant::now()));
    }
    seen
}

/// Microseconds since 1970.
pub fn micros(time: SystemTime) -> u64 {
    let since = time.duration_since(SystemTime::UNIX_EPOCH);
    u64::try_from(since.unwrap_or_default().as_micros()).unwrap_or(u64::MAX)
}
