//! `shipway plan`: what a deployment would do.

use clap::Args;
use reqwest::Method;
use shipway_api::wire::plan::{PlanImage, PlanRequest};
use shipway_core::name::DeploymentId;
use shipway_core::plan::Plan;

use super::target::Target;
use crate::client::{Client, Connection};
use crate::failure::Failure;
use crate::output::{JsonFlag, show};
use crate::render;

/// Say what a deployment would do, without doing it, or what one was to do
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    pub connection: Connection,
    /// An environment such as guestbook/live, or a deployment, for the plan that it froze
    #[arg(value_name = "APP/ENV|DEPLOYMENT")]
    target: Target,
    /// Branch, tag or commit [default: the environment's]
    #[arg(long)]
    reference: Option<String>,
    /// Build the image when there is none, for plugins that have to look into it
    #[arg(long)]
    build: bool,
    #[command(flatten)]
    json: JsonFlag,
}

const EXAMPLES: &str = "Examples:
  shipway plan hello/live
  shipway plan hello/live --reference feature --build
  shipway plan 0192f0c1-7a3b-7c4d-8e5f-0123456789ab";

pub async fn run(client: Client, arguments: Arguments) -> Result<(), Failure> {
    let place = match &arguments.target {
        Target::Newest(place) => place,
        Target::Deployment(id) => return frozen(&client, *id, &arguments).await,
    };
    let request = PlanRequest {
        reference: arguments.reference,
        image: if arguments.build {
            PlanImage::Build
        } else {
            PlanImage::IfBuilt
        },
    };
    let at = client.in_environment(place, &["plan"]);
    let plan: Plan = at.patiently().send(Method::POST, &request).await?;
    show(arguments.json.form(), &plan, render::plan::plan)
}

async fn frozen(client: &Client, id: DeploymentId, said: &Arguments) -> Result<(), Failure> {
    if said.reference.is_some() || said.build {
        return Err(Failure::usage(
            "the plan of a deployment is frozen: --reference and --build change nothing in it",
        )
        .with_hint("name APP/ENV for the plan of the next one"));
    }
    let at = client.at(&["deployments", &id.to_string(), "plan"]);
    let plan: Plan = at.get().await?;
    show(said.json.form(), &plan, render::plan::plan)
}
