//! Many runs, spread over the cores. What one seed does, it does on every
//! machine and in every order.

use std::ops::Range;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use crate::mutant::Mutant;
use crate::run;

/// A seed that broke a promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken {
    pub seed: u64,
    pub promises: Vec<String>,
}

/// Whether to look on after a seed has broken a promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    AllAreRun,
    OneBreaks,
}

/// Runs every seed; `ran` hears of each.
pub fn run_all(
    seeds: Range<u64>,
    mutant: Option<Mutant>,
    until: Until,
    ran: &(impl Fn() + Sync),
) -> Vec<Broken> {
    let next = AtomicU64::new(seeds.start);
    let broken = Mutex::new(Vec::new());
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= seeds.end {
                return;
            }
            if let Some(one) = try_seed(seed, mutant) {
                let mut all = broken
                    .lock()
                    .unwrap_or_else(std::sync::PoisonError::into_inner);
                all.push(one);
                if until == Until::OneBreaks {
                    next.store(seeds.end, Ordering::Relaxed);
                }
            }
            ran();
        }
    };
    let cores = thread::available_parallelism().map_or(1, std::num::NonZeroUsize::get);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(work);
        }
    });
    let mut broken = broken
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    broken.sort_by_key(|one| one.seed);
    broken
}

/// A panic in a run breaks a promise too.
fn try_seed(seed: u64, mutant: Option<Mutant>) -> Option<Broken> {
    let outcome = std::panic::catch_unwind(|| run::run(seed, mutant));
    let promises = match outcome {
        Ok(Ok(promises)) if promises.is_empty() => return None,
        Ok(Ok(promises)) => promises,
        Ok(Err(error)) => vec![format!("the run came to no end: {error:#}")],
        Err(_) => vec!["the run panicked".to_owned()],
    };
    Some(Broken { seed, promises })
}
