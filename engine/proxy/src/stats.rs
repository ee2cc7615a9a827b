//! Counters of one worker. Each worker has its own, so that counting costs
//! no traffic between cores; they are added up when asked for.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::protocol::Counts;

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
}

impl Stats {
    pub fn add_to(&self, total: &mut Counts) {
        total.connections += self.connections.load(Ordering::Relaxed);
        total.requests += self.requests.load(Ordering::Relaxed);
        total.own_pages += self.own_pages.load(Ordering::Relaxed);
        total.retries += self.retries.load(Ordering::Relaxed);
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
