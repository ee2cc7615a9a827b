//! A small HTTP/1.1 client over one kept connection. It says exactly what went
//! wrong and repeats nothing by itself: who counts failed requests must see
//! each one.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, bail};

const CONNECT_LIMIT: Duration = Duration::from_secs(5);
/// How long an answer may stand still.
const READ_LIMIT: Duration = Duration::from_secs(35);
/// More than any page here; a bound for what is not a page.
const MOST_BODY: u64 = 64 * 1024 * 1024;
const MOST_LINE: u64 = 64 * 1024;

/// A client of one address.
#[derive(Debug)]
pub struct Client {
    address: SocketAddr,
    connection: Option<BufReader<TcpStream>>,
    /// How many connections were made: one, unless the server hung up politely.
    pub connections: u32,
}

#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub host: &'a str,
    pub headers: &'a [(&'a str, &'a str)],
    pub body: &'a [u8],
}

#[derive(Debug)]
pub struct Response {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Client {
    pub fn new(address: SocketAddr) -> Self {
        Self {
            address,
            connection: None,
            connections: 0,
        }
    }

    /// Sends a request and reads its whole answer. The connection is kept
    /// unless the server says that it closes it; after an error it is not.
    pub fn send(&mut self, request: &Request) -> Result<Response> {
        self.exchange(request, |stream| {
            stream.write_all(&[head(request).as_bytes(), request.body].concat())
        })
    }

    /// The same, with the body in so many pieces and a pause before each.
    pub fn send_slowly(
        &mut self,
        request: &Request,
        pieces: usize,
        pause: Duration,
    ) -> Result<Response> {
        self.exchange(request, |stream| {
            stream.write_all(head(request).as_bytes())?;
            let size = request.body.len().div_ceil(pieces.max(1)).max(1);
            request.body.chunks(size).try_for_each(|piece| {
                std::thread::sleep(pause);
                stream.write_all(piece)
            })
        })
    }

    fn exchange(
        &mut self,
        request: &Request,
        write: impl FnOnce(&mut TcpStream) -> std::io::Result<()>,
    ) -> Result<Response> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.connect()?,
        };
        write(connection.get_mut()).context("sending a request")?;
        let (response, reuse) = read(&mut connection, request.method)?;
        if reuse == Reuse::Keep {
            self.connection = Some(connection);
        }
        Ok(response)
    }

    fn connect(&mut self) -> Result<BufReader<TcpStream>> {
        let stream = TcpStream::connect_timeout(&self.address, CONNECT_LIMIT)
            .with_context(|| format!("connecting to {}", self.address))?;
        stream.set_read_timeout(Some(READ_LIMIT))?;
        stream.set_write_timeout(Some(READ_LIMIT))?;
        stream.set_nodelay(true)?;
        self.connections += 1;
        Ok(BufReader::new(stream))
    }
}

impl<'a> Request<'a> {
    pub fn get(host: &'a str, path: &'a str) -> Self {
        Self {
            method: "GET",
            path,
            host,
            headers: &[],
            body: &[],
        }
    }
}

impl Response {
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    pub fn json(&self) -> Result<serde_json::Value> {
        serde_json::from_slice(&self.body)
            .with_context(|| format!("reading JSON from {:.200}", self.text()))
    }

    fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(one, _)| one == name);
        found.map(|(_, value)| value.as_str())
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reuse {
    Keep,
    Close,
}

fn head(request: &Request) -> String {
    let Request {
        method, path, host, ..
    } = request;
    let mut text = format!("{method} {path} HTTP/1.1\r\nHost: {host}\r\n");
    for (name, value) in request.headers {
        text += &format!("{name}: {value}\r\n");
    }
    if !request.body.is_empty() || *method == "POST" {
        text += &format!("Content-Length: {}\r\n", request.body.len());
    }
    text + "\r\n"
}

fn read(from: &mut BufReader<TcpStream>, method: &str) -> Result<(Response, Reuse)> {
    let mut response = read_head(from)?;
    while response.status < 200 {
        response = read_head(from)?;
    }
    let empty = method == "HEAD" || matches!(response.status, 204 | 304);
    let chunked = response
        .header("transfer-encoding")
        .is_some_and(|value| value.eq_ignore_ascii_case("chunked"));
    let length = response.header("content-length").map(str::to_owned);
    let mut reuse = match response.header("connection") {
        Some(value) if value.eq_ignore_ascii_case("close") => Reuse::Close,
        _ => Reuse::Keep,
    };
    response.body = match length {
        _ if empty => Vec::new(),
        _ if chunked => read_chunks(from)?,
        Some(length) => {
            let length = length.parse().context("reading Content-Length")?;
            read_exactly(from, length)?
        }
        None => {
            reuse = Reuse::Close;
            let mut body = Vec::new();
            from.take(MOST_BODY).read_to_end(&mut body)?;
            body
        }
    };
    Ok((response, reuse))
}

fn read_head(from: &mut impl BufRead) -> Result<Response> {
    let line = read_line(from).context("waiting for an answer")?;
    let mut words = line.split(' ');
    let version = words.next().unwrap_or_default();
    let status = words.next().and_then(|word| word.parse().ok());
    let (true, Some(status)) = (version.starts_with("HTTP/1."), status) else {
        bail!("the answer is no HTTP: {line:.80}");
    };
    let mut headers = Vec::new();
    loop {
        let line = read_line(from).context("reading the answer's headers")?;
        if line.is_empty() {
            break;
        }
        let Some((name, value)) = line.split_once(':') else {
            bail!("the answer has a line that is no header: {line:.80}");
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    Ok(Response {
        status,
        headers,
        body: Vec::new(),
    })
}

fn read_chunks(from: &mut impl BufRead) -> Result<Vec<u8>> {
    let mut body = Vec::new();
    loop {
        let line = read_line(from).context("reading a chunk")?;
        let digits = line.split(';').next().unwrap_or_default().trim();
        let length = u64::from_str_radix(digits, 16).context("reading a chunk's length")?;
        if length == 0 {
            while !read_line(from)?.is_empty() {}
            return Ok(body);
        }
        if body.len() as u64 + length > MOST_BODY {
            bail!("the answer is longer than {MOST_BODY} bytes");
        }
        body.extend(read_exactly(from, length)?);
        read_line(from)?;
    }
}

fn read_exactly(from: &mut impl Read, length: u64) -> Result<Vec<u8>> {
    if length > MOST_BODY {
        bail!("the answer is longer than {MOST_BODY} bytes");
    }
    let mut body = Vec::new();
    let got = from.take(length).read_to_end(&mut body);
    if got.context("reading an answer")? as u64 != length {
        bail!("the answer was cut off");
    }
    Ok(body)
}

fn read_line(from: &mut impl BufRead) -> Result<String> {
    let mut line = Vec::new();
    from.take(MOST_LINE).read_until(b'\n', &mut line)?;
    if line.pop() != Some(b'\n') {
        bail!("the connection was closed");
    }
    if line.last() == Some(&b'\r') {
        line.pop();
    }
    Ok(String::from_utf8_lossy(&line).into_owned())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// Gives each answer on one connection, then closes it.
    fn server(answers: &'static [&'static str]) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            let (stream, _) = listener.accept().unwrap();
            let mut stream = BufReader::new(stream);
            for answer in answers {
                while !read_line(&mut stream).unwrap().is_empty() {}
                stream.get_mut().write_all(answer.as_bytes()).unwrap();
            }
        });
        address
    }

    #[test]
    fn one_connection_carries_many_requests() {
        let mut client = Client::new(server(&[
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
            "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n",
            "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n",
        ]));
        let request = Request::get("app.localhost", "/");
        assert_eq!(client.send(&request).unwrap().text(), "hi");
        assert_eq!(client.send(&request).unwrap().text(), "abcde");
        assert_eq!(client.send(&request).unwrap().status, 204);
        assert_eq!(client.connections, 1);
        assert!(client.connection.is_none());
    }

    #[test]
    fn a_body_may_come_in_pieces() {
        // Nothing after the head: there is a body to come.
        let mut client = Client::new(server(&[
            "",
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
        ]));
        let request = Request {
            method: "POST",
            body: b"seven\r\n\r\n",
            ..Request::get("app.localhost", "/")
        };
        let answer = client.send_slowly(&request, 3, Duration::from_millis(1));
        assert_eq!(answer.unwrap().text(), "hi");
    }

    #[test]
    fn what_is_cut_off_is_an_error() {
        for answer in [
            &["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi"] as &[_],
            &["HTTP/1.1 200 OK\r\nContent-"],
            &["HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab"],
            &[""],
        ] {
            let mut client = Client::new(server(answer));
            let request = Request::get("app.localhost", "/");
            assert!(client.send(&request).is_err(), "{answer:?}");
        }
    }

    #[test]
    fn what_is_no_http_is_an_error() {
        let mut client = Client::new(server(&["SSH-2.0-server\r\n"]));
        let failure = client
            .send(&Request::get("app.localhost", "/"))
            .unwrap_err();
        assert_eq!(failure.to_string(), "the answer is no HTTP: SSH-2.0-server");
    }
}
