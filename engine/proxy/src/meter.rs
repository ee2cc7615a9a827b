//! How much a client sends of a body, and how fast. Each byte buys it time, so
//! that a slow line passes and a client that only holds a place does not.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep_until};

use crate::body::BodyError;
use crate::config::Limits;

#[derive(Debug)]
pub(crate) struct Meter {
    taken: u64,
    at_most: u64,
    idle: Duration,
    /// Bytes a second.
    rate: u32,
    /// For the client; while the target takes nothing, nobody waits.
    waited: Duration,
    waits_since: Option<Instant>,
    /// Made when the client is first waited for: most bodies come at once.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Meter {
    pub fn new(limits: &Limits) -> Self {
        Self {
            taken: 0,
            at_most: limits.body_bytes,
            idle: limits.body_idle,
            rate: limits.body_rate.get(),
            waited: Duration::ZERO,
            waits_since: None,
            timer: None,
        }
    }

    pub fn take(&mut self, bytes: usize) -> Result<(), BodyError> {
        if let Some(since) = self.waits_since.take() {
            self.waited += since.elapsed();
        }
        self.taken = self
            .taken
            .saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        if self.taken > self.at_most {
            return Err(BodyError::TooLarge);
        }
        Ok(())
    }

    /// Ready when the client has used up its time.
    pub fn wait(&mut self, cx: &mut Context<'_>) -> Poll<BodyError> {
        if self.waits_since.is_none() {
            let now = Instant::now();
            self.waits_since = Some(now);
            let until = now + self.idle.min(self.left());
            match &mut self.timer {
                Some(timer) => timer.as_mut().reset(until),
                None => self.timer = Some(Box::pin(sleep_until(until))),
            }
        }
        if let Some(timer) = &mut self.timer {
            ready!(timer.as_mut().poll(cx));
            return Poll::Ready(BodyError::TooSlow);
        }
        Poll::Pending
    }

    fn left(&self) -> Duration {
        let bought = Duration::from_secs(self.taken / u64::from(self.rate.max(1)));
        self.idle.saturating_add(bought).saturating_sub(self.waited)
    }
}
