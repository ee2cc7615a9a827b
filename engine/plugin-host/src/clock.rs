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

/// What one poll may count before the first look at the processor's clock:
/// two of the ticks that make a guest look.
const MOST_UNSEEN: Duration = Duration::from_millis(20);

/// Measures the processor time of a future: of its polls alone, on whichever
/// thread they run, so that neither waiting nor a busy machine counts. The
/// processor's clock costs a system call, so a poll that is over before anybody
/// looks counts by the wall clock; looked at, it counts by the processor's from
/// then on.
#[derive(Debug, Clone)]
pub(crate) struct CpuMeter(Arc<Meter>);

#[derive(Debug)]
struct Meter {
    /// What the nanoseconds of `poll_began` count from.
    zero: std::time::Instant,
    /// Nanoseconds of the polls that are over, and of this one before the
    /// first look.
    spent: AtomicU64,
    poll_began: AtomicU64,
    /// The thread's processor time at the first look of this poll; 0 is none.
    looked: AtomicU64,
}

impl Default for CpuMeter {
    fn default() -> Self {
        Self(Arc::new(Meter {
            zero: std::time::Instant::now(),
            spent: AtomicU64::new(0),
            poll_began: AtomicU64::new(0),
            looked: AtomicU64::new(0),
        }))
    }
}

impl CpuMeter {
    /// From within a poll of the metered future.
    pub(crate) fn spent(&self) -> Duration {
        let meter = &self.0;
        let now = thread_cpu_nanos();
        let looked = meter.looked.load(Ordering::Relaxed);
        if looked == 0 {
            meter.count(meter.unseen());
            meter.looked.store(now.max(1), Ordering::Relaxed);
        }
        let since = if looked == 0 {
            0
        } else {
            now.saturating_sub(looked)
        };
        Duration::from_nanos(meter.spent.load(Ordering::Relaxed).saturating_add(since))
    }

    /// After the metered future has ended.
    pub(crate) fn total(&self) -> Duration {
        Duration::from_nanos(self.0.spent.load(Ordering::Relaxed))
    }

    pub(crate) fn measure<F: Future>(&self, future: F) -> Metered<F> {
        Metered {
            meter: Arc::clone(&self.0),
            future: Box::pin(future),
        }
    }
}

impl Meter {
    fn now(&self) -> u64 {
        nanos(self.zero.elapsed())
    }

    fn begin(&self) {
        self.looked.store(0, Ordering::Relaxed);
        self.poll_began.store(self.now(), Ordering::Relaxed);
    }

    fn end(&self) {
        match self.looked.load(Ordering::Relaxed) {
            0 => self.count(self.unseen()),
            looked => self.count(thread_cpu_nanos().saturating_sub(looked)),
        }
    }

    /// What this poll has taken by the wall clock.
    fn unseen(&self) -> u64 {
        let began = self.poll_began.load(Ordering::Relaxed);
        self.now().saturating_sub(began).min(nanos(MOST_UNSEEN))
    }

    fn count(&self, time: u64) {
        self.spent.fetch_add(time, Ordering::Relaxed);
    }
}

pub(crate) struct Metered<F> {
    meter: Arc<Meter>,
    future: Pin<Box<F>>,
}

impl<F: Future> Future for Metered<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<F::Output> {
        self.meter.begin();
        let poll = self.future.as_mut().poll(context);
        self.meter.end();
        poll
    }
}

fn thread_cpu_nanos() -> u64 {
    let time = clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID).map(Duration::from);
    time.map_or(0, nanos)
}

fn nanos(time: Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
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
    // Most calls are over at once, and need no timer.
    if let Poll::Ready(output) = futures::poll!(&mut future) {
        return Some(output);
    }
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
