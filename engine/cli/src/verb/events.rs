//! `shipway events`: a deployment's journal, as others see it.

use clap::Args;
use shipway_api::wire::event::Events;

use super::target::{self, Target};
use crate::client::{Client, Connection};
use crate::exit::{Exit, with_exit_codes};
use crate::failure::Failure;
use crate::output::{Form, JsonFlag, say};
use crate::render;
use crate::watch::{self, Progress, View, Watching};

/// Print a deployment's events
#[derive(Debug, Args)]
#[command(after_help = with_exit_codes(EXAMPLES))]
pub struct Arguments {
    #[command(flatten)]
    pub connection: Connection,
    /// A deployment, or APP/ENV for its newest
    #[arg(value_name = "DEPLOYMENT|APP/ENV")]
    target: Target,
    /// Only events after this number
    #[arg(long, value_name = "N", default_value_t = 0)]
    after: u64,
    /// Follow them to the last; the exit code then tells the ending
    #[arg(long, short)]
    follow: bool,
    #[command(flatten)]
    json: JsonFlag,
}

const EXAMPLES: &str = "Examples:
  shipway events hello/live
  shipway events -f hello/live --json
  shipway events hello/live --after 12";

pub async fn run(client: Client, arguments: Arguments) -> Result<Exit, Failure> {
    let id = target::resolve(&client, &arguments.target).await?;
    let form = arguments.json.form();
    if arguments.follow {
        let watching = Watching {
            view: View::Events(arguments.after),
            form,
            progress: Progress::Plain,
        };
        let ending = watch::watch(&client, id, watching).await?;
        return Ok(ending.map_or(Exit::Detached, |ending| render::deployment::exit(&ending)));
    }
    let mut after = arguments.after;
    loop {
        let at = client.at(&["deployments", &id.to_string(), "events"]);
        let page: Events = at.query("after", after).query("limit", 1000).get().await?;
        for entry in &page.items {
            say(match form {
                Form::People => render::deployment::event(entry),
                Form::Json => serde_json::to_string(entry)?,
            })?;
        }
        if page.ended || page.items.is_empty() {
            return Ok(Exit::Success);
        }
        after = page.after;
    }
}
