//! HTTP servers on loopback: one that is granted and answers as its path says,
//! one that nobody may reach, and one that never answers.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// A client that says nothing for so long is not waited for.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Debug, Clone)]
pub struct Request {
    /// The request line and the headers.
    pub head: String,
    pub body: Vec<u8>,
}

impl Request {
    /// All of it as text.
    pub fn text(&self) -> String {
        format!(
            "{}\r\n\r\n{}",
            self.head,
            String::from_utf8_lossy(&self.body)
        )
    }

    fn path(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }
}

#[derive(Debug)]
pub struct Server {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Request>>>,
}

impl Server {
    /// `elsewhere` is where redirects lead. It ends with this process.
    pub fn start(elsewhere: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = listener.local_addr().expect("its address");
        let seen: Arc<Mutex<Vec<Request>>> = Arc::default();
        let (kept, elsewhere) = (Arc::clone(&seen), elsewhere.to_owned());
        thread::spawn(move || serve(&listener, &kept, &elsewhere));
        Self { address, seen }
    }

    pub fn origin(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Connections that said something.
    pub fn count(&self) -> usize {
        self.seen.lock().expect("what came").len()
    }

    /// What has come since the count was this.
    pub fn since(&self, count: usize) -> Vec<Request> {
        self.seen.lock().expect("what came")[count..].to_vec()
    }
}

fn serve(listener: &TcpListener, kept: &Arc<Mutex<Vec<Request>>>, elsewhere: &str) {
    for stream in listener.incoming().flatten() {
        let (kept, elsewhere) = (Arc::clone(kept), elsewhere.to_owned());
        thread::spawn(move || {
            let mut stream = stream;
            if let Some(request) = read(&mut stream) {
                kept.lock().expect("what came").push(request.clone());
                // The client may be gone already.
                let _ = answer(&mut stream, &request, &elsewhere);
            }
        });
    }
}

fn answer(stream: &mut TcpStream, request: &Request, elsewhere: &str) -> std::io::Result<()> {
    let path = request.path();
    let (status, headers, body) = match path.split('?').next().unwrap_or_default() {
        "/redirect" => (
            "302 Found",
            format!("location: {elsewhere}/\r\n"),
            String::new(),
        ),
        "/large" => ("200 OK", String::new(), "x".repeat((1 << 20) + 1)),
        "/headers" => ("200 OK", "x-many: 1\r\n".repeat(5_000), String::new()),
        "/wide" => (
            "200 OK",
            format!("x-wide: {}\r\n", "w".repeat(1 << 20)),
            String::new(),
        ),
        "/drip" => return drip(stream),
        "/endless" => return endless(stream),
        "/echo" => {
            let bearer = request.head.lines().find(|line| line.contains("earer"));
            let header = format!("x-heard: {}\r\n", bearer.unwrap_or_default());
            ("200 OK", header, request.text())
        }
        _ => ("200 OK", String::new(), "fine".to_owned()),
    };
    let length = body.len();
    write!(
        stream,
        "HTTP/1.1 {status}\r\ncontent-length: {length}\r\n{headers}\r\n{body}"
    )
}

/// A byte now and then, for ever.
fn drip(stream: &mut TcpStream) -> std::io::Result<()> {
    write!(stream, "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n")?;
    loop {
        stream.write_all(b".")?;
        thread::sleep(Duration::from_millis(20));
    }
}

/// A body without an end, as fast as it is read.
fn endless(stream: &mut TcpStream) -> std::io::Result<()> {
    write!(
        stream,
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n"
    )?;
    let chunk = format!("10000\r\n{}\r\n", "e".repeat(0x10000));
    loop {
        stream.write_all(chunk.as_bytes())?;
    }
}

fn read(stream: &mut TcpStream) -> Option<Request> {
    let _ = stream.set_read_timeout(Some(PATIENCE));
    let mut bytes = Vec::new();
    loop {
        if let Some(request) = whole(&bytes) {
            return Some(request);
        }
        let mut part = [0; 65_536];
        match stream.read(&mut part) {
            // Half a request is one too: somebody was reached.
            Ok(0) | Err(_) => return (!bytes.is_empty()).then(|| half(&bytes)),
            Ok(read) => bytes.extend_from_slice(&part[..read]),
        }
    }
}

fn half(bytes: &[u8]) -> Request {
    Request {
        head: String::from_utf8_lossy(bytes).into_owned(),
        body: Vec::new(),
    }
}

fn whole(bytes: &[u8]) -> Option<Request> {
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
    let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
    let body = &bytes[end + 4..];
    let length = head.lines().find_map(|line| {
        let line = line.to_ascii_lowercase();
        line.strip_prefix("content-length: ")?.parse().ok()
    });
    (body.len() >= length.unwrap_or(0)).then(|| Request {
        head,
        body: body.to_vec(),
    })
}
