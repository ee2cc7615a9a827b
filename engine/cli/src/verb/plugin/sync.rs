//! `shipway plugin sync`: installs what the lock file pins.

use std::path::PathBuf;

use clap::Args;
use shipway_api::wire::page::Page;
use shipway_api::wire::plugin::Plugin;
use shipway_core::name::PluginName;

use super::install::{self, Consent, Seen, Signature};
use super::lock::{self, Lock, Pin};
use super::source::Access;
use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Form, JsonFlag, say};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The lock file
    #[arg(long, value_name = "FILE", default_value = lock::FILE)]
    lock: PathBuf,
    /// Accept what they ask for more than the installed versions
    #[arg(long)]
    accept: bool,
    #[command(flatten)]
    json: JsonFlag,
    #[command(flatten)]
    access: Access,
}

/// What was done, for programs.
#[derive(Debug, serde::Serialize)]
struct Done {
    installed: Vec<PluginName>,
    unchanged: Vec<PluginName>,
}

pub async fn run(client: &Client, arguments: Arguments) -> Result<(), Failure> {
    let form = arguments.json.form();
    let lock = Lock::open(&arguments.lock)?;
    let installed: Page<Plugin> = client.at(&["plugins"]).get().await?;
    let is_there = |pin: &&Pin| {
        let mut plugins = installed.items.iter();
        plugins.any(|it| {
            it.description.name == pin.name && lock::digest(&it.description) == pin.digest
        })
    };
    let (there, missing): (Vec<&Pin>, Vec<&Pin>) = lock.pins.iter().partition(is_there);
    // All are looked at and accepted before the first is installed.
    let mut ready = Vec::new();
    for pin in missing {
        ready.push((pin, prepare(client, &lock, pin, &arguments).await?));
    }
    let mut done = Done {
        installed: Vec::new(),
        unchanged: there.iter().map(|pin| pin.name.clone()).collect(),
    };
    for (pin, seen) in ready {
        let signature = Signature {
            signature: pin.signature.clone(),
            key: pin.key.clone(),
        };
        let plugin = seen.install(client, &signature).await?;
        done.installed.push(plugin.description.name.clone());
        if form == Form::People {
            say(told(&plugin))?;
        }
    }
    match form {
        Form::Json => say(serde_json::to_string_pretty(&done)?)?,
        Form::People => say(format!(
            "{} installed, {} as they were",
            done.installed.len(),
            done.unchanged.len()
        ))?,
    }
    Ok(())
}

/// The pinned bytes, looked at and accepted.
async fn prepare(
    client: &Client,
    lock: &Lock,
    pin: &Pin,
    arguments: &Arguments,
) -> Result<Seen, Failure> {
    let fetched = arguments.access.fetch(&lock.source(pin)?).await?;
    let seen = install::look(client, fetched).await?;
    lock.check(&seen.description)?;
    if seen.description.name != pin.name {
        return Err(Failure::new(format!(
            "what is pinned as {} calls itself {}",
            pin.name, seen.description.name
        )));
    }
    if arguments.json.form() == Form::People {
        say(seen.shown())?;
    }
    seen.accept(Consent::of(arguments.accept))?;
    Ok(seen)
}

fn told(plugin: &Plugin) -> String {
    let name = &plugin.description.name;
    let text = format!("installed {name} {}", plugin.description.version);
    match plugin.lacks.is_empty() {
        true => text,
        false => format!("{text}; it lacks grants, see: shipway plugin show {name}"),
    }
}
