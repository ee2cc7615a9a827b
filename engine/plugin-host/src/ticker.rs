//! The thread that advances the engine's epoch, so that a guest that never
//! ends is interrupted. It sleeps while no call runs.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use wasmtime::Engine;

/// How often a running guest is asked whether it may go on.
const TICK: Duration = Duration::from_millis(10);

#[derive(Debug)]
pub(crate) struct Ticker {
    shared: Arc<Shared>,
}

#[derive(Debug, Default)]
struct Shared {
    calls: AtomicUsize,
    /// Set before the thread looks whether a call runs, so that a call which
    /// it did not see sees it, and only then takes the time to wake it.
    sleeps: AtomicBool,
    closed: Mutex<bool>,
    changed: Condvar,
}

impl Ticker {
    pub(crate) fn start(engine: Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let ours = Arc::clone(&shared);
        std::thread::Builder::new()
            .name("plugin-ticker".to_owned())
            .spawn(move || tick(&engine, &ours))?;
        Ok(Self { shared })
    }

    /// Ticks until the guard is dropped.
    pub(crate) fn tick(&self) -> Ticking {
        self.shared.calls.fetch_add(1, Ordering::SeqCst);
        if self.shared.sleeps.load(Ordering::SeqCst) {
            let _awake = self.shared.lock();
            self.shared.changed.notify_one();
        }
        Ticking(Arc::clone(&self.shared))
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        *self.shared.lock() = true;
        self.shared.changed.notify_one();
    }
}

/// A call that needs the ticks.
#[derive(Debug)]
pub(crate) struct Ticking(Arc<Shared>);

impl Drop for Ticking {
    fn drop(&mut self) {
        self.0.calls.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, bool> {
        self.closed.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Until a call runs; whether the host is closed instead.
    fn sleep(&self) -> bool {
        let closed = self.lock();
        self.sleeps.store(true, Ordering::SeqCst);
        let idle = |closed: &mut bool| !*closed && self.calls.load(Ordering::SeqCst) == 0;
        let closed = self.changed.wait_while(closed, idle);
        self.sleeps.store(false, Ordering::SeqCst);
        *closed.unwrap_or_else(PoisonError::into_inner)
    }
}

fn tick(engine: &Engine, shared: &Shared) {
    while !shared.sleep() {
        std::thread::sleep(TICK);
        engine.increment_epoch();
    }
}
