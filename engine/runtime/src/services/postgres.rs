//! PostgreSQL: asks for TLS as every client does, then sends the startup
//! message, which names user and database and holds no password. A server that
//! asks for the password is there and takes connections.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use url::Url;

use super::stream::Stream;
use super::tls::{Trust, secure};
use super::{Problem, Service};

const SSL_REQUEST: [u8; 8] = [0, 0, 0, 8, 4, 210, 22, 47];
const PROTOCOL_3: [u8; 4] = [0, 3, 0, 0];
/// An error message is far shorter; a longer one is something else.
const LONGEST: usize = 64 * 1024;

pub async fn ask(mut stream: Stream, service: &Service, url: &Url) -> Result<String, Problem> {
    stream.send(&SSL_REQUEST).await?;
    let mut stream = match stream.receive().await? {
        [b'S'] => secure(stream, &service.host, Trust::Any).await?,
        [b'N'] => stream,
        // A server so full or so old that it does not read the request.
        [b'E'] => return Err(refusal(&mut stream).await?),
        _ => return Err("what answers is not PostgreSQL".to_owned()),
    };
    stream.send(&startup(url)).await?;
    match stream.receive().await? {
        [b'R'] => authentication(&mut stream).await,
        [b'E'] => Err(refusal(&mut stream).await?),
        // NegotiateProtocolVersion: only a PostgreSQL knows it.
        [b'v'] => Ok("it takes connections".to_owned()),
        _ => Err("what answers is not PostgreSQL".to_owned()),
    }
}

fn startup(url: &Url) -> Vec<u8> {
    let user = decoded(url.username());
    let database = decoded(url.path().trim_start_matches('/'));
    let user = if user.is_empty() {
        "shipway".into()
    } else {
        user
    };
    let mut body = PROTOCOL_3.to_vec();
    for (name, value) in [("user", &user), ("database", &database)] {
        if !value.is_empty() && !value.contains('\0') {
            body.extend_from_slice(name.as_bytes());
            body.push(0);
            body.extend_from_slice(value.as_bytes());
            body.push(0);
        }
    }
    body.push(0);
    let length = u32::try_from(body.len() + 4).unwrap_or(u32::MAX);
    let mut message = length.to_be_bytes().to_vec();
    message.append(&mut body);
    message
}

fn decoded(text: &str) -> Cow<'_, str> {
    percent_decode_str(text).decode_utf8_lossy()
}

async fn authentication(stream: &mut Stream) -> Result<String, Problem> {
    let [_, _, _, _, a, b, c, d] = stream.receive().await?;
    Ok(match u32::from_be_bytes([a, b, c, d]) {
        // Trusted at once: what follows tells whether the database is there.
        0 => match stream.receive().await? {
            [b'E'] => return Err(refusal(stream).await?),
            _ => "it takes connections".to_owned(),
        },
        _ => "it takes connections and asks for a password".to_owned(),
    })
}

/// Its words may name the user, so only the code is shown, with our words.
async fn refusal(stream: &mut Stream) -> Result<String, Problem> {
    let not_it = || "what answers is not PostgreSQL".to_owned();
    let length: [u8; 4] = stream.receive().await?;
    let length = usize::try_from(u32::from_be_bytes(length)).map_err(|_| not_it())?;
    if !(5..=LONGEST).contains(&length) {
        return Err(not_it());
    }
    let fields = stream.receive_many(length - 4).await?;
    let code = fields
        .split(|&byte| byte == 0)
        .find_map(|field| field.strip_prefix(b"C"))
        .map(|code| String::from_utf8_lossy(code).into_owned())
        .filter(|code| code.len() == 5 && code.bytes().all(|b| b.is_ascii_alphanumeric()))
        .ok_or_else(not_it)?;
    let meaning = match code.as_str() {
        "57P03" => " (it is starting up, or cannot take connections now)",
        "57P01" | "57P02" => " (it is shutting down)",
        "53300" => " (too many connections)",
        "28000" => " (this user or this machine may not connect)",
        "3D000" => " (the database does not exist)",
        _ => "",
    };
    Ok(format!("it refuses with error {code}{meaning}"))
}
