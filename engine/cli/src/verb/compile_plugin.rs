//! `shipway compile-plugin`: compiles one component, in a process that can be
//! limited. The engine starts it and gives it the component on its standard
//! input.

use std::process::ExitCode;

pub fn run() -> ExitCode {
    shipway_plugin_host::compile_child()
}
