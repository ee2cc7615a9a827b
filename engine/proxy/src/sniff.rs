//! Which HTTP a client speaks that was not asked in TLS: its first bytes are
//! looked at and left where they are.

use std::io;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::sleep;

/// How HTTP/2 begins when both know it (RFC 9113, 3.3). No method of HTTP/1
/// begins so.
const PREFACE: &[u8] = b"PRI * HTTP/2.0";

/// Between two looks at a beginning that is too short to tell, which doubles.
/// It comes in one packet as good as always.
const AGAIN_AFTER: Duration = Duration::from_millis(5);
const AGAIN_AT_LAST: Duration = Duration::from_secs(1);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Version {
    Http1,
    Http2,
}

/// Waits for the first bytes; fails if the client closes before.
pub(crate) async fn version(stream: &TcpStream) -> io::Result<Version> {
    let mut beginning = [0; PREFACE.len()];
    let mut pause = AGAIN_AFTER;
    loop {
        let seen = stream.peek(&mut beginning).await?;
        let seen = beginning.get(..seen).unwrap_or_default();
        match seen {
            [] => return Err(io::ErrorKind::UnexpectedEof.into()),
            _ if seen == PREFACE => return Ok(Version::Http2),
            _ if PREFACE.starts_with(seen) => {
                sleep(pause).await;
                pause = pause.saturating_mul(2).min(AGAIN_AT_LAST);
            }
            _ => return Ok(Version::Http1),
        }
    }
}
