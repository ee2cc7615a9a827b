//! Stores the lines of one log, in batches. The only one who does.

use std::collections::VecDeque;
use std::time::Duration;

use shipway_core::ports::Stream;
use shipway_core::ports::store::{Gap, NewLine, StoreError};
use tokio::sync::{OwnedSemaphorePermit, mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};

use super::Place;
use super::limit::{LogLimit, Shape};
use crate::measure;

/// Lines, and bytes, stored in one transaction: short enough that other
/// deployments, who share the store, do not notice.
const BATCH_LINES: usize = 1_000;
const BATCH_BYTES: u64 = 1 << 20;
/// Between tries to store what could not be stored.
const RETRY_AFTER: Duration = Duration::from_secs(1);

/// How the writer found the disk when it last stored something.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disk {
    HasRoom,
    Full,
}

#[derive(Debug)]
pub enum Message {
    /// The room that the line takes is free again when it is dropped.
    Line(NewLine, OwnedSemaphorePermit),
    Flush(oneshot::Sender<()>),
}

impl Place {
    async fn append(&self, lines: &[NewLine]) -> Result<(), StoreError> {
        let lease = self.lease.as_ref();
        self.store.append_log(self.deployment, lines, lease).await
    }
}

pub struct Writer {
    place: Place,
    limit: LogLimit,
    disk: watch::Sender<Disk>,
    /// None until the log's size is known.
    shape: Option<Shape>,
    /// What is not stored yet, with its room.
    lines: VecDeque<NewLine>,
    rooms: VecDeque<OwnedSemaphorePermit>,
    /// When to try again, after a try that failed.
    try_at: Option<Instant>,
}

impl Writer {
    pub fn new(place: Place, limit: LogLimit, disk: watch::Sender<Disk>) -> Self {
        Self {
            place,
            limit,
            disk,
            shape: None,
            lines: VecDeque::new(),
            rooms: VecDeque::new(),
            try_at: None,
        }
    }

    /// Until every writing end is gone and all is stored, or cannot be.
    pub async fn run(mut self, mut inbox: mpsc::UnboundedReceiver<Message>) {
        let mut messages = Vec::with_capacity(BATCH_LINES);
        let mut flushes = Vec::new();
        loop {
            let again = self.try_at.unwrap_or_else(Instant::now);
            let is_open = tokio::select! {
                count = inbox.recv_many(&mut messages, BATCH_LINES) => count > 0,
                () = sleep_until(again), if self.try_at.is_some() => true,
            };
            for message in messages.drain(..) {
                match message {
                    Message::Line(line, room) => {
                        self.lines.push_back(line);
                        self.rooms.push_back(room);
                    }
                    Message::Flush(done) => flushes.push(done),
                }
            }
            if !is_open || self.try_at.is_none_or(|at| at <= Instant::now()) {
                self.store_all().await;
            }
            for done in flushes.drain(..) {
                let _ = done.send(());
            }
            if !is_open {
                return self.give_up();
            }
        }
    }

    async fn store_all(&mut self) {
        self.try_at = None;
        while !self.lines.is_empty() {
            match self.store_some().await {
                Ok(()) => self.found(Disk::HasRoom),
                Err(StoreError::NotFound { .. } | StoreError::LeaseLost(_)) => {
                    // The deployment was deleted with its log, or is another's.
                    self.lines.clear();
                    self.rooms.clear();
                }
                Err(error) => {
                    if matches!(error, StoreError::DiskFull) {
                        self.found(Disk::Full);
                    }
                    self.try_at = Some(Instant::now() + RETRY_AFTER);
                    let waiting = self.lines.len();
                    let id = self.place.deployment;
                    tracing::error!(deployment = %id, %error, waiting, "log lines could not be stored; they are tried again");
                    return;
                }
            }
        }
    }

    fn found(&self, now: Disk) {
        let is_news = self
            .disk
            .send_if_modified(|disk| std::mem::replace(disk, now) != now);
        if is_news && now == Disk::Full {
            measure::limit("disk");
        }
    }

    /// One batch.
    async fn store_some(&mut self) -> Result<(), StoreError> {
        let mut shape = match self.shape.take() {
            Some(shape) => shape,
            None => Shape::new(
                self.limit,
                self.place.store.log_size(self.place.deployment).await?,
            ),
        };
        let (count, bytes) = self.batch();
        let lines = self
            .lines
            .make_contiguous()
            .get(..count)
            .unwrap_or_default();
        let stored = self.place.append(lines).await;
        if let Err(error) = stored {
            self.shape = Some(shape);
            return Err(error);
        }
        measure::stored(lines);
        self.lines.drain(..count);
        self.rooms.drain(..count);
        let gap = shape.grew(u64::try_from(count).unwrap_or(u64::MAX), bytes);
        self.shape = Some(shape);
        self.place.bell.ring(self.place.deployment);
        if let Some(gap) = gap {
            measure::limit("log-size");
            self.leave_out(gap).await;
        }
        Ok(())
    }

    /// How many lines to store at once, at least one, and what they cost.
    fn batch(&self) -> (usize, u64) {
        let mut bytes = 0;
        let mut count = 0;
        for line in self.lines.iter().take(BATCH_LINES) {
            if count > 0 && bytes + line.cost() > BATCH_BYTES {
                break;
            }
            count += 1;
            bytes += line.cost();
        }
        (count, bytes)
    }

    async fn leave_out(&self, gap: Gap) {
        let notice = NewLine {
            at: self.place.clock.now(),
            stream: Stream::Engine,
            text: self.limit.notice(gap),
        };
        let store = &self.place.store;
        let left_out = store.leave_out(self.place.deployment, gap, &notice).await;
        if let Err(error) = left_out {
            // The next gap begins at the same line, and takes these out too.
            tracing::warn!(deployment = %self.place.deployment, %error, "a log could not be kept to its limit");
        }
    }

    fn give_up(&self) {
        if !self.lines.is_empty() {
            let lines = self.lines.len();
            tracing::error!(deployment = %self.place.deployment, lines, "the last lines of a log are lost");
        }
    }
}
