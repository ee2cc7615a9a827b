//! `shipway plan`: what a deployment would do.

use clap::Args;
use reqwest::Method;
use shipway_api::wire::plan::{PlanImage, PlanRequest};
use shipway_core::environment::EnvironmentKey;
use shipway_core::plan::Plan;

use crate::client::{Client, Connection};
use crate::failure::Failure;
use crate::output::{JsonFlag, show};
use crate::{place, render};

/// Say what a deployment would do, without doing it
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub connection: Connection,
    /// The environment, such as guestbook/live
    #[arg(value_name = "APP/ENV", value_parser = place::environment)]
    place: EnvironmentKey,
    /// Branch, tag or commit [default: the environment's]
    #[arg(long)]
    reference: Option<String>,
    /// Build the image when there is none, for plugins that have to look into it
    #[arg(long)]
    build: bool,
    #[command(flatten)]
    json: JsonFlag,
}

pub async fn run(client: Client, arguments: Arguments) -> Result<(), Failure> {
    let request = PlanRequest {
        reference: arguments.reference,
        image: if arguments.build {
            PlanImage::Build
        } else {
            PlanImage::IfBuilt
        },
    };
    let at = client.in_environment(&arguments.place, &["plan"]);
    let plan: Plan = at.patiently().send(Method::POST, &request).await?;
    show(arguments.json.form(), &plan, render::plan::plan)
}
