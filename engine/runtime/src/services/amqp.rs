//! AMQP: the header of 0-9-1, answered by the first frame of a connection, or
//! by the header of the version that the broker speaks instead.

use super::Problem;
use super::stream::Stream;

const HEADER: &[u8; 8] = b"AMQP\x00\x00\x09\x01";
/// Type of a method frame, and the method connection.start (class 10).
const METHOD: u8 = 1;
const CONNECTION_START: [u8; 4] = [0, 10, 0, 10];

pub async fn ask(mut stream: Stream) -> Result<String, Problem> {
    stream.send(HEADER).await?;
    let begin: [u8; 8] = stream.receive().await?;
    match begin {
        [b'A', b'M', b'Q', b'P', _, major, minor, revision] => Ok(format!(
            "a broker that speaks version {major}.{minor}.{revision}"
        )),
        // Type, channel 0, then a length whose last byte we do not need.
        [METHOD, 0, 0, ..] => {
            let method: [u8; 3] = stream.receive().await?;
            let [.., first] = begin;
            if [first, method[0], method[1], method[2]] == CONNECTION_START {
                return Ok("a broker that speaks 0-9-1".to_owned());
            }
            Err("what answers is not AMQP".to_owned())
        }
        _ => Err("what answers is not AMQP".to_owned()),
    }
}
