//! `shipway history`: deployments, newest first.

use std::str::FromStr;

use clap::Args;
use shipway_api::wire::deployment::Deployment;
use shipway_api::wire::page::Page;
use shipway_core::environment::EnvironmentKey;
use shipway_core::name::{AppName, DeploymentId};

use crate::client::{Client, Connection};
use crate::failure::Failure;
use crate::output::{Form, JsonFlag, note, show};
use crate::{clock, place, render};

/// List deployments, newest first
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    pub connection: Connection,
    /// Only those of one app or environment
    #[arg(value_name = "APP|APP/ENV")]
    of: Option<Of>,
    /// How many, 100 at most
    #[arg(long, default_value_t = 20)]
    limit: u32,
    /// Only older ones than this deployment
    #[arg(long, value_name = "DEPLOYMENT")]
    before: Option<DeploymentId>,
    #[command(flatten)]
    json: JsonFlag,
}

const EXAMPLES: &str = "Examples:
  shipway history
  shipway history hello
  shipway history hello/live --limit 5
  shipway history hello/live --before 0192f0c1-7a3b-7c4d-8e5f-0123456789ab";

#[derive(Debug, Clone)]
enum Of {
    App(AppName),
    Environment(EnvironmentKey),
}

impl FromStr for Of {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains('/') {
            return place::environment(text).map(Self::Environment);
        }
        let app = text.parse().map(Self::App);
        app.map_err(|error| format!("{error}, or APP/ENV"))
    }
}

pub async fn run(client: Client, arguments: Arguments) -> Result<(), Failure> {
    let at = match &arguments.of {
        Some(Of::Environment(place)) => client.in_environment(place, &["deployments"]),
        Some(Of::App(app)) => client.at(&["deployments"]).query("app", app),
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
