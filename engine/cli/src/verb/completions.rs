//! `shipway completions`: for the shell.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::failure::Failure;

/// Print completions for a shell
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    shell: Shell,
}

const EXAMPLES: &str = "Examples:
  source <(shipway completions bash)                                # in ~/.bashrc
  shipway completions zsh > ~/.zfunc/_shipway                       # fpath+=~/.zfunc, before compinit
  shipway completions fish > ~/.config/fish/completions/shipway.fish
  shipway completions powershell | Out-String | Invoke-Expression   # in $PROFILE";

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let mut command = crate::Arguments::command();
    let mut script = Vec::new();
    clap_complete::generate(arguments.shell, &mut command, "shipway", &mut script);
    Ok(crate::output::say(String::from_utf8_lossy(&script))?)
}
