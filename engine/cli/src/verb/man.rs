//! `shipway man`: a page for every verb.

use std::fs;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, CommandFactory};

use crate::failure::Failure;
use crate::output::say;

/// Write the man pages into a folder
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// It is made when it is not there
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

const EXAMPLES: &str = "Examples:
  shipway man ~/.local/share/man/man1     # then: man shipway-deploy
  shipway man /usr/local/share/man/man1";

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let folder = &arguments.folder;
    let problem = || format!("could not write man pages to {}", folder.display());
    fs::create_dir_all(folder).with_context(problem)?;
    clap_mangen::generate_to(crate::Arguments::command(), folder).with_context(problem)?;
    Ok(say(format!("wrote the man pages to {}", folder.display()))?)
}
