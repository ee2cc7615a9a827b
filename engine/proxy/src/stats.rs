//! Counters of one worker. Each worker has its own, so that counting costs
//! no traffic between cores; they are added up when asked for.

use std::sync::atomic::{AtomicU64, Ordering};

use std::time::Duration;

use http::StatusCode;

use crate::pages::Failure;
use crate::protocol::{Answers, BUCKETS, Counts, Durations, Failures};

#[derive(Debug, Default)]
pub(crate) struct Stats {
    /// Connections of clients that are open now.
    pub connections: AtomicU64,
    /// Requests begun.
    pub requests: AtomicU64,
    /// Requests answered with one of the proxy's own pages.
    pub own_pages: AtomicU64,
    /// Requests sent once more, because the first try reached no one.
    pub retries: AtomicU64,
    failures: [AtomicU64; FAILURES],
    durations: [AtomicU64; BUCKETS.len() + 1],
    micros: AtomicU64,
}

const FAILURES: usize = 5;

impl Stats {
    pub fn add_to(&self, total: &mut Counts) {
        total.connections += self.connections.load(Ordering::Relaxed);
        total.requests += self.requests.load(Ordering::Relaxed);
        total.own_pages += self.own_pages.load(Ordering::Relaxed);
        total.retries += self.retries.load(Ordering::Relaxed);
        let Failures {
            no_target,
            refused,
            connect_timeout,
            broken,
            answer_timeout,
        } = &mut total.failures;
        let sums = [no_target, refused, connect_timeout, broken, answer_timeout];
        add(&self.failures, sums);
        self.add_durations(&mut total.durations);
    }

    fn add_durations(&self, total: &mut Durations) {
        total.buckets.resize(self.durations.len(), 0);
        add(&self.durations, total.buckets.iter_mut());
        total.micros += self.micros.load(Ordering::Relaxed);
    }

    /// A request was answered, or at least the head of the answer is there.
    pub fn took(&self, time: Duration) {
        let micros = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let bucket = BUCKETS.iter().position(|most| micros <= *most);
        if let Some(counter) = self.durations.get(bucket.unwrap_or(BUCKETS.len())) {
            count(counter);
        }
        self.micros.fetch_add(micros, Ordering::Relaxed);
    }

    /// No instance answered, for this reason; a client's own fault is not
    /// counted.
    pub fn failed(&self, failure: &Failure) {
        let place = match failure {
            Failure::NoTarget => 0,
            Failure::Refused { .. } => 1,
            Failure::ConnectTimeout { .. } => 2,
            Failure::Broken { .. } | Failure::Unasked { .. } => 3,
            Failure::AnswerTimeout { .. } => 4,
            Failure::NoHost
            | Failure::Connect
            | Failure::UnknownHost
            | Failure::BodyTooLarge
            | Failure::BodyTooSlow
            | Failure::BodyBroken => return,
        };
        if let Some(counter) = self.failures.get(place) {
            count(counter);
        }
    }
}

/// Answers to the requests of one environment, by the first digit of their
/// status; for each worker its own, as above.
#[derive(Debug, Default)]
pub(crate) struct Traffic(Box<[Classes]>);

/// Alone on its line of the processor's cache.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Classes([AtomicU64; 5]);

impl Traffic {
    pub fn new(workers: usize) -> Self {
        Self((0..workers).map(|_| Classes::default()).collect())
    }

    pub fn count(&self, worker: usize, status: StatusCode) {
        let class = usize::from(status.as_u16() / 100).saturating_sub(1);
        if let Some(counter) = self.0.get(worker).and_then(|its| its.0.get(class)) {
            count(counter);
        }
    }

    pub fn sum(&self) -> Answers {
        let mut sum = Answers::default();
        for worker in &self.0 {
            add(&worker.0, sum.iter_mut());
        }
        sum
    }
}

fn add<'a>(counters: &[AtomicU64], sums: impl IntoIterator<Item = &'a mut u64>) {
    for (sum, counter) in sums.into_iter().zip(counters) {
        *sum += counter.load(Ordering::Relaxed);
    }
}

pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// Counts one open connection for as long as it lives.
pub(crate) struct Open<'a>(&'a AtomicU64);

impl<'a> Open<'a> {
    pub fn new(counter: &'a AtomicU64) -> Self {
        count(counter);
        Self(counter)
    }
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
