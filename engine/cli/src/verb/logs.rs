//! `shipway logs`: a deployment's log.

use std::io::{self, Write};

use clap::Args;
use futures::StreamExt;

use super::target::{self, Target};
use crate::client::{Client, Connection};
use crate::exit::{Exit, with_exit_codes};
use crate::failure::Failure;
use crate::output::{Form, JsonFlag};
use crate::render;
use crate::watch::{self, ProgressFlag, View, Watching};

/// Print a deployment's log
#[derive(Debug, Args)]
#[command(after_help = with_exit_codes(EXAMPLES))]
pub struct Arguments {
    #[command(flatten)]
    pub connection: Connection,
    /// A deployment, or APP/ENV for its newest
    #[arg(value_name = "DEPLOYMENT|APP/ENV")]
    target: Target,
    /// Follow it to its end; the exit code then tells the ending
    #[arg(long, short)]
    follow: bool,
    #[command(flatten)]
    progress: ProgressFlag,
    #[command(flatten)]
    json: JsonFlag,
}

const EXAMPLES: &str = "Examples:
  shipway logs hello/live
  shipway logs -f 0192f0c1-7a3b-7c4d-8e5f-0123456789ab
  shipway logs hello/live --json | jq -r .text";

pub async fn run(client: Client, arguments: Arguments) -> Result<Exit, Failure> {
    let id = target::resolve(&client, &arguments.target).await?;
    let form = arguments.json.form();
    if arguments.follow {
        let watching = Watching {
            view: View::Log,
            form,
            progress: arguments.progress.progress(),
        };
        let ending = watch::watch(&client, id, watching).await?;
        return Ok(ending.map_or(Exit::Detached, |ending| render::deployment::exit(&ending)));
    }
    let accept = match form {
        Form::People => "text/plain",
        Form::Json => "application/x-ndjson",
    };
    let at = client.at(&["deployments", &id.to_string(), "log"]);
    let response = at.stream(accept).await?;
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| {
            Failure::new("the log broke off")
                .because(&error.without_url())
                .with_hint("ask for it again; nothing of it is lost")
        })?;
        io::stdout().lock().write_all(&chunk)?;
    }
    Ok(Exit::Success)
}
