//! Ctrl-C, and the polite request to end: heard once, asked for anywhere.

use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result};

static ASKED: AtomicBool = AtomicBool::new(false);

/// From here on a signal is a wish that [`asked_to_stop`] tells, so that what
/// was started is stopped in order.
pub fn listen() -> Result<()> {
    ctrlc::set_handler(|| ASKED.store(true, Ordering::Relaxed)).context("listening for Ctrl-C")
}

pub fn asked_to_stop() -> bool {
    ASKED.load(Ordering::Relaxed)
}

/// Lets the cleaning up after an interruption run its own programs.
pub fn heard() {
    ASKED.store(false, Ordering::Relaxed);
}
