//! `shipway promote`: deploy what serves another environment of the app.

use clap::Args;
use shipway_api::wire::deployment::NewPromotion;
use shipway_core::environment::EnvironmentKey;
use shipway_core::name::EnvironmentName;

use super::deploy::{self, Manner};
use crate::client::{Client, Connection};
use crate::exit::{Exit, with_exit_codes};
use crate::failure::Failure;
use crate::place;

/// Deploy what serves one environment to another of the same app
#[derive(Debug, Args)]
#[command(after_help = with_exit_codes(EXAMPLES))]
pub struct Arguments {
    #[command(flatten)]
    pub connection: Connection,
    /// The environment whose commit and image are taken, such as guestbook/test
    #[arg(value_name = "APP/ENV", value_parser = place::environment)]
    from: EnvironmentKey,
    /// The environment that gets them, such as live
    #[arg(value_name = "ENV")]
    to: EnvironmentName,
    #[command(flatten)]
    manner: Manner,
}

const EXAMPLES: &str = "Examples:
  shipway promote hello/test live";

pub async fn run(client: Client, arguments: Arguments) -> Result<Exit, Failure> {
    let EnvironmentKey { app, environment } = arguments.from;
    let place = EnvironmentKey {
        app,
        environment: arguments.to,
    };
    let wish = NewPromotion { from: environment };
    deploy::deploy(&client, &place, "promote", &wish, arguments.manner).await
}
