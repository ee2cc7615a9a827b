//! The thread that advances the engine's epoch, so that a guest that never
//! ends is interrupted. It sleeps while no call runs.

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
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    calls: usize,
    closed: bool,
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
        self.shared.lock().calls += 1;
        self.shared.changed.notify_one();
        Ticking(Arc::clone(&self.shared))
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.lock().closed = true;
        self.shared.changed.notify_one();
    }
}

/// A call that needs the ticks.
#[derive(Debug)]
pub(crate) struct Ticking(Arc<Shared>);

impl Drop for Ticking {
    fn drop(&mut self) {
        self.0.lock().calls -= 1;
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tick(engine: &Engine, shared: &Shared) {
    loop {
        let idle = shared
            .changed
            .wait_while(shared.lock(), |state| state.calls == 0 && !state.closed)
            .unwrap_or_else(PoisonError::into_inner);
        if idle.closed {
            return;
        }
        drop(idle);
        std::thread::sleep(TICK);
        engine.increment_epoch();
    }
}
