//! Redis and its kin: `PING`. A server that wants a password first is there.

use super::Problem;
use super::stream::Stream;

const LONGEST: usize = 256;

pub async fn ask(mut stream: Stream) -> Result<String, Problem> {
    stream.send(b"PING\r\n").await?;
    let answer = stream.receive_line(LONGEST).await?;
    let word = answer.split_whitespace().next().unwrap_or_default();
    match word {
        "+PONG" => Ok("PONG".to_owned()),
        "-NOAUTH" | "-NOPERM" => Ok("it asks for a password".to_owned()),
        "-LOADING" => Err("it is still loading its data".to_owned()),
        "-MASTERDOWN" => Err("it is a replica without its master".to_owned()),
        "-DENIED" => Err("it is in protected mode and refuses this machine".to_owned()),
        "-ERR" if answer.contains("max number of clients") => {
            Err("it has too many connections".to_owned())
        }
        "-ERR" if answer.to_ascii_lowercase().contains("auth") => {
            Ok("it asks for a password".to_owned())
        }
        _ if word.starts_with('-') => Err("it answered PING with an error".to_owned()),
        _ => Err("what answers is not Redis".to_owned()),
    }
}
