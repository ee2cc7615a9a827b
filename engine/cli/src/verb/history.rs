//! `shipway history`: deployments, newest first.

use clap::Args;
use shipway_api::wire::deployment::Deployment;
use shipway_api::wire::page::Page;
use shipway_core::environment::EnvironmentKey;
use shipway_core::name::DeploymentId;

use crate::client::{Client, Connection};
use crate::failure::Failure;
use crate::output::{Form, JsonFlag, note, show};
use crate::{clock, place, render};

/// List deployments, newest first
#[derive(Debug, Args)]
pub struct Arguments {
    #[command(flatten)]
    pub connection: Connection,
    /// Only those of one environment
    #[arg(value_name = "APP/ENV", value_parser = place::environment)]
    place: Option<EnvironmentKey>,
    /// How many, 100 at most
    #[arg(long, default_value_t = 20)]
    limit: u32,
    /// Only older ones than this deployment
    #[arg(long, value_name = "DEPLOYMENT")]
    before: Option<DeploymentId>,
    #[command(flatten)]
    json: JsonFlag,
}

pub async fn run(client: Client, arguments: Arguments) -> Result<(), Failure> {
    let at = match &arguments.place {
        Some(place) => client.in_environment(place, &["deployments"]),
        None => client.at(&["deployments"]),
    };
    let at = at.query("limit", arguments.limit);
    let at = match arguments.before {
        Some(before) => at.query("before", before),
        None => at,
    };
    let page: Page<Deployment> = at.get().await?;
    let form = arguments.json.form();
    show(form, &page.items, |items| {
        render::deployment::list(items, clock::now())
    })?;
    match (form, page.next) {
        (Form::People, Some(next)) => Ok(note(format!("older ones: --before {next}"))?),
        _ => Ok(()),
    }
}
