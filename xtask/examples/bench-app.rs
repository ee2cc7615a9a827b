//! The app that `cargo xtask bench switch` deploys, and the backend of `bench
//! proxy`. It stands on the standard library alone, so that one call of rustc
//! makes a static program of it (`bench/app.rs`), which starts within
//! milliseconds, on a machine and in an empty image.
//!
//! | request | answer |
//! |---|---|
//! | `GET /` | the deployment's id |
//! | `GET /12`, `GET /16k` | as many bytes |
//! | `GET /slow?ms=N` | the id, after so long |
//! | `GET /download?ms=N` | the id, much text over so long, `end` and the id |
//! | `GET /events?ms=N` | the same as server-sent events |
//! | `POST /upload` | the id and how many bytes came |
//! | `GET /socket` | a WebSocket: says the id, then what it hears |

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

/// What one connection's thread needs, and a thousand of them may be there.
const STACK: usize = 64 * 1024;
/// Pieces of a download; each is [`PIECE`] bytes.
const PIECES: u32 = 30;
const PIECE: usize = 4096;
/// The example of RFC 6455: the one key that this app and its visitors use.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const TEXT_FRAME: u8 = 0x81;
const CLOSE_FRAME: u8 = 0x88;
/// A length that is not given in the frame's second byte.
const LONG_FRAME: usize = 126;

struct App {
    deployment: String,
    /// Whole answers, made once.
    id: Vec<u8>,
    small: Vec<u8>,
    large: Vec<u8>,
}

#[derive(Default)]
struct Asked {
    path: String,
    key: Option<String>,
    length: u64,
}

fn main() -> io::Result<()> {
    let port = std::env::var("PORT").ok().and_then(|it| it.parse().ok());
    let deployment = std::env::var("SHIPWAY_DEPLOYMENT").unwrap_or_default();
    let app = Arc::new(App {
        id: whole(format!("{deployment}\n").as_bytes()),
        small: whole(b"hello world\n"),
        large: whole(&[b'x'; 16 * 1024]),
        deployment,
    });
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, port.unwrap_or(8000)))?;
    for stream in listener.incoming() {
        let app = Arc::clone(&app);
        let work = move || stream.and_then(|stream| app.serve(&stream));
        // Whoever gets no thread loses the connection, and sees it.
        let _ = thread::Builder::new().stack_size(STACK).spawn(work);
    }
    Ok(())
}

impl App {
    fn serve(&self, stream: &TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut from = BufReader::new(stream);
        while let Some(asked) = read(&mut from)? {
            self.answer(&asked, &mut from, stream)?;
        }
        Ok(())
    }

    fn answer(
        &self,
        asked: &Asked,
        from: &mut BufReader<&TcpStream>,
        mut to: &TcpStream,
    ) -> io::Result<()> {
        let (path, query) = asked.path.split_once('?').unwrap_or((&asked.path, ""));
        let time = query.strip_prefix("ms=").and_then(|it| it.parse().ok());
        let time = Duration::from_millis(time.unwrap_or_default());
        match path {
            "/" => to.write_all(&self.id),
            "/12" => to.write_all(&self.small),
            "/16k" => to.write_all(&self.large),
            "/slow" => {
                thread::sleep(time);
                to.write_all(&self.id)
            }
            "/download" => self.download(to, time),
            "/events" => self.events(to, time),
            "/upload" => self.upload(from, to, asked.length),
            "/socket" => self.socket(from, to, asked.key.as_deref()),
            _ => to.write_all(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"),
        }
    }

    fn download(&self, mut to: &TcpStream, time: Duration) -> io::Result<()> {
        let first = format!("{}\n", self.deployment);
        let last = format!("end {}\n", self.deployment);
        let length = first.len() + PIECES as usize * PIECE + last.len();
        write!(
            to,
            "HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\n{first}"
        )?;
        for _ in 0..PIECES {
            thread::sleep(time / PIECES);
            to.write_all(&[b'\n'; PIECE])?;
        }
        to.write_all(last.as_bytes())
    }

    fn events(&self, mut to: &TcpStream, time: Duration) -> io::Result<()> {
        let head = "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked";
        write!(to, "HTTP/1.1 200 OK\r\n{head}\r\n\r\n")?;
        let id = &self.deployment;
        for _ in 0..PIECES {
            chunk(to, &format!("data: {id}\n\n"))?;
            thread::sleep(time / PIECES);
        }
        chunk(to, &format!("data: end {id}\n\n"))?;
        to.write_all(b"0\r\n\r\n")
    }

    fn upload(
        &self,
        from: &mut BufReader<&TcpStream>,
        mut to: &TcpStream,
        length: u64,
    ) -> io::Result<()> {
        let came = io::copy(&mut from.take(length), &mut io::sink())?;
        to.write_all(&whole(format!("{} {came}\n", self.deployment).as_bytes()))
    }

    fn socket(
        &self,
        from: &mut BufReader<&TcpStream>,
        mut to: &TcpStream,
        key: Option<&str>,
    ) -> io::Result<()> {
        if key != Some(KEY) {
            return to.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n");
        }
        let head = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade";
        write!(to, "{head}\r\nSec-WebSocket-Accept: {ACCEPT}\r\n\r\n")?;
        to.write_all(&frame(self.deployment.as_bytes()))?;
        while let Some(heard) = hear(from)? {
            to.write_all(&frame(&heard))?;
        }
        to.write_all(&[CLOSE_FRAME, 0])?;
        Err(io::ErrorKind::ConnectionAborted.into())
    }
}

/// The head of a request; nothing when the client has gone.
fn read(from: &mut impl BufRead) -> io::Result<Option<Asked>> {
    let mut asked = Asked::default();
    let mut line = String::new();
    if from.read_line(&mut line)? == 0 {
        return Ok(None);
    }
    asked.path = line.split(' ').nth(1).unwrap_or_default().to_owned();
    loop {
        line.clear();
        if from.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            return Ok(Some(asked));
        };
        if name.eq_ignore_ascii_case("content-length") {
            asked.length = value.parse().unwrap_or_default();
        } else if name.eq_ignore_ascii_case("sec-websocket-key") {
            asked.key = Some(value.to_owned());
        }
    }
}

fn whole(body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {length}");
    [head.as_bytes(), b"\r\n\r\n", body].concat()
}

fn chunk(mut to: &TcpStream, text: &str) -> io::Result<()> {
    to.write_all(format!("{:x}\r\n{text}\r\n", text.len()).as_bytes())
}

fn frame(text: &[u8]) -> Vec<u8> {
    let length = u8::try_from(text.len().min(LONG_FRAME - 1)).unwrap_or_default();
    [&[TEXT_FRAME, length], text].concat()
}

/// A short frame of a client; nothing when it says good-bye.
fn hear(from: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut head = [0; 6];
    from.read_exact(&mut head)?;
    let [kind, length, mask @ ..] = head;
    let mut heard = vec![0; usize::from(length & 0x7f)];
    if heard.len() >= LONG_FRAME {
        return Err(io::ErrorKind::InvalidData.into());
    }
    from.read_exact(&mut heard)?;
    for (byte, mask) in heard.iter_mut().zip(mask.iter().cycle()) {
        *byte ^= mask;
    }
    Ok((kind != CLOSE_FRAME).then_some(heard))
}
