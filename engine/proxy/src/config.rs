//! What the proxy is told when it starts.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::time::Duration;

use crate::acme::AcmeConfig;
use crate::handover::Program;

#[derive(Debug, Clone)]
pub struct ProxyConfig {
    /// Where clients connect. Port 0 takes a free one, see
    /// [`Proxy::addresses`](crate::Proxy::addresses).
    pub listen: Vec<SocketAddr>,
    /// Where clients connect with TLS.
    pub tls_listen: Vec<SocketAddr>,
    /// `NAME.pem` with `NAME.key` beside it, or with the key in it; which
    /// hosts they are for is read from them. Looked at every few seconds.
    pub certificates: Option<PathBuf>,
    /// Where certificates are had for hosts that were given none.
    pub acme: Option<AcmeConfig>,
    pub plain: Plain,
    /// The socket the engine speaks to; made with mode 0600, so only the user
    /// that runs the proxy can switch routes.
    pub admin_socket: PathBuf,
    /// Where the routes are kept. One proxy a file.
    pub state_file: PathBuf,
    /// Where the process id is written while the proxy runs.
    pub pid_file: Option<PathBuf>,
    /// What a restart starts. Without it the proxy cannot restart itself.
    pub program: Option<Program>,
    /// Threads that serve; one a core unless set.
    pub workers: NonZeroUsize,
    /// Who may say for whom a request is forwarded: the addresses of proxies
    /// in front of this one. From all others such headers are replaced.
    pub trusted_forwarders: Vec<IpAddr>,
    pub limits: Limits,
}

impl ProxyConfig {
    /// With one worker a core, the default limits, and trust in forwarders on
    /// this machine only.
    pub fn new(listen: Vec<SocketAddr>, admin_socket: PathBuf, state_file: PathBuf) -> Self {
        Self {
            listen,
            tls_listen: Vec::new(),
            certificates: None,
            acme: None,
            plain: Plain::Serves,
            admin_socket,
            state_file,
            pid_file: None,
            program: None,
            workers: std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN),
            trusted_forwarders: vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()],
            limits: Limits::default(),
        }
    }
}

/// What plain HTTP is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Plain {
    Serves,
    /// Sends clients to TLS, for hosts that have a certificate.
    Redirects,
}

#[derive(Debug, Clone)]
pub struct Limits {
    /// Connections of clients at once, each worker; more wait to be accepted.
    pub connections: usize,
    /// Bytes of a request's head; more is answered with 431.
    pub header_bytes: usize,
    /// Bytes of a request's body; more is answered with 413.
    pub body_bytes: u64,
    /// How long a client may send nothing of a body.
    pub body_idle: Duration,
    /// Bytes a second that a client must send of a body, on average, after its
    /// first [`Limits::body_idle`] of waiting. Time in which the target takes
    /// nothing does not count.
    pub body_rate: NonZeroU32,
    /// How long a client may take nothing of an answer that waits for it.
    pub client_stall: Duration,
    /// From the end of an answer to the end of the next request's head. The
    /// limit of an idle client and of one that sends its head slowly.
    pub client_idle: Duration,
    /// For the handshake of TLS.
    pub handshake: Duration,
    /// To connect to a target.
    pub connect: Duration,
    /// How long a target may take to the head of its answer, and over each
    /// part of a request's body. Bodies of answers have no limit; a dead peer
    /// is found by TCP keep-alive.
    pub answer: Duration,
    /// How long an idle connection to a target is kept.
    pub target_idle: Duration,
    /// Idle connections kept to a target, each worker.
    pub idle_per_target: usize,
    /// How long running requests may finish when the proxy stops.
    pub shutdown: Duration,
    /// After a restart: how long idle connections of the old proxy stay open,
    /// so that a request that comes at this moment finds its connection.
    pub farewell: Duration,
    /// After a restart: how long the old proxy may go on with what is under
    /// way, such as WebSockets and long downloads.
    pub linger: Duration,
    /// For each step of a new proxy that takes over.
    pub take_over: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            header_bytes: 64 * 1024,
            body_bytes: 1024 * 1024 * 1024,
            body_idle: Duration::from_secs(60),
            body_rate: NonZeroU32::MIN.saturating_add(255),
            client_stall: Duration::from_secs(5 * 60),
            client_idle: Duration::from_secs(60),
            handshake: Duration::from_secs(10),
            connect: Duration::from_secs(2),
            answer: Duration::from_secs(60),
            target_idle: Duration::from_secs(30),
            idle_per_target: 64,
            shutdown: Duration::from_secs(30),
            farewell: Duration::from_secs(3),
            linger: Duration::from_secs(60 * 60),
            take_over: Duration::from_secs(10),
        }
    }
}
