//! The end of a proxy from which another has taken over.

use std::sync::Arc;

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::config::Limits;
use crate::control::Control;
use crate::handover::earlier::Earlier;
use crate::phase::Phase;
use crate::threads::Threads;

/// What is left of a proxy when another has taken over.
pub(crate) struct Leaving {
    pub limits: Limits,
    pub control: Arc<Control>,
    pub threads: Threads,
    pub phase: Arc<Phase>,
    /// The new proxy has ended too, or this one was told to end.
    pub hurry: CancellationToken,
}

impl Leaving {
    pub async fn finish(&mut self) {
        tokio::select! {
            () = sleep(self.limits.farewell) => {}
            () = self.hurry.cancelled() => {}
        }
        self.phase.leave();
        let earlier = self.control.earlier().await;
        tokio::select! {
            () = all_gone(&mut self.threads, earlier.as_deref()) => return,
            () = sleep(self.limits.linger) => {}
            () = hurried(&self.hurry, &self.limits, earlier.as_deref()) => {}
        }
        self.phase.cut();
        self.threads.all_ended().await;
    }
}

/// Here, and in the proxy before this one: it hears of changes through this.
pub(crate) async fn all_gone(threads: &mut Threads, earlier: Option<&Earlier>) {
    threads.all_ended().await;
    if let Some(earlier) = earlier {
        earlier.gone().await;
    }
}

async fn hurried(hurry: &CancellationToken, limits: &Limits, earlier: Option<&Earlier>) {
    hurry.cancelled().await;
    if let Some(earlier) = earlier {
        earlier.end();
    }
    sleep(limits.shutdown).await;
}
