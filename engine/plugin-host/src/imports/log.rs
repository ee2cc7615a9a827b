//! `log`: lines for the deployment's log.

use serde_json::json;
use shipway_core::ports::plugins;

use crate::bindings::log::{Host, Level};
use crate::sandbox::Sandbox;
use crate::tape::Taped;

impl Host for Sandbox {
    async fn write(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        self.hand_over(message.len())?;
        let arguments = || json!({ "level": named(level), "message": message });
        match self.tape.begin("log.write", arguments)? {
            Taped::Answer(()) => {}
            Taped::Ask(pen) => pen.write(()),
        }
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

fn named(level: Level) -> &'static str {
    match level {
        Level::Debug => "debug",
        Level::Info => "info",
        Level::Warn => "warn",
        Level::Error => "error",
    }
}
