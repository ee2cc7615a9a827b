//! `wasi:logging`, for runtimes that have it.

use shipway_core::ports::plugins;

use crate::bindings::wasi_logging::{Host, Level};
use crate::sandbox::Sandbox;

impl Host for Sandbox {
    async fn log(
        &mut self,
        level: Level,
        context: String,
        message: String,
    ) -> wasmtime::Result<()> {
        self.hand_over(context.len() + message.len())?;
        let level = match level {
            Level::Trace | Level::Debug => plugins::Level::Debug,
            Level::Info => plugins::Level::Info,
            Level::Warn => plugins::Level::Warn,
            Level::Error | Level::Critical => plugins::Level::Error,
        };
        match context.is_empty() {
            true => self.scene.lines.guest(level, &message),
            false => self
                .scene
                .lines
                .guest(level, &format!("{context}: {message}")),
        }
        Ok(())
    }
}
