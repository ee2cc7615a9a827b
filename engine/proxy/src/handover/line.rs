//! The line between a running proxy and the one it starts: a socket pair, the
//! new one's standard input. First words with a length before them and, once,
//! sockets; from `Serving` on it is HTTP/2, and the new proxy asks.

use std::ffi::OsString;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::SocketAddr;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use rustix::net::{
    RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, SendAncillaryBuffer,
    SendAncillaryMessage, SendFlags, recvmsg, sendmsg,
};
use serde::{Deserialize, Serialize};

use crate::listen::Kind;

/// Set for a proxy that finds the line on its standard input.
pub(crate) const VARIABLE: &str = "SHIPWAY_PROXY_TAKES_OVER";

/// Of what is said on the line. Both sides must speak the same.
pub(crate) const VERSION: u32 = 1;

/// Bytes of one word at most.
const WORD_LIMIT: u32 = 1024 * 1024;

/// Sockets in one message; the system takes 253.
const BATCH: usize = 64;

/// What is started anew: a file, which may be another version by then, and
/// its arguments.
#[derive(Debug, Clone)]
pub struct Program {
    pub path: PathBuf,
    pub arguments: Vec<OsString>,
}

impl Program {
    /// This program, as it was started. By the name it was called with rather
    /// than by the file that this was: an upgrade replaces a link or a file.
    pub fn this() -> io::Result<Self> {
        let mut arguments = std::env::args_os();
        let called = arguments.next().map(PathBuf::from);
        let path = match called {
            Some(path) if path.components().count() > 1 => std::path::absolute(path)?,
            _ => std::env::current_exe()?,
        };
        let arguments = arguments.collect();
        Ok(Self { path, arguments })
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "word", rename_all = "kebab-case")]
pub(crate) enum Word {
    /// Old to new; the sockets follow.
    Offer(Offer),
    /// New to old: everything that can fail has been done but reading routes.
    Prepared,
    /// Old to new: the routes on disk change no more.
    Go,
    /// New to old: it accepts connections.
    Serving,
    /// Old to new: the old one changes no route any more, the new one may.
    Lead,
    /// New to old: it will not serve, and ends.
    Failed { why: String },
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Offer {
    pub version: u32,
    pub pid: u32,
    pub admin_socket: PathBuf,
    pub state_file: PathBuf,
    /// In the order of their sockets, which come after the lock and the admin
    /// socket.
    pub listeners: Vec<Offered>,
}

/// The sockets of one address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Offered {
    pub kind: Kind,
    /// As it was asked for, with port 0 if it was.
    pub configured: SocketAddr,
    pub count: usize,
}

impl Offer {
    pub fn sockets(&self) -> usize {
        let listeners: usize = self.listeners.iter().map(|l| l.count).sum();
        listeners.saturating_add(2)
    }

    /// Why a proxy with these files cannot take over.
    pub fn mismatch(&self, admin_socket: &Path, state_file: &Path) -> Option<String> {
        if self.version != VERSION {
            return Some(format!(
                "the running proxy hands over in version {}, this program in version {VERSION}; stop it and start this one",
                self.version
            ));
        }
        let differs = |what: &str, old: &Path, new: &Path| {
            (old != new).then(|| {
                format!(
                    "{what} is {}, and {} in the running proxy; it can only change with a stop and a start",
                    new.display(),
                    old.display()
                )
            })
        };
        differs("the admin socket", &self.admin_socket, admin_socket)
            .or_else(|| differs("the file of routes", &self.state_file, state_file))
    }
}

pub(crate) fn encode(word: &Word) -> io::Result<Vec<u8>> {
    let text = serde_json::to_vec(word)?;
    let length = u32::try_from(text.len()).map_err(io::Error::other)?;
    let mut bytes = length.to_be_bytes().to_vec();
    bytes.extend(text);
    Ok(bytes)
}

pub(crate) fn length_of(prefix: [u8; 4]) -> io::Result<usize> {
    let length = u32::from_be_bytes(prefix);
    if length > WORD_LIMIT {
        let words = format!("{length} bytes were announced, at most {WORD_LIMIT} are taken");
        return Err(io::Error::new(io::ErrorKind::InvalidData, words));
    }
    usize::try_from(length).map_err(io::Error::other)
}

pub(crate) fn say(line: &mut UnixStream, word: &Word) -> io::Result<()> {
    line.write_all(&encode(word)?)
}

pub(crate) fn hear(line: &mut UnixStream) -> io::Result<Word> {
    let mut prefix = [0; 4];
    line.read_exact(&mut prefix)?;
    let mut text = vec![0; length_of(prefix)?];
    line.read_exact(&mut text)?;
    Ok(serde_json::from_slice(&text)?)
}

/// One byte and a batch of sockets; the rest of them is left to the next call.
pub(crate) fn send_batch<'a, 'fd>(
    line: BorrowedFd<'_>,
    sockets: &'a [BorrowedFd<'fd>],
) -> io::Result<&'a [BorrowedFd<'fd>]> {
    let (batch, rest) = sockets.split_at_checked(BATCH).unwrap_or((sockets, &[]));
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(BATCH))];
    let mut control = SendAncillaryBuffer::new(&mut space);
    if !control.push(SendAncillaryMessage::ScmRights(batch)) {
        return Err(io::Error::other("the sockets do not fit into a message"));
    }
    sendmsg(
        line,
        &[IoSlice::new(&[0])],
        &mut control,
        SendFlags::NOSIGNAL,
    )?;
    Ok(rest)
}

/// `count` sockets, in their order.
pub(crate) fn receive_sockets(line: &UnixStream, count: usize) -> io::Result<Vec<OwnedFd>> {
    let mut sockets = Vec::with_capacity(count);
    while sockets.len() < count {
        let mut byte = [0];
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(BATCH))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let into = &mut [IoSliceMut::new(&mut byte)];
        let received = recvmsg(line, into, &mut control, RecvFlags::CMSG_CLOEXEC)?;
        if received.bytes == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let before = sockets.len();
        for message in control.drain() {
            if let RecvAncillaryMessage::ScmRights(batch) = message {
                sockets.extend(batch);
            }
        }
        if sockets.len() == before {
            return Err(io::Error::other("a message came without its sockets"));
        }
    }
    Ok(sockets)
}

#[cfg(test)]
mod tests {
    use std::os::fd::AsFd;

    use super::*;

    fn offer() -> Offer {
        Offer {
            version: VERSION,
            pid: 7,
            admin_socket: "/run/proxy.sock".into(),
            state_file: "/run/proxy.json".into(),
            listeners: vec![Offered {
                kind: Kind::Plain,
                configured: ([127, 0, 0, 1], 0).into(),
                count: 150,
            }],
        }
    }

    #[test]
    fn words_and_more_sockets_than_one_message_takes_arrive_in_order() {
        let (mut old, mut new) = UnixStream::pair().unwrap();
        let sent: Vec<_> = (0..150)
            .map(|_| std::net::TcpListener::bind("127.0.0.1:0").unwrap())
            .collect();
        say(&mut old, &Word::Offer(offer())).unwrap();
        let fds: Vec<_> = sent.iter().map(AsFd::as_fd).collect();
        let mut rest = fds.as_slice();
        while !rest.is_empty() {
            rest = send_batch(old.as_fd(), rest).unwrap();
        }
        say(&mut old, &Word::Go).unwrap();

        let Word::Offer(heard) = hear(&mut new).unwrap() else {
            panic!("an offer comes first");
        };
        assert_eq!(heard, offer());
        let received = receive_sockets(&new, 150).unwrap();
        let address = |l: &std::net::TcpListener| l.local_addr().unwrap();
        let received: Vec<_> = received
            .into_iter()
            .map(std::net::TcpListener::from)
            .collect();
        let ports: Vec<_> = received.iter().map(address).collect();
        assert_eq!(ports, sent.iter().map(address).collect::<Vec<_>>());
        assert!(matches!(hear(&mut new).unwrap(), Word::Go));
    }

    #[test]
    fn other_files_and_another_version_are_refused_with_words() {
        let (socket, file) = (Path::new("/run/proxy.sock"), Path::new("/run/proxy.json"));
        assert_eq!(offer().mismatch(socket, file), None);
        let moved = offer().mismatch(Path::new("/run/other.sock"), file);
        assert!(moved.unwrap().contains("/run/other.sock"));
        let newer = Offer {
            version: 2,
            ..offer()
        };
        assert!(newer.mismatch(socket, file).unwrap().contains("version 2"));
    }

    #[test]
    fn a_word_too_long_is_not_read() {
        let (mut old, mut new) = UnixStream::pair().unwrap();
        old.write_all(&u32::MAX.to_be_bytes()).unwrap();
        let error = hear(&mut new).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    }
}
