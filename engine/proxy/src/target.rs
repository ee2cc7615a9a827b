//! One instance as the proxy knows it: how many requests are on it, and the
//! kept-alive connections to it.

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::pool::Idle;
use crate::stats::Traffic;

/// Between a target's failing and the first look whether it is back; then it
/// doubles with each look in vain.
const FIRST_LOOK: Duration = Duration::from_millis(250);
const LOOKS_AT_LAST: Duration = Duration::from_secs(30);

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

#[derive(Debug)]
pub(crate) struct Target {
    address: SocketAddr,
    /// Of the environment that it serves.
    pub traffic: Arc<Traffic>,
    in_flight: AtomicU64,
    /// Told each time `in_flight` becomes zero.
    quiet: Notify,
    /// Whether the table has it. Connections to others are not kept.
    routed: AtomicBool,
    /// How often in turn no connection came about; 0 while it is in use. One
    /// that failed is put aside: asked only if there is no other.
    failures: AtomicU32,
    /// Milliseconds after [`START`] at which to look whether it is back.
    next_look: AtomicU64,
    /// Kept-alive connections, one list a worker: each is used on the thread
    /// that opened it. The locks are for whoever retires the target.
    idle: Box<[Mutex<Vec<Idle>>]>,
}

impl Target {
    pub fn new(address: SocketAddr, workers: usize, traffic: Arc<Traffic>) -> Self {
        Self {
            address,
            traffic,
            in_flight: AtomicU64::new(0),
            quiet: Notify::new(),
            routed: AtomicBool::new(true),
            failures: AtomicU32::new(0),
            next_look: AtomicU64::new(0),
            idle: (0..workers).map(|_| Mutex::default()).collect(),
        }
    }

    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Sequentially consistent, as is [`InFlight::new`]: see `table`.
    pub fn in_flight(&self) -> u64 {
        self.in_flight.load(Ordering::SeqCst)
    }

    /// Waits until a moment in which no request is on it.
    pub async fn quiet(&self) {
        loop {
            // Made before the look, so that a change after it is not missed.
            let changed = self.quiet.notified();
            if self.in_flight() == 0 {
                return;
            }
            changed.await;
        }
    }

    /// A target that was routed before and is again.
    pub fn reinstate(&self) {
        self.routed.store(true, Ordering::SeqCst);
    }

    /// Out of the table: its idle connections are closed, and those that
    /// become idle later are not kept.
    pub fn retire(&self) {
        self.routed.store(false, Ordering::SeqCst);
        for idle in &self.idle {
            lock(idle).clear();
        }
    }

    /// A request found nobody there. Only the first one counts: how long it
    /// stays aside is for those who look, not for how many come.
    pub fn refused(&self) {
        let first = self
            .failures
            .compare_exchange(0, 1, Ordering::Relaxed, Ordering::Relaxed);
        if first.is_ok() {
            self.look_in(FIRST_LOOK);
            tracing::warn!(target = %self.address, "accepts no connection and is put aside");
        }
    }

    /// Somebody looked, and it is not back.
    pub fn still_refuses(&self) {
        let failures = self.failures.fetch_add(1, Ordering::Relaxed).min(16);
        let pause = FIRST_LOOK.saturating_mul(1 << failures);
        self.look_in(pause.min(LOOKS_AT_LAST));
    }

    /// It accepted a connection.
    pub fn answered(&self) {
        if self.is_aside() && self.failures.swap(0, Ordering::Relaxed) > 0 {
            tracing::info!(target = %self.address, "accepts connections again");
        }
    }

    pub fn is_aside(&self) -> bool {
        self.failures() > 0
    }

    pub fn failures(&self) -> u32 {
        self.failures.load(Ordering::Relaxed)
    }

    /// Whether it is aside and the time has come to look.
    pub fn is_to_be_looked_at(&self) -> bool {
        let due = Duration::from_millis(self.next_look.load(Ordering::Relaxed));
        self.is_aside() && START.elapsed() >= due
    }

    fn look_in(&self, pause: Duration) {
        let due = (START.elapsed() + pause).as_millis();
        let due = u64::try_from(due).unwrap_or(u64::MAX);
        self.next_look.store(due, Ordering::Relaxed);
    }

    /// The kept-alive connections of a worker, locked.
    pub fn idle(&self, worker: usize) -> Option<MutexGuard<'_, Vec<Idle>>> {
        self.idle.get(worker).map(lock)
    }

    /// Keeps a connection, unless the target is retired. Looked at under the
    /// lock, so that none is added behind the back of [`Target::retire`].
    pub fn keep(&self, worker: usize, connection: Idle, limit: usize) {
        let Some(mut idle) = self.idle(worker) else {
            return;
        };
        if idle.len() >= limit {
            idle.retain(|connection| !connection.is_closed());
        }
        if self.routed.load(Ordering::SeqCst) && idle.len() < limit {
            idle.push(connection);
        }
    }
}

/// A panic while the lock was held leaves a list of connections, no worse.
fn lock(idle: &Mutex<Vec<Idle>>) -> MutexGuard<'_, Vec<Idle>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One request on a target, counted for as long as this lives: until the
/// body of its answer has ended, or its upgraded connection is closed.
#[derive(Debug)]
pub(crate) struct InFlight(Arc<Target>);

impl InFlight {
    pub fn new(target: &Arc<Target>) -> Self {
        target.in_flight.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(target))
    }
}

impl Deref for InFlight {
    type Target = Target;

    fn deref(&self) -> &Target {
        &self.0
    }
}

impl Drop for InFlight {
    fn drop(&mut self) {
        if self.0.in_flight.fetch_sub(1, Ordering::SeqCst) == 1 {
            self.0.quiet.notify_waiters();
        }
    }
}
