//! `shipway deploy`: trigger a deployment and follow it to its end.

use clap::Args;
use reqwest::Method;
use shipway_api::wire::deployment::{Deployment, NewDeployment};
use shipway_core::environment::EnvironmentKey;
use shipway_core::journal::BuildWish;
use uuid::Uuid;

use crate::client::{Client, Connection};
use crate::exit::{EXIT_CODES, Exit};
use crate::failure::Failure;
use crate::output::{Form, JsonFlag, say, show};
use crate::watch::{self, Begin};
use crate::{place, render};

/// Deploy a commit and follow it to its end
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
pub struct Arguments {
    #[command(flatten)]
    pub connection: Connection,
    /// The environment, such as guestbook/live
    #[arg(value_name = "APP/ENV", value_parser = place::environment)]
    place: EnvironmentKey,
    /// Branch, tag or commit [default: the environment's]
    #[arg(long)]
    reference: Option<String>,
    /// Trigger it and go
    #[arg(long)]
    no_follow: bool,
    /// Build the image even when there is one of this commit
    #[arg(long)]
    fresh: bool,
    /// The same key gives the same deployment [default: a new one]
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    json: JsonFlag,
}

pub async fn run(client: Client, arguments: Arguments) -> Result<Exit, Failure> {
    let form = arguments.json.form();
    let wish = NewDeployment {
        reference: arguments.reference,
        build: if arguments.fresh {
            BuildWish::Fresh
        } else {
            BuildWish::Reuse
        },
    };
    // A key of our own makes it safe to ask again when the answer is lost.
    let key = arguments
        .idempotency_key
        .unwrap_or_else(|| Uuid::now_v7().to_string());
    let deployment = trigger(&client, &arguments.place, &key, &wish).await?;
    if arguments.no_follow {
        show(form, &deployment, |it| format!("deployment {}", it.id))?;
        return Ok(Exit::Success);
    }
    if form == Form::People {
        say(format!(
            "deployment {} of {} to {}",
            deployment.id, deployment.reference, arguments.place
        ))?;
    }
    let ending = watch::watch(&client, deployment.id, form, Begin::FromStart).await?;
    Ok(ending.map_or(Exit::Detached, |ending| render::deployment::exit(&ending)))
}

async fn trigger(
    client: &Client,
    place: &EnvironmentKey,
    key: &str,
    wish: &NewDeployment,
) -> Result<Deployment, Failure> {
    let at = || {
        client
            .in_environment(place, &["deployments"])
            .header("idempotency-key", key)
    };
    match at().send(Method::POST, wish).await {
        Err(failure) if failure.again == crate::failure::Again::Later => {
            at().send(Method::POST, wish).await
        }
        answered => answered,
    }
}
