//! `shipway supervise`: one instance of the process runtime, kept by a process
//! of its own that outlives the engine. The engine starts it and tells it on
//! its standard input what to run.

use std::process::ExitCode;

pub fn run() -> ExitCode {
    shipway_runtime::supervise::run()
}
