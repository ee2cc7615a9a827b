//! MySQL and MariaDB: the server speaks first, with its version or with the
//! reason why it will not.

use super::Problem;
use super::stream::Stream;

/// The protocol that every server since 1998 speaks.
const PROTOCOL: u8 = 10;
const ERROR: u8 = 0xff;
/// A greeting is far shorter; a longer first packet is something else.
const LONGEST: usize = 4096;

pub async fn ask(mut stream: Stream) -> Result<String, Problem> {
    // The length in three bytes, then the number of the packet.
    let [low, middle, high, number] = stream.receive().await?;
    let length = usize::from(low) | usize::from(middle) << 8 | usize::from(high) << 16;
    if number != 0 || length == 0 || length > LONGEST {
        return Err("what answers is not MySQL".to_owned());
    }
    let greeting = stream.receive_many(length).await?;
    match greeting.split_first() {
        Some((&PROTOCOL, rest)) => Ok(format!("version {}", version(rest))),
        Some((&ERROR, [low, high, ..])) => Err(refusal(u16::from_le_bytes([*low, *high]))),
        _ => Err("what answers is not MySQL".to_owned()),
    }
}

/// Up to the NUL byte, and only what a version consists of.
fn version(rest: &[u8]) -> String {
    rest.iter()
        .take_while(|&&byte| byte != 0)
        .filter(|byte| byte.is_ascii_graphic())
        .take(60)
        .map(|&byte| char::from(byte))
        .collect()
}

/// The server's own words may name a user, so only its number is shown.
fn refusal(code: u16) -> String {
    let meaning = match code {
        1040 => " (too many connections)",
        1129 => " (this machine is blocked for too many errors)",
        1130 => " (this machine may not connect)",
        1053 => " (it is shutting down)",
        _ => "",
    };
    format!("it refuses with error {code}{meaning}")
}
