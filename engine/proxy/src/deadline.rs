//! A moment that is put off with each request and hardly ever comes.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::rt::{Sleep, Timer};

/// One timer for moments that follow each other. It is left to run out and
/// only then set for the last of them: putting a moment off costs no timer.
#[derive(Debug, Default)]
pub(crate) struct Deadline {
    timer: Option<Pin<Box<tokio::time::Sleep>>>,
}

impl Deadline {
    /// Ready when `until` has passed.
    pub fn poll(&mut self, cx: &mut Context<'_>, until: tokio::time::Instant) -> Poll<()> {
        let timer = self
            .timer
            .get_or_insert_with(|| Box::pin(tokio::time::sleep_until(until)));
        if timer.deadline() > until {
            timer.as_mut().reset(until);
        }
        while timer.as_mut().poll(cx).is_ready() {
            if tokio::time::Instant::now() >= until {
                return Poll::Ready(());
            }
            timer.as_mut().reset(until);
        }
        Poll::Pending
    }
}

/// For hyper, which asks for a new timer after each answer and drops it with
/// the next request: one connection's, which never has two at once.
#[derive(Debug, Clone, Default)]
pub(crate) struct OneTimer(Arc<Mutex<Deadline>>);

impl Timer for OneTimer {
    fn sleep(&self, duration: Duration) -> Pin<Box<dyn Sleep>> {
        self.sleep_until(Instant::now() + duration)
    }

    fn sleep_until(&self, deadline: Instant) -> Pin<Box<dyn Sleep>> {
        Box::pin(Until {
            timer: self.clone(),
            until: deadline.into(),
        })
    }
}

struct Until {
    timer: OneTimer,
    until: tokio::time::Instant,
}

impl Future for Until {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        // A panic while it was locked leaves a timer, no worse.
        let mut deadline = self.timer.0.lock().unwrap_or_else(PoisonError::into_inner);
        deadline.poll(cx, self.until)
    }
}

impl Sleep for Until {}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use tokio::time::{Instant, timeout};

    use super::*;

    #[tokio::test]
    async fn a_moment_that_is_put_off_comes_later_and_an_earlier_one_at_once() {
        let mut deadline = Deadline::default();
        let start = Instant::now();
        let ms = Duration::from_millis;
        for until in [ms(10_000), ms(20), ms(60)] {
            let until = start + until;
            // Looked at, then left.
            let left = timeout(ms(1), poll_fn(|cx| deadline.poll(cx, until)));
            assert!(left.await.is_err());
        }
        poll_fn(|cx| deadline.poll(cx, start + ms(60))).await;
        assert!(start.elapsed() >= ms(60));
        assert!(start.elapsed() < ms(5_000));
    }

    #[tokio::test]
    async fn a_timer_that_is_dropped_does_not_end_the_next() {
        let timer = OneTimer::default();
        let start = Instant::now();
        let ms = Duration::from_millis;
        assert!(timeout(ms(1), timer.sleep(ms(5))).await.is_err());
        timer.sleep(ms(40)).await;
        assert!(start.elapsed() >= ms(40));
    }
}
