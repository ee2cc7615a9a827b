//! `shipway completions`: for the shell.

use anyhow::Context;
use clap::Args;
use clap_complete::Shell;

use crate::complete;
use crate::failure::Failure;

/// Print completions for a shell
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    shell: Shell,
}

const EXAMPLES: &str = "Examples:
  source <(shipway completions bash)                                # in ~/.bashrc
  source <(shipway completions zsh)                                 # in ~/.zshrc, after compinit
  shipway completions fish | source                                 # in ~/.config/fish/config.fish
  shipway completions powershell | Out-String | Invoke-Expression   # in $PROFILE

Names of apps, environments and plugins come from the engine, if it answers within a second.";

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let script = complete::script(arguments.shell).context("could not write the completions")?;
    Ok(crate::output::say(String::from_utf8_lossy(&script))?)
}
