//! Follows a deployment to its end: its events and its log, each once and in
//! order, over as many connections as it takes.

use std::ops::ControlFlow;
use std::time::Duration;

use eventsource_stream::Eventsource;
use futures::{Stream, StreamExt};
use reqwest::{Response, StatusCode};
use shipway_core::ending::Ending;
use shipway_core::journal::{Entry, Event};
use shipway_core::name::DeploymentId;
use shipway_core::ports::store::LogLine;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, sleep, timeout};

use crate::client::{Client, STREAM_SILENCE};
use crate::failure::{Again, Failure};

/// How long to try to come back to an engine that went away.
const PATIENCE: Duration = Duration::from_secs(120);
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);
/// A connection that lasted so long was a good one; when it breaks, the
/// patience begins anew.
const LASTED: Duration = Duration::from_secs(5);
/// Heard and not yet shown.
const BACKLOG: usize = 1024;

/// What is heard of a deployment.
#[derive(Debug)]
pub enum Heard {
    Event(Box<Entry>),
    Line(LogLine),
    /// The connection was lost; it is being made again.
    Lost,
    /// It has been made again; what was missed follows.
    Back,
}

/// Which of its streams to follow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Events,
    EventsAndLog,
}

/// Hands over what is heard, until the deployment's last event; then, when the
/// log is followed too, its last line.
pub async fn follow(
    client: &Client,
    id: DeploymentId,
    what: What,
    after: u64,
    mut hear: impl FnMut(Heard) -> Result<(), Failure>,
) -> Result<Ending, Failure> {
    let (heard, mut inbox) = mpsc::channel(BACKLOG);
    let (ended, end) = watch::channel(false);
    let events = async {
        let ending = follow_events(client, id, after, &heard).await?;
        ended.send_replace(true);
        Ok::<_, Failure>(ending)
    };
    let log = async {
        match what {
            What::Events => Ok(()),
            What::EventsAndLog => follow_log(client, id, end, &heard).await,
        }
    };
    let both = async { tokio::try_join!(events, log).map(|(ending, ())| ending) };
    tokio::pin!(both);
    loop {
        tokio::select! {
            biased;
            Some(next) = inbox.recv() => hear(next)?,
            ending = &mut both => {
                while let Ok(next) = inbox.try_recv() {
                    hear(next)?;
                }
                return ending;
            }
        }
    }
}

async fn follow_events(
    client: &Client,
    id: DeploymentId,
    mut after: u64,
    heard: &mpsc::Sender<Heard>,
) -> Result<Ending, Failure> {
    let mut retry = Retry::new();
    let mut link = Link::new(heard);
    loop {
        let (before, began) = (after, Instant::now());
        let lasted = match events_once(client, id, &mut after, &mut link).await {
            Ok(ControlFlow::Break(ending)) => return Ok(ending),
            Ok(ControlFlow::Continue(())) => began.elapsed() > LASTED,
            Err(failure) => {
                retry.check(failure)?;
                false
            }
        };
        if lasted || after > before {
            retry.worked();
        }
        link.lost().await;
        retry.pause().await?;
    }
}

/// Tells the loss of a connection once, and that it is there again.
struct Link<'a> {
    heard: &'a mpsc::Sender<Heard>,
    state: State,
}

#[derive(PartialEq, Eq)]
enum State {
    Good,
    Lost,
}

impl<'a> Link<'a> {
    fn new(heard: &'a mpsc::Sender<Heard>) -> Self {
        Self {
            heard,
            state: State::Good,
        }
    }

    async fn lost(&mut self) {
        if self.state == State::Good {
            self.state = State::Lost;
            let _ = self.heard.send(Heard::Lost).await;
        }
    }

    async fn back(&mut self) {
        if self.state == State::Lost {
            self.state = State::Good;
            let _ = self.heard.send(Heard::Back).await;
        }
    }
}

/// One connection's worth of events.
async fn events_once(
    client: &Client,
    id: DeploymentId,
    after: &mut u64,
    link: &mut Link<'_>,
) -> Result<ControlFlow<Ending>, Failure> {
    let at = client.at(&["deployments", &id.to_string(), "events"]);
    let response = at
        .header("last-event-id", *after)
        .stream("text/event-stream")
        .await?;
    link.back().await;
    if response.status() == StatusCode::NO_CONTENT {
        return ended_before(client, id).await.map(ControlFlow::Break);
    }
    let mut events = Box::pin(until_silent(response).eventsource());
    while let Some(Ok(frame)) = events.next().await {
        let entry: Entry = serde_json::from_str(&frame.data).map_err(not_understood)?;
        if entry.sequence <= *after {
            continue;
        }
        *after = entry.sequence;
        let ending = match &entry.event {
            Event::Ended(ending) => Some(ending.clone()),
            _ => None,
        };
        let _ = link.heard.send(Heard::Event(Box::new(entry))).await;
        if let Some(ending) = ending {
            return Ok(ControlFlow::Break(ending));
        }
    }
    Ok(ControlFlow::Continue(()))
}

/// The chunks of a stream, to the first silence. Comments, which say that the
/// connection lives while nothing happens, are chunks too.
fn until_silent(response: Response) -> impl Stream<Item = reqwest::Result<impl AsRef<[u8]>>> {
    futures::stream::unfold(Some(response), |response| async {
        let mut response = response?;
        match timeout(STREAM_SILENCE, response.chunk()).await {
            Ok(Ok(Some(chunk))) => Some((Ok(chunk), Some(response))),
            Ok(Err(error)) => Some((Err(error), None)),
            Ok(Ok(None)) | Err(_) => None,
        }
    })
}

/// There is nothing to come: the ending is known already.
async fn ended_before(client: &Client, id: DeploymentId) -> Result<Ending, Failure> {
    let at = client.at(&["deployments", &id.to_string()]);
    let deployment: shipway_api::wire::deployment::Deployment = at.get().await?;
    deployment
        .ending
        .ok_or_else(|| Failure::new("the stream of events ended before the deployment did"))
}

async fn follow_log(
    client: &Client,
    id: DeploymentId,
    end: watch::Receiver<bool>,
    heard: &mpsc::Sender<Heard>,
) -> Result<(), Failure> {
    let mut retry = Retry::new();
    let mut after = 0;
    loop {
        // Known before the connection is made, so that it hears the last line.
        let last = *end.borrow();
        let (before, began) = (after, Instant::now());
        let outcome = log_once(client, id, &mut after, heard).await;
        let lasted = outcome.is_ok() && began.elapsed() > LASTED;
        if lasted || after > before {
            retry.worked();
        }
        match outcome {
            Ok(End::Whole) if last => return Ok(()),
            Ok(End::Whole) if *end.borrow() => {}
            Ok(_) => retry.pause().await?,
            Err(failure) => {
                retry.check(failure)?;
                retry.pause().await?;
            }
        }
    }
}

/// How a connection ended.
enum End {
    /// As the engine meant it to.
    Whole,
    Broken,
}

/// One connection's worth of lines.
async fn log_once(
    client: &Client,
    id: DeploymentId,
    after: &mut u64,
    heard: &mpsc::Sender<Heard>,
) -> Result<End, Failure> {
    let at = client.at(&["deployments", &id.to_string(), "log"]);
    let response = at
        .query("follow", true)
        .query("after", *after)
        .stream("application/x-ndjson")
        .await?;
    let mut chunks = response.bytes_stream();
    let mut rest = Vec::new();
    loop {
        match timeout(STREAM_SILENCE, chunks.next()).await {
            Ok(Some(Ok(chunk))) => rest.extend_from_slice(&chunk),
            Ok(None) => return Ok(End::Whole),
            Ok(Some(Err(_))) | Err(_) => return Ok(End::Broken),
        }
        while let Some(text) = cut_line(&mut rest) {
            let text = text.trim_ascii();
            if text.is_empty() {
                continue;
            }
            let line: LogLine = serde_json::from_slice(text).map_err(not_understood)?;
            if line.number > *after {
                *after = line.number;
                let _ = heard.send(Heard::Line(line)).await;
            }
        }
    }
}

/// Takes the first whole line off the front.
fn cut_line(rest: &mut Vec<u8>) -> Option<Vec<u8>> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    Some(rest.drain(..=end).collect())
}

fn not_understood(error: serde_json::Error) -> Failure {
    Failure::new("what the engine sends is not understood")
        .because(&error)
        .with_hint("is the engine of the same version as this program?")
}

/// Comes back after growing pauses, and gives up in the end.
struct Retry {
    pause: Duration,
    give_up: Instant,
    last: Option<Failure>,
}

impl Retry {
    fn new() -> Self {
        Self {
            pause: FIRST_PAUSE,
            give_up: Instant::now() + PATIENCE,
            last: None,
        }
    }

    fn worked(&mut self) {
        *self = Self::new();
    }

    /// What the API refuses, it refuses the next time too.
    fn check(&mut self, failure: Failure) -> Result<(), Failure> {
        if failure.again == Again::No {
            return Err(failure);
        }
        self.last = Some(failure);
        Ok(())
    }

    async fn pause(&mut self) -> Result<(), Failure> {
        if Instant::now() >= self.give_up {
            let gone = || Failure::new("the connection to the engine was lost").for_now();
            return Err(self.last.take().unwrap_or_else(gone));
        }
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
