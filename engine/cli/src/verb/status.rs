//! `shipway status`: what an environment serves, or how a deployment stands.

use clap::Args;
use shipway_api::wire::deployment::Deployment;
use shipway_api::wire::environment::EnvironmentStatus;

use super::target::Target;
use crate::client::{Client, Connection};
use crate::failure::Failure;
use crate::output::{JsonFlag, show};
use crate::{clock, render};

/// Show what serves an environment and its newest deployment, or how a deployment stands
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    pub connection: Connection,
    /// An environment such as guestbook/live, or a deployment
    #[arg(value_name = "APP/ENV|DEPLOYMENT")]
    target: Target,
    #[command(flatten)]
    json: JsonFlag,
}

const EXAMPLES: &str = "Examples:
  shipway status hello/live
  shipway status hello/live --json
  shipway status 0192f0c1-7a3b-7c4d-8e5f-0123456789ab";

pub async fn run(client: Client, arguments: Arguments) -> Result<(), Failure> {
    let form = arguments.json.form();
    match &arguments.target {
        Target::Newest(place) => {
            let at = client.in_environment(place, &["status"]);
            let status: EnvironmentStatus = at.get().await?;
            show(form, &status, |status| {
                render::deployment::environment_status(status, clock::now())
            })
        }
        Target::Deployment(id) => {
            let at = client.at(&["deployments", &id.to_string()]);
            let deployment: Deployment = at.get().await?;
            show(form, &deployment, |deployment| {
                render::deployment::one(deployment, clock::now())
            })
        }
    }
}
