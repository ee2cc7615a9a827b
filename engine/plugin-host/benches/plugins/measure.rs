//! Takes turns: in each round every contender makes its batch of calls, so
//! that what else the machine does hits all of them alike.

use std::time::Instant;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};

type Batch = Box<dyn FnMut(usize) -> Result<Vec<u64>>>;

/// Something that can be called again and again.
pub struct Contender {
    name: String,
    batch: usize,
    /// Makes so many calls, and says how many nanoseconds each took.
    work: Batch,
    times: Vec<u64>,
}

impl Contender {
    pub fn new(
        name: &str,
        batch: usize,
        work: impl FnMut(usize) -> Result<Vec<u64>> + 'static,
    ) -> Self {
        Self {
            name: name.to_owned(),
            batch,
            work: Box::new(work),
            times: Vec::new(),
        }
    }
}

/// What each contender's calls took, in microseconds.
pub fn in_turns(mut contenders: Vec<Contender>, rounds: usize) -> Result<Value> {
    for contender in &mut contenders {
        let warm = (contender.work)(contender.batch.min(50));
        warm.with_context(|| format!("calling {}", contender.name))?;
    }
    for _ in 0..rounds {
        for contender in &mut contenders {
            // Whoever was before has filled the caches with its own.
            (contender.work)(contender.batch.div_ceil(4))?;
            contender.times.extend((contender.work)(contender.batch)?);
        }
    }
    let told = contenders.into_iter().map(|contender| {
        let mut times = contender.times;
        times.sort_unstable();
        let of = json!({
            "median_us": at(&times, 50),
            "p90_us": at(&times, 90),
            "least_us": at(&times, 0),
            "calls": times.len(),
        });
        (contender.name, of)
    });
    Ok(told.collect::<Map<_, _>>().into())
}

pub fn times(calls: usize, mut call: impl FnMut() -> Result<()>) -> Result<Vec<u64>> {
    let mut times = Vec::with_capacity(calls);
    for _ in 0..calls {
        let started = Instant::now();
        call()?;
        times.push(u64::try_from(started.elapsed().as_nanos())?);
    }
    Ok(times)
}

/// The time that so many of a hundred calls did not pass; 0 of none.
fn at(sorted: &[u64], percent: usize) -> f64 {
    let index = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    let nanos = sorted.get(index).copied().unwrap_or_default();
    nanos as f64 / 1e3
}
