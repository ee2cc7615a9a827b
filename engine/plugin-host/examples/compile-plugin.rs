//! The child in which a plugin host compiles, and nothing else: what a program
//! needs that has a plugin host and no verb of its own for this.

use std::process::ExitCode;

fn main() -> ExitCode {
    shipway_plugin_host::compile_child()
}
