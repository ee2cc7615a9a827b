//! Follows a deployment's journal or log to its end. The bell only wakes; the
//! store is read each time, so nothing is lost or repeated, however often a
//! reader comes back with the last number it has seen.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use futures::Stream;
use futures::stream::unfold;
use shipway_core::journal::{Entry, Event};
use shipway_core::name::DeploymentId;
use shipway_core::ports::store::{LogLine, Store, StoreError};
use shipway_executor::bell::Listener;
use tokio_util::sync::CancellationToken;

use crate::observe::OpenStream;
use crate::state::ApiState;

/// Entries read at once.
const BATCH: u32 = 256;
/// A look without a ring, in case another engine writes to the same store.
const LOOK_ANYWAY: Duration = Duration::from_secs(10);

/// The events after a number, until the last one of the deployment.
pub fn events(state: &ApiState, id: DeploymentId, after: u64) -> impl Stream<Item = Entry> + use<> {
    let tail = Tail::new(state, id, after, "events");
    unfold(tail, |mut tail: Tail<Entry>| async move {
        loop {
            if let Some(entry) = tail.read.pop_front() {
                tail.after = entry.sequence;
                tail.finished = matches!(entry.event, Event::Ended(_));
                return Some((entry, tail));
            }
            if tail.finished {
                return None;
            }
            let read = tail.store.journal(tail.id, tail.after, BATCH).await;
            tail.take(read)?;
            if tail.read.is_empty() && !tail.wait().await {
                return None;
            }
        }
    })
}

/// How far to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// What there is.
    Now,
    /// Until the deployment has ended and its log has been read to the end.
    Ended,
}

/// The lines after a number.
pub fn lines(
    state: &ApiState,
    id: DeploymentId,
    after: u64,
    until: Until,
) -> impl Stream<Item = LogLine> + use<> {
    let tail = Tail::new(state, id, after, "log");
    unfold(tail, move |mut tail: Tail<LogLine>| async move {
        loop {
            if let Some(line) = tail.read.pop_front() {
                tail.after = line.number;
                return Some((line, tail));
            }
            // Asked before reading: a line that is written first is then read.
            let ended = tail.store.deployment(tail.id).await;
            let ended = ended.map(|found| found.is_none_or(|d| d.ending.is_some()));
            let read = tail.store.log(tail.id, tail.after, BATCH).await;
            tail.take(read)?;
            if !tail.read.is_empty() {
                continue;
            }
            if until == Until::Now || ended.unwrap_or(true) || !tail.wait().await {
                return None;
            }
        }
    })
}

struct Tail<T> {
    store: Arc<dyn Store>,
    id: DeploymentId,
    listener: Listener,
    shutdown: CancellationToken,
    after: u64,
    read: VecDeque<T>,
    finished: bool,
    _open: OpenStream,
}

impl<T> Tail<T> {
    /// Listens from here on, before anything is read.
    fn new(state: &ApiState, id: DeploymentId, after: u64, kind: &'static str) -> Self {
        Self {
            store: state.store.clone(),
            id,
            listener: state.commands.listen(id),
            shutdown: state.shutdown.clone(),
            after,
            read: VecDeque::new(),
            finished: false,
            _open: OpenStream::new(kind),
        }
    }

    /// A store that fails ends the stream; its reader comes back.
    fn take(&mut self, read: Result<Vec<T>, StoreError>) -> Option<()> {
        match read {
            Ok(items) => {
                self.read = items.into();
                Some(())
            }
            Err(error) => {
                tracing::error!(%error, deployment = %self.id, "a stream broke off");
                None
            }
        }
    }

    /// False when the engine goes down.
    async fn wait(&mut self) -> bool {
        tokio::select! {
            () = self.shutdown.cancelled() => false,
            _ = tokio::time::timeout(LOOK_ANYWAY, self.listener.heard()) => true,
        }
    }
}
