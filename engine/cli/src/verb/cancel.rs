//! `shipway cancel`: ask a deployment to stop.

use clap::Args;
use reqwest::Method;
use shipway_api::wire::deployment::Deployment;

use super::target::{self, Target};
use crate::client::{Client, Connection};
use crate::failure::Failure;
use crate::output::{JsonFlag, show};

/// Ask a deployment to stop; the old version goes on serving
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    pub connection: Connection,
    /// A deployment, or APP/ENV for its newest
    #[arg(value_name = "DEPLOYMENT|APP/ENV")]
    target: Target,
    #[command(flatten)]
    json: JsonFlag,
}

const EXAMPLES: &str = "Examples:
  shipway cancel hello/live
  shipway cancel 0192f0c1-7a3b-7c4d-8e5f-0123456789ab";

pub async fn run(client: Client, arguments: Arguments) -> Result<(), Failure> {
    let id = target::resolve(&client, &arguments.target).await?;
    let at = client.at(&["deployments", &id.to_string(), "cancel"]);
    let asked: Deployment = at.send(Method::POST, &serde_json::json!({})).await?;
    show(arguments.json.form(), &asked, |asked| match &asked.ending {
        Some(ending) => ending.summary(),
        None => format!("asked deployment {id} to stop; to see it stop: shipway logs -f {id}"),
    })
}
