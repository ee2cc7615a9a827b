//! What a bounded command has written, up to a limit.

use bollard::container::LogOutput;
use bollard::errors::Error;
use futures::{Stream, StreamExt};
use shipway_core::ports::runtime::ProbeOutput;

/// What a shell answers for a program that is not there.
pub const NOT_FOUND: i32 = 127;

/// Reads until the output ends. Keeps the first `limit` bytes of each stream;
/// more is read and thrown away, so that the program does not hang. The exit
/// code is left to whoever asks for it.
pub async fn collect(
    output: &mut (impl Stream<Item = Result<LogOutput, Error>> + Unpin),
    limit: usize,
) -> Result<ProbeOutput, Error> {
    let mut kept = ProbeOutput {
        exit_code: 0,
        stdout: Vec::new(),
        stderr: Vec::new(),
        truncated: false,
    };
    while let Some(chunk) = output.next().await {
        let chunk = chunk?;
        let stream = match &chunk {
            LogOutput::StdErr { .. } => &mut kept.stderr,
            _ => &mut kept.stdout,
        };
        let bytes = chunk.as_ref();
        let room = limit.saturating_sub(stream.len()).min(bytes.len());
        stream.extend_from_slice(bytes.get(..room).unwrap_or_default());
        kept.truncated |= room < bytes.len();
    }
    Ok(kept)
}

/// The output of a program that could not be started, in the engine's words.
pub fn not_found(message: &str, limit: usize) -> ProbeOutput {
    ProbeOutput {
        exit_code: NOT_FOUND,
        stdout: Vec::new(),
        stderr: message.bytes().take(limit).collect(),
        truncated: message.len() > limit,
    }
}
