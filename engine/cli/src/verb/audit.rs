//! `shipway audit`: who did what, from where.

use clap::Args;
use shipway_api::wire::page::Page;
use shipway_core::audit::Record;
use shipway_core::name::{AppName, Timestamp};

use crate::client::{At, Client, Connection};
use crate::failure::Failure;
use crate::output::{Form, JsonFlag, note, show};
use crate::{place, render};

/// List who did what, from where, and what was refused
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    pub connection: Connection,
    /// Only by this token or webhook, or `anonymous`
    #[arg(long, value_name = "NAME")]
    actor: Option<String>,
    /// Only this operation, such as `create_deployment`
    #[arg(long)]
    action: Option<String>,
    /// Only what concerns this app
    #[arg(long)]
    app: Option<AppName>,
    /// Only from this moment on, such as 2026-11-20T10:00:00Z
    #[arg(long, value_name = "TIME", value_parser = place::word::<Timestamp>)]
    since: Option<Timestamp>,
    /// How many, 500 at most
    #[arg(long, default_value_t = 50)]
    limit: u32,
    /// Only older ones than this number
    #[arg(long, value_name = "NUMBER")]
    before: Option<u64>,
    #[command(flatten)]
    json: JsonFlag,
}

const EXAMPLES: &str = "Examples:
  shipway audit
  shipway audit --app hello --since 2026-11-20T10:00:00Z
  shipway audit --actor ci --json";

pub async fn run(client: Client, arguments: Arguments) -> Result<(), Failure> {
    let form = arguments.json.form();
    let page: Page<Record> = asked(&client, &arguments).get().await?;
    show(form, &page.items, |items| render::audit::list(items))?;
    match (form, page.next) {
        (Form::People, Some(next)) => Ok(note(format!("older ones: --before {next}"))?),
        _ => Ok(()),
    }
}

fn asked<'a>(client: &'a Client, arguments: &Arguments) -> At<'a> {
    let filters = [
        ("actor", arguments.actor.clone()),
        ("action", arguments.action.clone()),
        ("app", arguments.app.as_ref().map(ToString::to_string)),
        ("since", arguments.since.map(|since| since.to_string())),
        ("before", arguments.before.map(|before| before.to_string())),
    ];
    let at = client.at(&["audit"]).query("limit", arguments.limit);
    let given = filters
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    given.fold(at, |at, (name, value)| at.query(name, value))
}
