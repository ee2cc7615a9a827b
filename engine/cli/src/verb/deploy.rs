//! `shipway deploy`: trigger a deployment and follow it to its end.

use clap::Args;
use reqwest::Method;
use serde::Serialize;
use shipway_api::wire::deployment::{Deployment, NewDeployment};
use shipway_core::environment::EnvironmentKey;
use shipway_core::journal::{BuildWish, Subject};
use uuid::Uuid;

use crate::client::{Client, Connection};
use crate::exit::{Exit, with_exit_codes};
use crate::failure::Failure;
use crate::output::{Form, JsonFlag, say, show};
use crate::watch::{self, ProgressFlag, View, Watching};
use crate::{place, render};

/// Deploy a commit and follow it to its end
#[derive(Debug, Args)]
#[command(after_help = with_exit_codes(EXAMPLES))]
pub struct Arguments {
    #[command(flatten)]
    pub connection: Connection,
    /// The environment, such as guestbook/live
    #[arg(value_name = "APP/ENV", value_parser = place::environment)]
    place: EnvironmentKey,
    /// Branch, tag or commit [default: the environment's]
    #[arg(long)]
    reference: Option<String>,
    /// Build the image even when there is one of this commit
    #[arg(long)]
    fresh: bool,
    #[command(flatten)]
    manner: Manner,
}

const EXAMPLES: &str = "Examples:
  shipway deploy hello/live
  shipway deploy hello/live --reference v1.4.2
  shipway deploy hello/live --detach --json    # print it and go
  shipway deploy hello/live --idempotency-key \"$CI_JOB_ID\"";

/// How a deployment is asked for and followed.
#[derive(Debug, Args)]
pub struct Manner {
    /// Trigger it and go; `shipway logs -f` follows it later
    #[arg(long, alias = "no-follow")]
    detach: bool,
    /// The same key gives the same deployment [default: a new one]
    #[arg(long, value_name = "KEY")]
    idempotency_key: Option<String>,
    #[command(flatten)]
    progress: ProgressFlag,
    #[command(flatten)]
    json: JsonFlag,
}

pub async fn run(client: Client, arguments: Arguments) -> Result<Exit, Failure> {
    let wish = NewDeployment {
        reference: arguments.reference,
        build: if arguments.fresh {
            BuildWish::Fresh
        } else {
            BuildWish::Reuse
        },
    };
    deploy(
        &client,
        &arguments.place,
        "deployments",
        &wish,
        arguments.manner,
    )
    .await
}

/// Asks for a deployment at one of an environment's addresses, and follows it.
pub async fn deploy(
    client: &Client,
    place: &EnvironmentKey,
    what: &str,
    wish: &impl Serialize,
    manner: Manner,
) -> Result<Exit, Failure> {
    let form = manner.json.form();
    // A key of our own makes it safe to ask again when the answer is lost.
    let key = manner
        .idempotency_key
        .unwrap_or_else(|| Uuid::now_v7().to_string());
    let deployment = trigger(client, place, what, &key, wish).await?;
    if manner.detach {
        show(form, &deployment, |it| format!("deployment {}", it.id))?;
        return Ok(Exit::Success);
    }
    if form == Form::People {
        say(format!(
            "deployment {} of {} to {place}",
            deployment.id,
            what_it_deploys(&deployment)
        ))?;
    }
    let watching = Watching {
        view: View::Steps,
        form,
        progress: manner.progress.progress(),
    };
    let ending = watch::watch(client, deployment.id, watching).await?;
    Ok(ending.map_or(Exit::Detached, |ending| render::deployment::exit(&ending)))
}

fn what_it_deploys(deployment: &Deployment) -> String {
    match &deployment.subject {
        Subject::Commit => deployment.reference.clone(),
        Subject::Rollback { to, .. } => format!("what {to} deployed"),
        Subject::Promotion { from, .. } => format!("what serves {from}"),
    }
}

async fn trigger(
    client: &Client,
    place: &EnvironmentKey,
    what: &str,
    key: &str,
    wish: &impl Serialize,
) -> Result<Deployment, Failure> {
    let at = || {
        client
            .in_environment(place, &[what])
            .header("idempotency-key", key)
    };
    match at().send(Method::POST, wish).await {
        Err(failure) if failure.again == crate::failure::Again::Later => {
            at().send(Method::POST, wish).await
        }
        answered => answered,
    }
}
