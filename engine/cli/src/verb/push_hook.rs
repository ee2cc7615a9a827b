//! `shipway push-hook`: asks the engine whether what is pushed may become the
//! branch. Git starts it, for a push that the engine takes.

use std::process::ExitCode;

pub fn run() -> ExitCode {
    shipway_source::push::hook::run()
}
