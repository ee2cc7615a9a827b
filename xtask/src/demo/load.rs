//! Constant load: visitors who read and write on kept connections, and check
//! every answer.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};

use crate::http::{Client, Request, Response};

const READERS: usize = 6;
const WRITERS: usize = 2;
/// Each visitor's pace: steady, so that the deployment and the app share the
/// machine with the load as they would in life.
const PACE: Duration = Duration::from_millis(6);
/// Failures that are kept word for word; all are counted.
const MOST_KEPT: usize = 20;

/// Visitors at work.
#[derive(Debug)]
pub struct Load {
    shared: Arc<Shared>,
    visitors: Vec<JoinHandle<()>>,
}

/// What the visitors saw.
#[derive(Debug, Default, Clone)]
pub struct Seen {
    pub requests: u64,
    pub failed: u64,
    /// Entries that the app confirmed to have written.
    pub written: u64,
    /// Answers of each version.
    pub versions: BTreeMap<u32, u64>,
    /// Connections that were made; more than the visitors, when one was
    /// politely closed.
    pub connections: u64,
    pub failures: Vec<String>,
}

#[derive(Debug, Default)]
struct Shared {
    stop: AtomicBool,
    requests: AtomicU64,
    seen: Mutex<Seen>,
}

/// Where the visitors go.
#[derive(Debug, Clone)]
pub struct Site {
    pub address: SocketAddr,
    pub host: String,
}

impl Load {
    pub fn start(site: &Site) -> Self {
        let shared = Arc::new(Shared::default());
        let visitors = (0..READERS + WRITERS).map(|number| {
            let visitor = Visitor {
                number,
                client: Client::new(site.address),
                host: site.host.clone(),
                newest: 0,
            };
            let shared = Arc::clone(&shared);
            thread::spawn(move || visitor.work(&shared))
        });
        Self {
            visitors: visitors.collect(),
            shared,
        }
    }

    /// Requests answered so far.
    pub fn requests(&self) -> u64 {
        self.shared.requests.load(Ordering::Relaxed)
    }

    /// Lets every visitor finish the request that runs.
    pub fn stop(mut self) -> Seen {
        self.shared.stop.store(true, Ordering::Relaxed);
        let lost = self.visitors.drain(..).filter_map(|one| one.join().err());
        let lost = lost.count() as u64;
        let mut seen = self.shared.seen().clone();
        seen.failed += lost;
        seen
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
    }
}

impl Shared {
    fn seen(&self) -> std::sync::MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Display for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} requests, {} failed", self.requests, self.failed)
    }
}

/// One visitor, on one connection as long as the server keeps it.
struct Visitor {
    number: usize,
    client: Client,
    host: String,
    /// The newest version this visitor has seen: an older one must not follow.
    newest: u32,
}

impl Visitor {
    fn work(mut self, shared: &Shared) {
        let mut next = Instant::now();
        for turn in 0_u64.. {
            if shared.stop.load(Ordering::Relaxed) {
                break;
            }
            let outcome = self.visit(turn);
            shared.requests.fetch_add(1, Ordering::Relaxed);
            record(&mut shared.seen(), self.number, outcome);
            next = (next + PACE).max(Instant::now());
            thread::sleep(next.saturating_duration_since(Instant::now()));
        }
        shared.seen().connections += u64::from(self.client.connections);
    }

    fn visit(&mut self, turn: u64) -> Result<Visit> {
        match (self.number < READERS, turn % 2) {
            (true, 0) => self.ask_version(),
            (true, _) => self.read(),
            (false, _) => self.write(turn),
        }
    }

    fn ask_version(&mut self) -> Result<Visit> {
        let answer = self.client.send(&Request::get(&self.host, "/version"))?;
        expect(&answer, 200)?;
        let version = answer.json()?["version"]
            .as_str()
            .and_then(|text| text.parse().ok());
        let Some(version) = version else {
            bail!("/version names no version: {}", answer.text());
        };
        ensure!(
            version >= self.newest,
            "version {version} answered after version {} had",
            self.newest
        );
        self.newest = version;
        Ok(Visit::Version(version))
    }

    fn read(&mut self) -> Result<Visit> {
        let answer = self.client.send(&Request::get(&self.host, "/"))?;
        expect(&answer, 200)?;
        let text = answer.text();
        ensure!(
            text.contains("<title>Guestbook</title>") && text.trim_end().ends_with("</html>"),
            "the page is not whole: {text:.200}"
        );
        Ok(Visit::Read)
    }

    fn write(&mut self, turn: u64) -> Result<Visit> {
        let form = format!("author=Visitor+{}&message=Entry+{turn}", self.number);
        let answer = self.client.send(&form_post(&self.host, &form))?;
        expect(&answer, 303)?;
        Ok(Visit::Written)
    }
}

enum Visit {
    Version(u32),
    Read,
    Written,
}

/// A form, as a browser sends it.
pub fn form_post<'a>(host: &'a str, form: &'a str) -> Request<'a> {
    Request {
        method: "POST",
        path: "/",
        host,
        headers: &[("Content-Type", "application/x-www-form-urlencoded")],
        body: form.as_bytes(),
    }
}

fn expect(answer: &Response, status: u16) -> Result<()> {
    ensure!(
        answer.status == status,
        "answered {} instead of {status}: {:.200}",
        answer.status,
        answer.text()
    );
    Ok(())
}

fn record(seen: &mut Seen, visitor: usize, outcome: Result<Visit>) {
    seen.requests += 1;
    match outcome {
        Ok(Visit::Version(version)) => *seen.versions.entry(version).or_default() += 1,
        Ok(Visit::Read) => {}
        Ok(Visit::Written) => seen.written += 1,
        Err(error) => {
            seen.failed += 1;
            if seen.failures.len() < MOST_KEPT {
                let number = seen.requests;
                seen.failures
                    .push(format!("request {number}, visitor {visitor}: {error:#}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Read, Write};
    use std::net::{TcpListener, TcpStream};

    use super::*;

    const PAGE: &str = "<title>Guestbook</title></html>";

    /// An app on a real socket; `version` says what `/version` answers to the
    /// nth request of a connection, or nothing to hang up.
    fn app(version: fn(u32) -> Option<u32>) -> Site {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                thread::spawn(move || (0..).try_for_each(|turn| answer(&stream, version(turn))));
            }
        });
        Site {
            address,
            host: "live.guestbook.localhost".to_owned(),
        }
    }

    fn answer(stream: &TcpStream, version: Option<u32>) -> Option<()> {
        let mut from = BufReader::new(stream);
        let mut head = String::new();
        while !head.ends_with("\r\n\r\n") {
            (from.read_line(&mut head).ok()? > 0).then_some(())?;
        }
        let length = head
            .lines()
            .find_map(|line| line.strip_prefix("Content-Length: "));
        let mut body = vec![0; length.map_or(0, |text| text.parse().unwrap())];
        from.read_exact(&mut body).unwrap();
        let version = version?;
        let (status, body) = match head.split(' ').take(2).collect::<Vec<_>>()[..] {
            ["POST", _] => (303, String::new()),
            [_, "/version"] => (200, format!("{{\"version\": \"{version}\"}}")),
            _ => (200, PAGE.to_owned()),
        };
        let length = body.len();
        let mut to = stream;
        write!(
            to,
            "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\n\r\n{body}"
        )
        .ok()
    }

    fn load(site: &Site, requests: u64) -> Seen {
        let load = Load::start(site);
        let enough = crate::run::until(Duration::from_secs(20), || {
            (load.requests() >= requests).then_some(())
        });
        assert!(enough.is_some());
        load.stop()
    }

    #[test]
    fn every_answer_is_checked_and_counted() {
        let seen = load(&app(|_| Some(1)), 400);
        assert_eq!(seen.failed, 0, "{:?}", seen.failures);
        assert!(seen.requests >= 400 && seen.written > 0);
        assert_eq!(seen.versions.keys().collect::<Vec<_>>(), [&1]);
        assert_eq!(seen.connections, (READERS + WRITERS) as u64);
    }

    #[test]
    fn a_connection_that_breaks_is_a_failed_request() {
        let seen = load(&app(|turn| (turn < 20).then_some(1)), 400);
        assert!(seen.failed >= 8, "{seen:?}");
        assert!(
            seen.failures[0].contains("the connection was closed"),
            "{seen:?}"
        );
    }

    #[test]
    fn an_old_version_after_a_new_one_is_a_failed_request() {
        let seen = load(&app(|turn| Some(if turn < 20 { 2 } else { 1 })), 400);
        let failure = &seen.failures[0];
        assert!(
            failure.contains("version 1 answered after version 2 had"),
            "{failure}"
        );
    }
}
