//! `shipway status`: what an environment serves, or how a deployment stands.

use clap::Args;
use shipway_api::wire::environment::EnvironmentStatus;
use shipway_core::environment::EnvironmentKey;

use crate::client::{Client, Connection};
use crate::failure::Failure;
use crate::output::{JsonFlag, show};
use crate::{clock, place, render};

/// Show what serves an environment, and its newest deployment
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub connection: Connection,
    /// The environment, such as guestbook/live
    #[arg(value_name = "APP/ENV", value_parser = place::environment)]
    place: EnvironmentKey,
    #[command(flatten)]
    json: JsonFlag,
}

pub async fn run(client: Client, arguments: Arguments) -> Result<(), Failure> {
    let at = client.in_environment(&arguments.place, &["status"]);
    let status: EnvironmentStatus = at.get().await?;
    show(arguments.json.form(), &status, |status| {
        render::deployment::environment_status(status, clock::now())
    })
}
