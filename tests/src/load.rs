//! Constant load: clients that keep their connection and ask again and again,
//! and check every answer.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::task::JoinHandle;

use crate::api::{Answer, client};
use crate::app::Environment;
use crate::wait::{block, runtime, until_true};

/// Longer than any honest answer takes.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two requests of one client: a busy site, and not a benchmark.
const PAUSE: Duration = Duration::from_millis(2);
/// Failures that are kept in words.
const KEPT: usize = 20;

/// What came of the load.
#[derive(Debug, Default, Clone)]
pub struct Report {
    pub ok: u64,
    pub failed: u64,
    /// The first failures, in words.
    pub failures: Vec<String>,
    /// How often each version, as the check names it, answered.
    pub versions: BTreeMap<String, u64>,
}

/// Clients at work until [`Load::stop`].
#[derive(Debug)]
pub struct Load {
    stop: Arc<AtomicBool>,
    report: Arc<Mutex<Report>>,
    clients: Vec<JoinHandle<()>>,
}

impl Load {
    /// `check` names the version that answered, or says what is wrong.
    pub fn on(
        environment: &Environment<'_>,
        path: &str,
        clients: usize,
        check: fn(&Answer) -> Result<String, String>,
    ) -> Self {
        let url = format!("http://{}{path}", environment.ship.proxy);
        let load = Self {
            stop: Arc::default(),
            report: Arc::default(),
            clients: Vec::new(),
        };
        let clients = (0..clients).map(|_| {
            let request = Request {
                url: url.clone(),
                host: environment.domain.clone(),
                check,
            };
            runtime().spawn(request.repeat(load.stop.clone(), load.report.clone()))
        });
        let load = Self {
            clients: clients.collect(),
            ..load
        };
        load.until_answered(1);
        load
    }

    pub fn so_far(&self) -> Report {
        self.report.lock().expect("the report").clone()
    }

    /// Waits for so many more good answers.
    pub fn until_answered(&self, more: u64) {
        let before = self.so_far().ok;
        until_true("the load is answered", PATIENCE, || {
            self.so_far().ok >= before + more
        });
    }

    /// Stops every client after its running request.
    pub fn stop(self) -> Report {
        self.stop.store(true, Ordering::Relaxed);
        for client in self.clients {
            block(client).expect("a client that does not panic");
        }
        self.report.lock().expect("the report").clone()
    }
}

struct Request {
    url: String,
    host: String,
    check: fn(&Answer) -> Result<String, String>,
}

impl Request {
    async fn repeat(self, stop: Arc<AtomicBool>, report: Arc<Mutex<Report>>) {
        // A client of its own: one connection, kept.
        let client = client();
        while !stop.load(Ordering::Relaxed) {
            let outcome = self.ask(&client).await;
            report.lock().expect("the report").note(outcome);
            tokio::time::sleep(PAUSE).await;
        }
    }

    async fn ask(&self, client: &reqwest::Client) -> Result<String, String> {
        let request = client
            .get(&self.url)
            .header("host", &self.host)
            .timeout(PATIENCE);
        let answer = async { Answer::read(request.send().await?).await };
        let answer = answer.await.map_err(|error| format!("{error:?}"))?;
        (self.check)(&answer)
    }
}

impl Report {
    fn note(&mut self, outcome: Result<String, String>) {
        match outcome {
            Ok(version) => {
                self.ok += 1;
                *self.versions.entry(version).or_default() += 1;
            }
            Err(failure) => {
                self.failed += 1;
                if self.failures.len() < KEPT {
                    self.failures.push(failure);
                }
            }
        }
    }

    #[track_caller]
    pub fn assert_none_failed(&self) {
        assert!(self.ok > 0, "nothing was asked");
        assert_eq!(
            self.failed,
            0,
            "of {} requests: {:#?}",
            self.ok + self.failed,
            self.failures
        );
    }
}
