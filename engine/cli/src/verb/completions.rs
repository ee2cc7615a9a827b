//! `shipway completions`: for the shell.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::failure::Failure;

/// Print completions for a shell, such as: source <(shipway completions bash)
#[derive(Debug, Args)]
pub struct Arguments {
    shell: Shell,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut command = crate::Arguments::command();
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "shipway", &mut script);
    Ok(crate::output::say(String::from_utf8_lossy(&script))?)
}
