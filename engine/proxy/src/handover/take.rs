//! The new proxy's side of a hand-over. It is done before any runtime runs,
//! so it blocks, with a limit.

use std::fs::File;
use std::io;
use std::net::TcpListener;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::time::Duration;

use crate::error::{ProxyError, in_full};
use crate::handover::line::{self, Offer, VARIABLE, Word};
use crate::listen::Bound;

/// How long the running proxy may take for its next word.
const WORD_LIMIT: Duration = Duration::from_secs(30);

/// The line to a proxy that runs and wants to be taken over.
#[derive(Debug)]
pub struct Inherited {
    line: UnixStream,
}

/// What the running proxy gave.
pub(crate) struct Received {
    /// The lock itself: it is held as long as any process has this file open.
    pub lock: File,
    pub admin: UnixListener,
    pub listeners: Vec<Bound>,
    pub pid: u32,
}

impl Inherited {
    /// The line, if a running proxy started this one.
    pub fn from_environment() -> io::Result<Option<Self>> {
        if std::env::var_os(VARIABLE).is_none() {
            return Ok(None);
        }
        let line = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
        line.set_read_timeout(Some(WORD_LIMIT))?;
        line.set_write_timeout(Some(WORD_LIMIT))?;
        Ok(Some(Self { line }))
    }

    pub(crate) fn receive(
        &mut self,
        admin_socket: &Path,
        state_file: &Path,
    ) -> Result<Received, ProxyError> {
        let offer = match line::hear(&mut self.line).map_err(broken)? {
            Word::Offer(offer) => offer,
            word => return Err(out_of_turn(&word)),
        };
        let sockets = line::receive_sockets(&self.line, offer.sockets()).map_err(broken)?;
        if let Some(why) = offer.mismatch(admin_socket, state_file) {
            return Err(ProxyError::NotTakenOver { why });
        }
        sorted(&offer, sockets).map_err(broken)
    }

    /// Says that all is prepared, and returns when the routes are frozen.
    pub(crate) fn wait_for_go(&mut self) -> Result<(), ProxyError> {
        line::say(&mut self.line, &Word::Prepared).map_err(broken)?;
        match line::hear(&mut self.line).map_err(broken)? {
            Word::Go => Ok(()),
            word => Err(out_of_turn(&word)),
        }
    }

    /// Says that connections are accepted, so that the old proxy accepts no
    /// more. When this returns, this proxy may change routes.
    pub(crate) fn lead(mut self) -> Result<UnixStream, ProxyError> {
        line::say(&mut self.line, &Word::Serving).map_err(broken)?;
        match line::hear(&mut self.line) {
            Ok(Word::Lead) => Ok(self.line),
            Ok(word) => Err(out_of_turn(&word)),
            // It has died: nobody else leads.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(self.line),
            Err(error) => Err(broken(error)),
        }
    }

    /// The one who asked for the restart hears why there is none.
    pub(crate) fn failed(&mut self, error: &ProxyError) {
        let why = in_full(error);
        if let Err(error) = line::say(&mut self.line, &Word::Failed { why }) {
            tracing::debug!(%error, "the running proxy does not listen any more");
        }
    }
}

fn broken(source: io::Error) -> ProxyError {
    ProxyError::TakeOver { source }
}

fn out_of_turn(word: &Word) -> ProxyError {
    broken(io::Error::other(format!("it said {word:?} out of turn")))
}

fn sorted(offer: &Offer, sockets: Vec<OwnedFd>) -> io::Result<Received> {
    let missing = || io::Error::other("a socket is missing");
    let mut sockets = sockets.into_iter();
    let lock = sockets.next().ok_or_else(missing)?.into();
    let admin = sockets.next().ok_or_else(missing)?.into();
    let mut listeners = Vec::with_capacity(offer.listeners.len());
    for offered in &offer.listeners {
        let own: Vec<_> = sockets.by_ref().take(offered.count).collect();
        listeners.push(Bound {
            kind: offered.kind,
            configured: offered.configured,
            sockets: own.into_iter().map(TcpListener::from).collect(),
        });
    }
    Ok(Received {
        lock,
        admin,
        listeners,
        pid: offer.pid,
    })
}
