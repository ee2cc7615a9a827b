//! `shipway plugin`: write plugins, install them, and say what each may do.

pub mod author;

mod add;
mod install;
mod lock;
mod source;
mod sync;

mod grant;
mod limit;

pub mod push;

use std::path::PathBuf;

use clap::{Args, Subcommand};
use reqwest::Method;
use serde_json::json;
use shipway_api::wire::page::Page;
use shipway_api::wire::plugin::Plugin;
use shipway_api::wire::variable::{Variable, Visibility};
use shipway_core::environment::EnvironmentKey;
use shipway_core::name::PluginName;

use super::var;
use crate::client::{Client, Connection};
use crate::failure::Failure;
use crate::output::{Form, JsonFlag, say, show};
use crate::{input, place, render};

/// Write plugins, install them, and say what each may do
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    pub connection: Connection,
    #[command(subcommand)]
    pub action: Side,
}

const EXAMPLES: &str = "Examples:
  shipway plugin new --role notifier --lang python team-hook
  shipway plugin add target/plugins/procfile.wasm
  shipway plugin grant procfile --files Procfile
  shipway plugin list";

/// On whose side the work is done.
#[derive(Debug, Subcommand)]
pub enum Side {
    #[command(flatten)]
    Author(author::Action),
    #[command(flatten)]
    Registry(Pushing),
    #[command(flatten)]
    Engine(Action),
}

/// What needs a registry and no engine.
#[derive(Debug, Subcommand)]
pub enum Pushing {
    /// Push a component to an OCI registry
    ///
    /// As the artifact that the tools of the WebAssembly ecosystem share, so that
    /// others than Shipway can read it. Prints the address with the digest.
    #[command(verbatim_doc_comment)]
    Push(push::Arguments),
}

#[derive(Debug, Subcommand)]
pub enum Action {
    /// Install a component, or a new version of one
    ///
    /// Shows what it asks for and why. Nothing is granted unless you say so:
    /// with --grant-requested, with --files, --image and --http, or at the
    /// question.
    ///
    /// A new version keeps the grants, settings and limits of the old one, and
    /// serves the next call; calls that run finish on the old one. What is
    /// different is shown. One that asks for more is refused until you accept it:
    /// at the question, or with --accept where there is no terminal.
    ///
    /// A lock file is written only with --lock. It pins name, version, digest and
    /// source; a file's source is told from where the lock file is.
    #[command(verbatim_doc_comment)]
    Add(Box<add::Arguments>),
    /// Install what the lock file pins
    ///
    /// What is installed with the pinned digest stays as it is. All others are
    /// fetched and compared with the lock file before the first is installed.
    /// Nothing is granted by it, and no plugin is removed.
    #[command(verbatim_doc_comment)]
    Sync(sync::Arguments),
    /// List the installed plugins
    List {
        #[command(flatten)]
        json: JsonFlag,
    },
    /// Show a plugin: what it asks for, what is granted and set
    Show {
        plugin: PluginName,
        #[command(flatten)]
        json: JsonFlag,
    },
    /// Grant more to a plugin
    Grant {
        plugin: PluginName,
        #[command(flatten)]
        what: grant::What,
        #[command(flatten)]
        json: JsonFlag,
    },
    /// Take grants back
    Revoke {
        plugin: PluginName,
        #[command(flatten)]
        what: grant::Less,
        #[command(flatten)]
        json: JsonFlag,
    },
    /// Set a plugin's settings, everywhere or in one environment
    ///
    /// NAME=VALUE sets a value, NAME= an empty one. A NAME alone takes its
    /// value from --file or standard input.
    #[command(verbatim_doc_comment)]
    Set {
        plugin: PluginName,
        #[arg(value_name = "NAME[=VALUE]", required_unless_present = "unset")]
        settings: Vec<String>,
        /// Only in this environment
        #[arg(long, value_name = "APP/ENV", value_parser = place::environment)]
        r#in: Option<EnvironmentKey>,
        /// Settings to take back
        #[arg(long, value_name = "NAME")]
        unset: Vec<String>,
        /// The values are secret, even where the plugin does not say so
        #[arg(long)]
        secret: bool,
        /// Read the value of the one NAME from this file
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
        #[command(flatten)]
        json: JsonFlag,
    },
    /// Set a plugin's limits
    ///
    /// What is not said stays as it is. `plugin show` shows them.
    #[command(verbatim_doc_comment)]
    Limit(limit::Arguments),
    /// Switch a plugin on again
    Enable { plugin: PluginName },
    /// Switch a plugin off everywhere at once
    Disable { plugin: PluginName },
    /// Remove a plugin
    Remove {
        plugin: PluginName,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

pub async fn run(client: Client, action: Action) -> Result<(), Failure> {
    match action {
        Action::Add(arguments) => add::run(&client, *arguments).await,
        Action::Sync(arguments) => sync::run(&client, arguments).await,
        Action::Limit(arguments) => limit::run(&client, arguments).await,
        Action::List { json } => {
            let plugins: Page<Plugin> = client.at(&["plugins"]).get().await?;
            show(json.form(), &plugins.items, |items| {
                render::plugin::list(items)
            })
        }
        Action::Show { plugin, json } => {
            let shown = grant::fetch(&client, &plugin).await?;
            show(json.form(), &shown, render::plugin::plugin)
        }
        Action::Grant { plugin, what, json } => {
            let shown = grant::more(&client, &plugin, what).await?;
            show(json.form(), &shown, render::plugin::plugin)
        }
        Action::Revoke { plugin, what, json } => {
            let shown = grant::less(&client, &plugin, what).await?;
            show(json.form(), &shown, render::plugin::plugin)
        }
        Action::Set {
            plugin,
            settings,
            r#in,
            unset,
            secret,
            file,
            json,
        } => {
            let visibility = secret.then_some(Visibility::Secret);
            let mut values = var::values(settings, file, visibility)?;
            values.extend(unset.into_iter().map(|name| (name, None)));
            set(&client, &plugin, r#in, &values, json.form()).await
        }
        Action::Enable { plugin } => switch(&client, &plugin, "yes").await,
        Action::Disable { plugin } => switch(&client, &plugin, "no").await,
        Action::Remove { plugin, yes } => {
            let what = format!("remove plugin {plugin} with its grants and settings");
            input::confirm(&what, plugin.as_str(), yes)?;
            client.at(&["plugins", plugin.as_str()]).delete().await?;
            Ok(say(format!("removed {plugin}"))?)
        }
    }
}

async fn set(
    client: &Client,
    plugin: &PluginName,
    place: Option<EnvironmentKey>,
    values: &var::Values,
    form: Form,
) -> Result<(), Failure> {
    let Some(place) = place else {
        let at = client.at(&["plugins", plugin.as_str(), "settings"]);
        let shown: Plugin = at.send(Method::PATCH, values).await?;
        return show(form, &shown, render::plugin::plugin);
    };
    let at = client.in_environment(&place, &["plugins", plugin.as_str(), "settings"]);
    let listed: Page<Variable> = at.send(Method::PATCH, values).await?;
    show(form, &listed.items, |items| {
        render::settings::variables(items)
    })
}

async fn switch(client: &Client, plugin: &PluginName, enabled: &str) -> Result<(), Failure> {
    let at = client.at(&["plugins", plugin.as_str()]);
    let _: Plugin = at
        .send(Method::PATCH, &json!({ "enabled": enabled }))
        .await?;
    let word = if enabled == "yes" { "on" } else { "off" };
    Ok(say(format!("{plugin} is {word}"))?)
}
