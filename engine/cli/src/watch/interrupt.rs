//! Who wants us to end.

use anyhow::Context;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// What was meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Call {
    /// Ctrl-C: somebody may be there to say more.
    Interrupt,
    /// SIGTERM, SIGHUP: a CI job that was stopped, a terminal that was closed.
    End,
}

#[derive(Debug)]
pub struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Interrupts {
    pub fn listen() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("could not listen for Ctrl-C");
        Ok(Self {
            interrupt: listen(SignalKind::interrupt())?,
            terminate: listen(SignalKind::terminate())?,
            hangup: listen(SignalKind::hangup())?,
        })
    }

    pub async fn next(&mut self) -> Call {
        tokio::select! {
            _ = self.interrupt.recv() => Call::Interrupt,
            _ = self.terminate.recv() => Call::End,
            _ = self.hangup.recv() => Call::End,
        }
    }
}
