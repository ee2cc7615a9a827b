//! What may be wrong with this machine and with the server: looked at all at
//! once, each look with a limit, nothing changed.

mod machine;
mod server;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use serde::Serialize;
use tokio::time::timeout;

use crate::whereabouts::Whereabouts;

/// No look takes longer.
const PATIENCE: Duration = Duration::from_secs(10);

/// What was seen of one thing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    pub name: &'static str,
    pub verdict: Verdict,
    /// One sentence.
    pub said: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_do: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    Ok,
    Warning,
    Problem,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Problem => "problem",
        })
    }
}

/// What came of a look, before it has its name.
#[derive(Debug)]
pub struct Seen {
    verdict: Verdict,
    said: String,
    to_do: Option<String>,
}

impl Seen {
    fn ok(said: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Ok,
            said: said.into(),
            to_do: None,
        }
    }

    fn warning(said: impl Into<String>, to_do: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Warning,
            to_do: Some(to_do.into()),
            ..Self::ok(said)
        }
    }

    fn problem(said: impl Into<String>, to_do: impl Into<String>) -> Self {
        Self {
            verdict: Verdict::Problem,
            ..Self::warning(said, to_do)
        }
    }
}

/// What to look at.
#[derive(Debug)]
pub struct Patient {
    pub state: PathBuf,
    pub listen: SocketAddr,
    pub proxy_listen: SocketAddr,
    pub server: Whereabouts,
}

/// All checks, in the order in which they are shown.
pub async fn examine(patient: &Patient) -> Vec<Check> {
    let (server, here) = tokio::join!(
        server::Server::look(&patient.server, PATIENCE),
        server::is_engine(patient.listen, PATIENCE),
    );
    let machine = machine::Machine { patient, here };
    // In a remote server's case this machine need not run anything.
    let mut checks = match machine.concerns() {
        true => machine_checks(&machine).await,
        false => vec![
            named("machine", async {
                Seen::ok("no engine has run here, and none is asked here")
            })
            .await,
        ],
    };
    let (reached, ready, clock, token, plugins) = tokio::join!(
        named("server", async { server.reached(&patient.server) }),
        named("readiness", server.ready()),
        named("clock", async { server.clock() }),
        named("token", server.token(&patient.server)),
        named("plugins", server.plugins(&patient.server)),
    );
    checks.push(reached);
    if server.is_there() {
        checks.extend([ready, clock, token, plugins]);
    }
    checks
}

async fn machine_checks(machine: &machine::Machine<'_>) -> Vec<Check> {
    let (state, disk, git, docker, limits, sandbox, api_port, proxy_port, proxy) = tokio::join!(
        named("state directory", async { machine.state() }),
        named("disk", async { machine.disk() }),
        named("git", machine.git()),
        named("docker", machine.docker()),
        named("limits", async { machine.limits() }),
        named("sandbox", machine.sandbox()),
        named("API port", async { machine.api_port() }),
        named("proxy port", machine.proxy_port()),
        named("proxy", machine.proxy()),
    );
    vec![
        state, disk, git, docker, limits, sandbox, api_port, proxy_port, proxy,
    ]
}

async fn named(name: &'static str, look: impl Future<Output = Seen>) -> Check {
    let seen = timeout(PATIENCE, look).await.unwrap_or_else(|_| {
        let said = format!("gave no answer within {} s", PATIENCE.as_secs());
        Seen::problem(said, "something hangs there; look at its own log")
    });
    Check {
        name,
        verdict: seen.verdict,
        said: seen.said,
        to_do: seen.to_do,
    }
}
