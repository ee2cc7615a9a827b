//! `log`: lines for the deployment's log.

use shipway_core::ports::plugins;

use crate::bindings::log::{Host, Level};
use crate::sandbox::Sandbox;

impl Host for Sandbox {
    async fn write(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        self.hand_over(message.len())?;
        let level = match level {
            Level::Debug => plugins::Level::Debug,
            Level::Info => plugins::Level::Info,
            Level::Warn => plugins::Level::Warn,
            Level::Error => plugins::Level::Error,
        };
        self.scene.lines.guest(level, &message);
        Ok(())
    }
}
