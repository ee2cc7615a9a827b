//! A WebSocket that lives for a while, and hears back each word it says.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

const LIMIT: Duration = Duration::from_secs(35);
/// The example of RFC 6455, whose answer is known without hashing.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";
const TEXT: u8 = 0x81;
const CLOSE: u8 = 0x88;
const MASKED: u8 = 0x80;

/// Speaks for so long, then says good-bye; returns the deployment that answered.
pub fn converse(address: SocketAddr, host: &str, words: u32, pause: Duration) -> Result<String> {
    let mut stream = open(address, host)?;
    let deployment = hear(&mut stream)?;
    for number in 0..words {
        let word = format!("word {number}");
        say(&mut stream, TEXT, word.as_bytes())?;
        let echo = hear(&mut stream).with_context(|| format!("after word {number} of {words}"))?;
        ensure!(echo == word, "the WebSocket said {echo:?}, not {word:?}");
        thread::sleep(pause);
    }
    say(&mut stream, CLOSE, &[])?;
    let farewell = frame(&mut stream).context("saying good-bye")?;
    ensure!(farewell.0 == CLOSE, "the WebSocket did not say good-bye");
    Ok(deployment)
}

fn open(address: SocketAddr, host: &str) -> Result<BufReader<TcpStream>> {
    let mut stream = TcpStream::connect_timeout(&address, LIMIT).context("connecting")?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_nodelay(true)?;
    let head = format!(
        "GET /socket HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n\r\n"
    );
    stream.write_all(head.as_bytes())?;
    let mut stream = BufReader::new(stream);
    let (mut answer, mut line) = (String::new(), String::new());
    while line != "\r\n" {
        line.clear();
        let read = stream.read_line(&mut line).context("opening a WebSocket")?;
        ensure!(read > 0, "the connection was closed: {answer:.200}");
        answer += &line;
    }
    let is_open = answer.starts_with("HTTP/1.1 101 ") && answer.contains(ACCEPT);
    ensure!(is_open, "no WebSocket was opened: {answer:.200}");
    Ok(stream)
}

fn say(stream: &mut BufReader<TcpStream>, kind: u8, text: &[u8]) -> Result<()> {
    let length = u8::try_from(text.len()).context("a short word")? | MASKED;
    // A mask of zeros is one too.
    let packet = [&[kind, length, 0, 0, 0, 0], text].concat();
    stream.get_mut().write_all(&packet).context("speaking")
}

fn hear(stream: &mut BufReader<TcpStream>) -> Result<String> {
    let (kind, text) = frame(stream)?;
    ensure!(kind == TEXT, "the WebSocket was closed");
    String::from_utf8(text).context("the WebSocket said no text")
}

fn frame(stream: &mut BufReader<TcpStream>) -> Result<(u8, Vec<u8>)> {
    let [mut kind, mut length] = [[0]; 2];
    let mut read = |into: &mut [u8]| stream.read_exact(into).context("the WebSocket was cut off");
    read(&mut kind)?;
    read(&mut length)?;
    let mut text = vec![0; usize::from(length[0])];
    read(&mut text)?;
    Ok((kind[0], text))
}
