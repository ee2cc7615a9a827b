//! The threads that serve: one runtime each.

use std::sync::Arc;
use std::thread;

use tokio::sync::mpsc;

use crate::sockets::Listeners;
use crate::worker::Worker;

/// The threads of the workers.
pub(crate) struct Threads {
    /// Each thread has one and tells with it that it has ended.
    ended: mpsc::UnboundedSender<()>,
    ends: mpsc::UnboundedReceiver<()>,
    alive: usize,
}

impl Threads {
    pub fn new() -> Self {
        let (ended, ends) = mpsc::unbounded_channel();
        let alive = 0;
        Self { ended, ends, alive }
    }

    pub fn start(&mut self, worker: Worker, listeners: Listeners) -> std::io::Result<()> {
        start(worker, listeners, Ended(self.ended.clone()))?;
        self.alive += 1;
        Ok(())
    }

    pub async fn one_ended(&mut self) {
        self.ends.recv().await;
        self.alive = self.alive.saturating_sub(1);
    }

    pub async fn all_ended(&mut self) {
        while self.alive > 0 {
            self.one_ended().await;
        }
    }
}

/// Tells that its thread has ended, by return or by panic.
struct Ended(mpsc::UnboundedSender<()>);

impl Drop for Ended {
    fn drop(&mut self) {
        // Nobody waits any more: nobody needs to know.
        let _ = self.0.send(());
    }
}

fn start(worker: Worker, listeners: Listeners, ended: Ended) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let listeners = {
        let _inside = runtime.enter();
        let listeners = listeners.into_iter();
        let listeners =
            listeners.map(|(kind, socket)| Ok((kind, tokio::net::TcpListener::from_std(socket)?)));
        listeners.collect::<std::io::Result<Vec<_>>>()?
    };
    thread::Builder::new()
        .name(format!("proxy-{}", worker.index))
        .spawn(move || {
            let _ended = ended;
            runtime.block_on(Arc::new(worker).serve(listeners));
        })?;
    Ok(())
}
