//! The two clocks of a call: the processor time that the guest uses, and the
//! wall time that the whole call takes.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};
use tokio::time::{Instant, timeout_at};

/// Measures the processor time of a future: of its polls alone, on whichever
/// thread they run, so that neither waiting nor a busy machine counts.
#[derive(Debug, Clone, Default)]
pub(crate) struct CpuMeter(Arc<Meter>);

#[derive(Debug, Default)]
struct Meter {
    spent: AtomicU64,
    poll_began: AtomicU64,
}

impl CpuMeter {
    /// From within a poll of the metered future.
    pub(crate) fn spent(&self) -> Duration {
        let began = self.0.poll_began.load(Ordering::Relaxed);
        let before = self.0.spent.load(Ordering::Relaxed);
        Duration::from_nanos(before + thread_cpu_nanos().saturating_sub(began))
    }

    pub(crate) fn measure<F: Future>(&self, future: F) -> Metered<F> {
        Metered {
            meter: Arc::clone(&self.0),
            future: Box::pin(future),
        }
    }
}

pub(crate) struct Metered<F> {
    meter: Arc<Meter>,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Metered<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        let began = thread_cpu_nanos();
        self.meter.poll_began.store(began, Ordering::Relaxed);
        let poll = self.future.as_mut().poll(context);
        let spent = thread_cpu_nanos().saturating_sub(began);
        self.meter.spent.fetch_add(spent, Ordering::Relaxed);
        poll
    }
}

fn thread_cpu_nanos() -> u64 {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from);
    time.map_or(0, |time| u64::try_from(time.as_nanos()).unwrap_or(u64::MAX))
}

/// Time that a call is given beyond its limit, because the host itself is
/// slow: an image probe starts a container.
#[derive(Debug, Clone, Default)]
pub(crate) struct Grace(Arc<AtomicU64>);

impl Grace {
    pub(crate) fn add(&self, time: Duration) {
        self.0.fetch_add(millis(time), Ordering::Relaxed);
    }

    /// Takes back what was added and not needed.
    pub(crate) fn take_back(&self, time: Duration) {
        self.0.fetch_sub(millis(time), Ordering::Relaxed);
    }

    fn total(&self) -> Duration {
        Duration::from_millis(self.0.load(Ordering::Relaxed))
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// None when the limit passed before the future was done.
pub(crate) async fn within<F: Future>(
    limit: Duration,
    grace: &Grace,
    future: F,
) -> Option<F::Output> {
    let started = Instant::now();
    let mut future = std::pin::pin!(future);
    loop {
        let deadline = started + limit + grace.total();
        if let Ok(output) = timeout_at(deadline, &mut future).await {
            return Some(output);
        }
        if started + limit + grace.total() <= Instant::now() {
            return None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn grace_given_while_it_runs_moves_the_deadline() {
        let (grace, limit) = (Grace::default(), Duration::from_millis(20));
        let work = async {
            grace.add(Duration::from_secs(60));
            tokio::time::sleep(limit * 3).await;
            7
        };
        assert_eq!(within(limit, &grace, work).await, Some(7));
        grace.take_back(Duration::from_secs(60));
        let stuck = std::future::pending::<()>();
        assert_eq!(within(limit, &grace, stuck).await, None);
    }

    #[tokio::test]
    async fn waiting_is_no_processor_time_and_work_is() {
        let meter = CpuMeter::default();
        let inner = meter.clone();
        let (waited, worked) = meter
            .measure(async move {
                tokio::time::sleep(Duration::from_millis(60)).await;
                let waited = inner.spent();
                let mut sum = 0_u64;
                while inner.spent() < Duration::from_millis(20) {
                    sum = std::hint::black_box(sum.wrapping_add(1));
                }
                (waited, inner.spent())
            })
            .await;
        assert!(waited < Duration::from_millis(20), "{waited:?}");
        assert!(worked >= Duration::from_millis(20), "{worked:?}");
    }
}
