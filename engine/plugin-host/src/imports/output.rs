//! WASI with nothing in it: no arguments, variables, files, sockets or
//! terminal. What a guest prints goes into the log.

use std::sync::Arc;

use bytes::Bytes;
use shipway_core::ports::plugins::Level;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamResult};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder};

use crate::lines::Lines;

/// Bytes of one call for random numbers.
const MOST_RANDOM: u64 = 64 << 10;
/// Bytes that one write may hold, and a line that has not ended yet.
const PERMIT: usize = 4096;

pub(crate) fn empty_wasi(lines: &Arc<Lines>) -> WasiCtx {
    WasiCtxBuilder::new()
        .stdout(Printed::new(lines, Kind::Output))
        .stderr(Printed::new(lines, Kind::Error))
        .max_random_size(MOST_RANDOM)
        .allow_tcp(false)
        .allow_udp(false)
        .allow_ip_name_lookup(false)
        .build()
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Output,
    Error,
}

/// One of the guest's two standard streams.
#[derive(Debug, Clone)]
struct Printed {
    lines: Arc<Lines>,
    kind: Kind,
    unfinished: Vec<u8>,
}

impl Printed {
    fn new(lines: &Arc<Lines>, kind: Kind) -> Self {
        Self {
            lines: Arc::clone(lines),
            kind,
            unfinished: Vec::new(),
        }
    }

    fn print(&mut self, bytes: &[u8]) {
        for byte in bytes {
            match byte {
                b'\n' => self.end_line(),
                _ => self.unfinished.push(*byte),
            }
            if self.unfinished.len() >= PERMIT {
                self.end_line();
            }
        }
    }

    fn end_line(&mut self) {
        let line = std::mem::take(&mut self.unfinished);
        let line = String::from_utf8_lossy(&line);
        match self.kind {
            Kind::Output => self.lines.guest(Level::Debug, &line),
            Kind::Error => self.lines.guest_error(&line),
        }
    }
}

impl Drop for Printed {
    fn drop(&mut self) {
        if !self.unfinished.is_empty() {
            self.end_line();
        }
    }
}

impl IsTerminal for Printed {
    fn is_terminal(&self) -> bool {
        false
    }
}

impl StdoutStream for Printed {
    fn async_stream(&self) -> Box<dyn tokio::io::AsyncWrite + Send + Sync> {
        // Of WASI 0.3, which is not linked.
        Box::new(tokio::io::sink())
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[wasmtime_wasi::async_trait]
impl Pollable for Printed {
    async fn ready(&mut self) {}
}

#[wasmtime_wasi::async_trait]
impl OutputStream for Printed {
    fn write(&mut self, bytes: Bytes) -> StreamResult<()> {
        self.print(&bytes);
        Ok(())
    }

    fn flush(&mut self) -> StreamResult<()> {
        Ok(())
    }

    fn check_write(&mut self) -> StreamResult<usize> {
        Ok(PERMIT)
    }
}
