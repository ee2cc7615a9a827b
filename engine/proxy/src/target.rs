//! One instance as the proxy knows it: how many requests are on it, and the
//! kept-alive connections to it.

use std::net::SocketAddr;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::Notify;

use crate::pool::Idle;

/// How long a target that refused a connection is asked last.
const AVOIDED: Duration = Duration::from_secs(1);

static START: LazyLock<Instant> = LazyLock::new(Instant::now);

#[derive(Debug)]
pub(crate) struct Target {
    address: SocketAddr,
    in_flight: AtomicU64,
    /// Told each time `in_flight` becomes zero.
    quiet: Notify,
    /// Whether the table has it. Connections to others are not kept.
    routed: AtomicBool,
    /// Milliseconds after [`START`]; 0 unless it refused a connection.
    avoided_until: AtomicU64,
    /// Kept-alive connections, one list a worker: each is used on the thread
    /// that opened it. The locks are for whoever retires the target.
    idle: Box<[Mutex<Vec<Idle>>]>,
}

impl Target {
    pub fn new(address: SocketAddr, workers: usize) -> Self {
        Self {
            address,
            in_flight: AtomicU64::new(0),
            quiet: Notify::new(),
            routed: AtomicBool::new(true),
            avoided_until: AtomicU64::new(0),
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

    pub fn refused(&self) {
        let until = START.elapsed() + AVOIDED;
        let millis = u64::try_from(until.as_millis()).unwrap_or(u64::MAX);
        self.avoided_until.store(millis, Ordering::Relaxed);
    }

    pub fn answered(&self) {
        if self.avoided_until.load(Ordering::Relaxed) != 0 {
            self.avoided_until.store(0, Ordering::Relaxed);
        }
    }

    pub fn is_avoided(&self) -> bool {
        let until = self.avoided_until.load(Ordering::Relaxed);
        until != 0 && START.elapsed() < Duration::from_millis(until)
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
