//! `shipway key`: the keys that seal secrets in the engine's database. It works
//! on the key file itself, on the engine's machine.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use shipway_store::Keyring;

use crate::failure::Failure;
use crate::output::{note, say};
use crate::state_dir::{self, StateDir};

/// Look after the keys that seal secrets in the engine's database
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

const EXAMPLES: &str = "Examples:
  shipway key rotate
  shipway key rotate --state-dir /var/lib/shipway";

#[derive(Debug, Subcommand)]
enum Action {
    /// Put a new key before the others; the engine seals everything with it when
    /// it is next started
    Rotate {
        /// The engine's state directory
        #[arg(long, env = "SHIPWAY_STATE_DIR", value_name = "DIR")]
        state_dir: Option<PathBuf>,
        /// The key file, where `serve` was told another
        #[arg(long, env = "SHIPWAY_SECRETS_KEY", value_name = "FILE")]
        secrets_key: Option<PathBuf>,
    },
}

pub fn run(arguments: Arguments) -> Result<(), Failure> {
    let Action::Rotate {
        state_dir,
        secrets_key,
    } = arguments.action;
    let file = match secrets_key {
        Some(file) => file,
        None => StateDir::open(&state_dir.unwrap_or_else(state_dir::default_path))?.secrets_key(),
    };
    let id = Keyring::rotate(&file).context("could not add a key")?;
    say(&id)?;
    Ok(note(format!(
        "{id} is the first key in {}. Start the engine again: it seals everything anew and says \
         so. The other lines open older backups, and may go when there are none.",
        file.display()
    ))?)
}
