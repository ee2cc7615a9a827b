//! How far a proxy is on its way out: it goes deaf, then it closes idle
//! connections, then it cuts what is left.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Poll;

use tokio_util::sync::CancellationToken;

#[derive(Debug, Default)]
pub(crate) struct Phase {
    /// Read by every request, so it is no token: those have a lock.
    closing: AtomicBool,
    /// Stored before `leave` is cancelled.
    leaving: AtomicBool,
    /// No connection is accepted any more.
    pub deaf: CancellationToken,
    /// Idle connections are closed, others after their answer.
    pub leave: CancellationToken,
    /// Whatever is still under way is cut.
    pub cut: CancellationToken,
}

impl Phase {
    /// Another proxy accepts from now on. Connections stay; each is told with
    /// its next answer to come no more.
    pub fn retire(&self) {
        self.closing.store(true, Ordering::Relaxed);
        self.deaf.cancel();
    }

    pub fn leave(&self) {
        self.retire();
        self.leaving.store(true, Ordering::Release);
        self.leave.cancel();
    }

    pub fn cut(&self) {
        self.leave();
        self.cut.cancel();
    }

    /// Ready when idle connections are closed. For a task that polls it with
    /// every byte that moves: of the token's lock, which all threads share, it
    /// takes the first poll's turn alone.
    pub async fn left(&self) {
        let mut told = pin!(self.leave.cancelled());
        let mut waits = false;
        poll_fn(|cx| {
            if waits && !self.leaving.load(Ordering::Acquire) {
                return Poll::Pending;
            }
            waits = true;
            told.as_mut().poll(cx)
        })
        .await;
    }

    /// Whether answers tell the client to close the connection.
    pub fn is_closing(&self) -> bool {
        self.closing.load(Ordering::Relaxed)
    }
}

/// Cuts everything when the future that runs the proxy is dropped.
#[derive(Debug)]
pub(crate) struct CutOnDrop(pub std::sync::Arc<Phase>);

impl Drop for CutOnDrop {
    fn drop(&mut self) {
        self.0.cut();
    }
}
