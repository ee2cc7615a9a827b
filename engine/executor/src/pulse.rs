//! A sign of life of each loop that goes on for as long as the engine does.
//! One that has not turned for longer than it may is stuck: in a store that
//! does not answer, or for want of a thread.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// The loops, and how long a turn of each may take, with its pause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loop {
    /// Looks for deployments that nobody works on.
    Patrol,
    /// Tells notifiers.
    Outbox,
    /// Looks after what deployments have left.
    Sweep,
    /// Takes old logs out.
    Pruning,
}

impl Loop {
    pub const ALL: [Self; 4] = [Self::Patrol, Self::Outbox, Self::Sweep, Self::Pruning];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Patrol => "patrol",
            Self::Outbox => "outbox",
            Self::Sweep => "sweep",
            Self::Pruning => "pruning",
        }
    }

    /// Some of them ask runtimes for many things in one turn.
    pub fn limit(self) -> Duration {
        match self {
            Self::Patrol | Self::Outbox => Duration::from_secs(90),
            Self::Sweep => Duration::from_secs(60 * 60),
            Self::Pruning => Duration::from_secs(3 * 60 * 60),
        }
    }
}

#[derive(Debug)]
pub struct Pulse {
    start: Instant,
    /// Milliseconds after `start`, in the order of [`Loop::ALL`].
    beats: [AtomicU64; Loop::ALL.len()],
}

impl Default for Pulse {
    fn default() -> Self {
        Self {
            start: Instant::now(),
            beats: Default::default(),
        }
    }
}

impl Pulse {
    pub(crate) fn beat(&self, of: Loop) {
        let millis = u64::try_from(self.start.elapsed().as_millis()).unwrap_or(u64::MAX);
        if let Some(beat) = self.beats.get(of as usize) {
            beat.store(millis, Ordering::Relaxed);
        }
    }

    /// How long ago it turned last; before its first turn, since the engine
    /// was made.
    pub fn since(&self, of: Loop) -> Duration {
        let beat = self.beats.get(of as usize);
        let last = beat.map_or(0, |beat| beat.load(Ordering::Relaxed));
        self.start
            .elapsed()
            .saturating_sub(Duration::from_millis(last))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_beat_is_of_one_loop() {
        let mut pulse = Pulse::default();
        // As if it had been made an hour ago.
        pulse.start -= Duration::from_secs(3600);
        pulse.beat(Loop::Outbox);
        assert!(pulse.since(Loop::Outbox) < Duration::from_secs(60));
        assert!(pulse.since(Loop::Patrol) > Loop::Patrol.limit());
    }
}
