//! `shipway logs`: a deployment's log.

use std::io::{self, Write};

use clap::Args;
use futures::StreamExt;

use super::target::{self, Target};
use crate::client::{Client, Connection};
use crate::exit::{EXIT_CODES, Exit};
use crate::failure::Failure;
use crate::output::{Form, JsonFlag};
use crate::render;
use crate::watch::{self, Begin};

/// Print a deployment's log
#[derive(Debug, Args)]
#[command(after_help = EXIT_CODES)]
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
    json: JsonFlag,
}

pub async fn run(client: Client, arguments: Arguments) -> Result<Exit, Failure> {
    let id = target::resolve(&client, &arguments.target).await?;
    let form = arguments.json.form();
    if arguments.follow && form == Form::People {
        let ending = watch::watch(&client, id, form, Begin::FromStart).await?;
        return Ok(ending.map_or(Exit::Detached, |ending| render::deployment::exit(&ending)));
    }
    let accept = match form {
        Form::People => "text/plain",
        Form::Json => "application/x-ndjson",
    };
    let at = client.at(&["deployments", &id.to_string(), "log"]);
    let response = at.query("follow", arguments.follow).stream(accept).await?;
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
