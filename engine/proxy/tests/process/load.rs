//! Clients that keep their connections, as browsers do, and take every
//! failure for one.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use anyhow::{Context, Result, ensure};
use http::{Request, StatusCode};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::client::{Client, body};
use crate::harness::BOUND;

pub struct Load {
    shared: Arc<Shared>,
    clients: JoinSet<Result<u64>>,
}

struct Shared {
    address: SocketAddr,
    /// The newest version whose switch was acknowledged.
    acknowledged: AtomicU64,
    stop: AtomicBool,
    answered: Semaphore,
}

impl Load {
    /// On `app.test`, whose answers are a version.
    pub fn start(address: SocketAddr, clients: usize) -> Self {
        let shared = Arc::new(Shared {
            address,
            acknowledged: AtomicU64::new(0),
            stop: AtomicBool::new(false),
            answered: Semaphore::new(0),
        });
        let mut running = JoinSet::new();
        for _ in 0..clients {
            running.spawn(Arc::clone(&shared).client());
        }
        Self {
            shared,
            clients: running,
        }
    }

    /// No answer to a request from now on may be of an older version.
    pub fn acknowledge(&self, version: u64) {
        self.shared.acknowledged.store(version, Ordering::SeqCst);
    }

    pub async fn wait_for(&self, answers: u32) -> Result<()> {
        let answered = self.shared.answered.acquire_many(answers);
        timeout(BOUND, answered)
            .await
            .context("the load came to a stop")??
            .forget();
        Ok(())
    }

    /// How many requests were answered; the first that was not, if any.
    pub async fn end(mut self) -> Result<u64> {
        self.shared.stop.store(true, Ordering::SeqCst);
        let mut sent = 0;
        while let Some(client) = self.clients.join_next().await {
            sent += client??;
        }
        Ok(sent)
    }
}

impl Shared {
    async fn client(self: Arc<Self>) -> Result<u64> {
        let mut sent = 0;
        let mut client = Client::connect(self.address).await?;
        while !self.stop.load(Ordering::SeqCst) {
            let (method, text) = match sent % 5 {
                0 => ("POST", "a body"),
                _ => ("GET", ""),
            };
            let request = Request::builder()
                .method(method)
                .uri("/")
                .header("host", "app.test")
                .body(body(text))?;
            let at_least = self.acknowledged.load(Ordering::SeqCst);
            let answer = client
                .send(request)
                .await
                .with_context(|| format!("request {sent} of a client"))?;
            let (status, text) = (answer.status, &answer.text);
            ensure!(status == StatusCode::OK, "{status} {text}");
            let version: u64 = text.parse()?;
            ensure!(
                version >= at_least,
                "{version} after {at_least} was acknowledged"
            );
            sent += 1;
            self.answered.add_permits(1);
            let closes = answer.headers.get("connection").map(|c| c.as_bytes());
            if closes == Some(b"close") {
                client = Client::connect(self.address).await?;
            }
        }
        Ok(sent)
    }
}
