//! Git's own `http-backend` behind a small server on loopback.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use anyhow::{Context, Result};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// What the server does with a request.
#[derive(Clone)]
pub enum Manner {
    Serve,
    /// Only with this user and password.
    Ask {
        user: String,
        password: String,
    },
    Status(u16),
    Redirect {
        to: String,
    },
    /// Takes the request and never answers.
    Silent,
}

/// A request's target and its `Authorization`.
pub type Noted = (String, Option<String>);

pub struct GitServer {
    pub address: SocketAddr,
    pub seen: Arc<Mutex<Vec<Noted>>>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl GitServer {
    pub fn start(root: &Path, manner: Manner) -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let stop = Arc::new(AtomicBool::new(false));
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (root, ended, noted) = (root.to_owned(), Arc::clone(&stop), Arc::clone(&seen));
        let thread = std::thread::spawn(move || {
            // Kept open until the server ends: silence is not a closed connection.
            let mut held = Vec::new();
            for stream in listener.incoming().flatten() {
                if ended.load(Ordering::SeqCst) {
                    return;
                }
                let answered = answer(&stream, &root, &manner, &noted);
                if answered.is_ok() && matches!(manner, Manner::Silent) {
                    held.push(stream);
                }
            }
        });
        Ok(Self {
            address,
            seen,
            stop,
            thread: Some(thread),
        })
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}/{path}", self.address)
    }
}

impl Drop for GitServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

struct Request {
    method: String,
    target: String,
    authorization: Option<String>,
    content_type: String,
    body: Vec<u8>,
}

fn answer(
    stream: &TcpStream,
    root: &Path,
    manner: &Manner,
    seen: &Mutex<Vec<Noted>>,
) -> Result<()> {
    let request = read(stream)?;
    let noted = (request.target.clone(), request.authorization.clone());
    seen.lock()
        .map_err(|_| anyhow::anyhow!("poisoned"))?
        .push(noted);
    let mut out = stream;
    match manner {
        Manner::Silent => {}
        Manner::Serve => serve(&mut out, root, &request)?,
        Manner::Ask { user, password } => {
            let expected = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
            if request.authorization == Some(expected) {
                serve(&mut out, root, &request)?;
            } else {
                let header = "WWW-Authenticate: Basic realm=\"git\"\r\n";
                head(&mut out, 401, header)?;
            }
        }
        Manner::Status(status) => head(&mut out, *status, "")?,
        Manner::Redirect { to } => {
            let header = format!("Location: {to}{}\r\n", request.target);
            head(&mut out, 302, &header)?;
        }
    }
    Ok(())
}

fn head(out: &mut impl Write, status: u16, headers: &str) -> Result<()> {
    let head = "Content-Length: 0\r\nConnection: close";
    Ok(write!(
        out,
        "HTTP/1.1 {status} x\r\n{headers}{head}\r\n\r\n"
    )?)
}

fn read(stream: &TcpStream) -> Result<Request> {
    let mut reader = BufReader::new(stream);
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let mut words = line.split_whitespace().map(str::to_owned);
    let mut request = Request {
        method: words.next().context("no method")?,
        target: words.next().context("no target")?,
        authorization: None,
        content_type: String::new(),
        body: Vec::new(),
    };
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        let value = value.trim().to_owned();
        match name.to_ascii_lowercase().as_str() {
            "authorization" => request.authorization = Some(value),
            "content-type" => request.content_type = value,
            "content-length" => length = value.parse()?,
            _ => {}
        }
    }
    reader.take(length).read_to_end(&mut request.body)?;
    Ok(request)
}

/// CGI, as `git http-backend` speaks it.
fn serve(out: &mut impl Write, root: &Path, request: &Request) -> Result<()> {
    let (path, query) = request
        .target
        .split_once('?')
        .unwrap_or((&request.target, ""));
    let mut child = Command::new("git")
        .arg("http-backend")
        .env("GIT_PROJECT_ROOT", PathBuf::from(root))
        .env("GIT_HTTP_EXPORT_ALL", "1")
        .env("REQUEST_METHOD", &request.method)
        .env("PATH_INFO", path)
        .env("QUERY_STRING", query)
        .env("CONTENT_TYPE", &request.content_type)
        .env("CONTENT_LENGTH", request.body.len().to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    child
        .stdin
        .take()
        .context("no stdin")?
        .write_all(&request.body)?;
    let output = child.wait_with_output()?.stdout;
    let end = output
        .windows(4)
        .position(|w| w == b"\r\n\r\n")
        .context("no head")?
        + 4;
    let (headers, body) = output.split_at(end);
    let headers = String::from_utf8_lossy(headers);
    let status = headers
        .lines()
        .find_map(|line| line.strip_prefix("Status: "));
    let status = status.unwrap_or("200 OK");
    let length = body.len();
    write!(
        out,
        "HTTP/1.1 {status}\r\nContent-Length: {length}\r\nConnection: close\r\n{headers}"
    )?;
    Ok(out.write_all(body)?)
}
