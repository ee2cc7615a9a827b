//! What visitors do: quick requests, slow ones, and long ones that live
//! through a switch. Each answer is checked to its last byte.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::websocket;
use crate::http::{Client, Request, Response};

const UPLOADED: usize = 256 * 1024;
const PIECES: u32 = 20;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// On a kept connection.
    Quick,
    /// On a new connection each time.
    Fresh,
    /// An answer that takes 1 to 2 s.
    Slow,
    Download,
    Upload,
    /// Server-sent events.
    Events,
    WebSocket,
}

impl Kind {
    pub const ALL: [Self; 7] = [
        Self::Quick,
        Self::Fresh,
        Self::Slow,
        Self::Download,
        Self::Upload,
        Self::Events,
        Self::WebSocket,
    ];

    pub fn name(self) -> &'static str {
        match self {
            Self::Quick => "quick, kept alive",
            Self::Fresh => "quick, new connection",
            Self::Slow => "slow answers",
            Self::Download => "downloads",
            Self::Upload => "uploads",
            Self::Events => "event streams",
            Self::WebSocket => "WebSockets",
        }
    }

    /// As a key of JSON.
    pub fn key(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Fresh => "fresh",
            Self::Slow => "slow",
            Self::Download => "download",
            Self::Upload => "upload",
            Self::Events => "events",
            Self::WebSocket => "websocket",
        }
    }

    /// How many visitors do it at once. Long requests cost little but time.
    pub fn visitors(self) -> usize {
        match self {
            Self::Quick => 12,
            Self::Fresh => 2,
            Self::Slow => 6,
            Self::Download | Self::Upload | Self::Events | Self::WebSocket => 3,
        }
    }

    /// From one request's begin to the next; long ones follow at once. Steady,
    /// so that load, app and deployment share the machine as in life.
    pub fn pace(self) -> Duration {
        match self {
            Self::Quick => Duration::from_millis(5),
            Self::Fresh => Duration::from_millis(20),
            _ => Duration::ZERO,
        }
    }
}

/// Where visitors go, and how long the long requests take.
#[derive(Debug, Clone)]
pub struct Site {
    pub address: SocketAddr,
    pub host: String,
    pub long: Duration,
}

/// One visitor, on one connection as long as the server keeps it.
pub struct Visitor {
    pub kind: Kind,
    site: Site,
    client: Client,
    turn: u64,
}

impl Visitor {
    pub fn new(kind: Kind, site: &Site) -> Self {
        Self {
            kind,
            site: site.clone(),
            client: Client::new(site.address),
            turn: 0,
        }
    }

    /// One request; returns the deployment that answered it.
    pub fn visit(&mut self) -> Result<u128> {
        self.turn += 1;
        let long = self.site.long.as_millis();
        let answered = match self.kind {
            Kind::Quick => self.id("/"),
            Kind::Fresh => {
                self.client = Client::new(self.site.address);
                self.id("/")
            }
            Kind::Slow => self.id(&format!("/slow?ms={}", 1000 + self.turn * 317 % 1000)),
            Kind::Download => self.get(&format!("/download?ms={long}")).and_then(whole),
            Kind::Events => self.get(&format!("/events?ms={long}")).and_then(whole),
            Kind::Upload => self.upload(),
            Kind::WebSocket => {
                let Site {
                    address,
                    host,
                    long,
                } = &self.site;
                websocket::converse(*address, host, PIECES, *long / PIECES)
            }
        };
        number(&answered?)
    }

    fn id(&mut self, path: &str) -> Result<String> {
        Ok(self.get(path)?.trim().to_owned())
    }

    fn get(&mut self, path: &str) -> Result<String> {
        let answer = self.client.send(&Request::get(&self.site.host, path))?;
        text(&answer)
    }

    fn upload(&mut self) -> Result<String> {
        let body = vec![b'x'; UPLOADED];
        let request = Request {
            method: "POST",
            body: &body,
            ..Request::get(&self.site.host, "/upload")
        };
        let pause = self.site.long / PIECES;
        let answer = self.client.send_slowly(&request, PIECES as usize, pause)?;
        let text = text(&answer)?;
        match text.trim().split_once(' ') {
            Some((id, came)) if came == UPLOADED.to_string() => Ok(id.to_owned()),
            _ => bail!("{UPLOADED} bytes were sent, and the answer is {text:.200}"),
        }
    }
}

fn text(answer: &Response) -> Result<String> {
    let text = answer.text();
    let status = answer.status;
    ensure!(status == 200, "answered {status}: {text:.200}");
    Ok(text)
}

/// The deployment of an answer that names it first, and at its very end again.
fn whole(text: String) -> Result<String> {
    let mut words = text.split_whitespace().filter(|word| *word != "data:");
    let first = words.next().unwrap_or_default().to_owned();
    let last: Vec<&str> = words.rev().take(2).collect();
    ensure!(
        last == [first.as_str(), "end"],
        "the answer of {first} is not whole: it has {} bytes",
        text.len()
    );
    Ok(first)
}

/// A deployment's id as a number: a later one is greater.
pub fn number(id: &str) -> Result<u128> {
    let digits = id.replace('-', "");
    u128::from_str_radix(&digits, 16)
        .with_context(|| format!("the answer names no deployment: {id:.200}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_whole_names_its_deployment_twice() {
        let id = |text: &str| whole(text.to_owned()).ok();
        assert_eq!(id("1a\n\n\n\nend 1a\n").as_deref(), Some("1a"));
        assert_eq!(
            id("data: 1a\n\ndata: 1a\n\ndata: end 1a\n\n").as_deref(),
            Some("1a")
        );
        for broken in ["", "1a", "1a\n\n", "1a\nend 2b", "data: 1a\n\ndata: 1a\n\n"] {
            assert_eq!(id(broken), None, "{broken:?}");
        }
    }

    #[test]
    fn a_later_deployment_is_greater() {
        let earlier = number("0193c0de-0000-7000-8000-ffffffffffff").unwrap();
        let later = number("0193c0de-0001-7000-8000-000000000000").unwrap();
        assert!(later > earlier);
        assert!(number("<title>no app</title>").is_err());
    }
}
