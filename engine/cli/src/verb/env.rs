//! `shipway env`: environments and their settings.

mod settings;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::{Map, Value};
use shipway_api::wire::environment::Environment;
use shipway_api::wire::page::Page;
use shipway_core::environment::EnvironmentKey;
use shipway_core::name::AppName;

use self::settings::Settings;
use crate::client::{Client, Connection};
use crate::failure::Failure;
use crate::output::{JsonFlag, say, show};
use crate::render::settings as render;
use crate::{input, place};

/// Make, show, change and delete environments
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    pub connection: Connection,
    #[command(subcommand)]
    action: Action,
}

const EXAMPLES: &str = "Examples:
  shipway env create hello/live --runtime process --domain hello.example.com
  shipway env set hello/live --instances 2 --drain 10s
  shipway env set hello/live --unset reference
  shipway env list hello";

#[derive(Debug, Subcommand)]
enum Action {
    /// Make an environment; without a domain it gets ENV.APP.localhost
    Create {
        /// The environment, such as guestbook/live
        #[arg(value_name = "APP/ENV", value_parser = place::environment)]
        place: EnvironmentKey,
        #[command(flatten)]
        settings: Settings,
        #[command(flatten)]
        json: JsonFlag,
    },
    /// List an app's environments
    List {
        app: AppName,
        #[command(flatten)]
        json: JsonFlag,
    },
    /// Show an environment's settings
    Show {
        /// The environment, such as guestbook/live
        #[arg(value_name = "APP/ENV", value_parser = place::environment)]
        place: EnvironmentKey,
        #[command(flatten)]
        json: JsonFlag,
    },
    /// Change settings, for the next deployment
    Set {
        /// The environment, such as guestbook/live
        #[arg(value_name = "APP/ENV", value_parser = place::environment)]
        place: EnvironmentKey,
        #[command(flatten)]
        settings: Settings,
        /// Settings to take back, such as `reference`, `build.command` or `processes.worker`
        #[arg(long, value_name = "SETTING")]
        unset: Vec<String>,
        #[command(flatten)]
        json: JsonFlag,
    },
    /// Stop everything in an environment and delete it, with its logs
    Delete {
        /// The environment, such as guestbook/live
        #[arg(value_name = "APP/ENV", value_parser = place::environment)]
        place: EnvironmentKey,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

pub async fn run(client: Client, arguments: Arguments) -> Result<(), Failure> {
    match arguments.action {
        Action::Create {
            place,
            settings,
            json,
        } => {
            let mut body = settings.into_patch()?;
            body.insert("name".to_owned(), place.environment.as_str().into());
            let at = client.at(&["apps", place.app.as_str(), "environments"]);
            let made: Environment = at.send(Method::POST, &body).await?;
            show(json.form(), &made, render::environment)
        }
        Action::List { app, json } => {
            let at = client.at(&["apps", app.as_str(), "environments"]);
            let found: Page<Environment> = at.get().await?;
            show(json.form(), &found.items, |found| {
                render::environments(found)
            })
        }
        Action::Show { place, json } => {
            let shown: Environment = client.in_environment(&place, &[]).get().await?;
            show(json.form(), &shown, render::environment)
        }
        Action::Set {
            place,
            settings,
            unset,
            json,
        } => {
            let patch = patch_of(settings, &unset)?;
            let at = client.in_environment(&place, &[]);
            let changed: Environment = at.send(Method::PATCH, &patch).await?;
            show(json.form(), &changed, render::environment)
        }
        Action::Delete { place, yes } => {
            let what = format!("stop everything in {place} and delete it with its logs");
            input::confirm(&what, &place.to_string(), yes)?;
            let at = client.in_environment(&place, &[]);
            at.patiently().delete().await?;
            Ok(say(format!("deleted {place}"))?)
        }
    }
}

fn patch_of(settings: Settings, unset: &[String]) -> Result<Map<String, Value>, Failure> {
    let mut patch = settings.into_patch()?;
    for path in unset {
        settings::put(&mut patch, path, Value::Null);
    }
    if patch.is_empty() {
        return Err(Failure::usage("nothing to change")
            .with_hint("`shipway env set --help` lists what can be set"));
    }
    Ok(patch)
}
