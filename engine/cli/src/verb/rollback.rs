//! `shipway rollback`: deploy what an earlier deployment built and planned.

use clap::{Args, ValueEnum};
use shipway_api::wire::deployment::NewRollback;
use shipway_core::environment::EnvironmentKey;
use shipway_core::journal::ReleaseCommands;
use shipway_core::name::DeploymentId;

use super::deploy::{self, Manner};
use crate::client::{Client, Connection};
use crate::exit::{Exit, with_exit_codes};
use crate::failure::Failure;
use crate::place;

/// Go back to an earlier deployment: its image, and its plan as it was
#[derive(Debug, Args)]
#[command(after_help = with_exit_codes(EXAMPLES))]
pub struct Arguments {
    #[command(flatten)]
    pub connection: Connection,
    /// The environment, such as guestbook/live
    #[arg(value_name = "APP/ENV", value_parser = place::environment)]
    place: EnvironmentKey,
    /// A deployment that succeeded; `history` lists them [default: the one that served before]
    #[arg(long, value_name = "DEPLOYMENT")]
    to: Option<DeploymentId>,
    /// Whether the release commands of its plan run again
    #[arg(long, value_enum, default_value = "skip")]
    release_commands: Wish,
    #[command(flatten)]
    manner: Manner,
}

const EXAMPLES: &str = "Examples:
  shipway rollback hello/live
  shipway rollback hello/live --to 0192f0c1-7a3b-7c4d-8e5f-0123456789ab
  shipway rollback hello/live --release-commands run";

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Wish {
    Skip,
    Run,
}

pub async fn run(client: Client, arguments: Arguments) -> Result<Exit, Failure> {
    let wish = NewRollback {
        to: arguments.to,
        release_commands: match arguments.release_commands {
            Wish::Skip => ReleaseCommands::Skip,
            Wish::Run => ReleaseCommands::Run,
        },
    };
    deploy::deploy(
        &client,
        &arguments.place,
        "rollback",
        &wish,
        arguments.manner,
    )
    .await
}
