//! Waiting with a bound, and the one async runtime behind the tests, which are
//! plain functions.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tokio::runtime::{Builder, Runtime};

/// Between two looks at something that is waited for.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// Asks until there is an answer; panics with `what` when there is none in time.
pub fn until<T>(what: &str, limit: Duration, mut ask: impl FnMut() -> Option<T>) -> T {
    let started = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(
            started.elapsed() < limit,
            "waited {} s in vain until {what}",
            limit.as_secs()
        );
        std::thread::sleep(LOOK_EVERY);
    }
}

/// The same with a yes or no.
pub fn until_true(what: &str, limit: Duration, mut ask: impl FnMut() -> bool) {
    until(what, limit, || ask().then_some(()));
}

/// Runs a future to its end.
pub fn block<F: Future>(future: F) -> F::Output {
    runtime().block_on(future)
}

/// The runtime of every client and of every load.
pub fn runtime() -> &'static Runtime {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    RUNTIME.get_or_init(|| {
        Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .expect("an async runtime")
    })
}
