//! `shipway plugin add`: installs, shows what is asked for, grants what the
//! operator says and nothing else.

use std::io::{self, BufRead, IsTerminal};
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use shipway_api::wire::plugin::Plugin;

use super::grant::{self, What};
use crate::client::Client;
use crate::failure::Failure;
use crate::output::{Form, JsonFlag, note, say, show};
use crate::render;

/// The API takes no larger component.
const LARGEST: u64 = 64 * 1024 * 1024;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The component, a .wasm file
    file: PathBuf,
    /// Grant all that it asks for
    #[arg(long, alias = "yes")]
    grant_requested: bool,
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    json: JsonFlag,
}

pub async fn run(client: &Client, arguments: Arguments) -> Result<(), Failure> {
    let form = arguments.json.form();
    let bytes = read(&arguments.file)?;
    let at = client.at(&["plugins"]);
    let mut plugin: Plugin = at.patiently().upload(bytes).await?;
    if form == Form::People {
        say(render::plugin::description(&plugin.description))?;
    }
    if arguments.grant_requested {
        plugin = grant::requested(client, plugin).await?;
    }
    let named = !arguments.what.is_empty();
    if named {
        plugin = grant::more(client, &plugin.description.name, arguments.what).await?;
    }
    let decided = named || arguments.grant_requested || form == Form::Json;
    if !decided && !plugin.lacks.is_empty() && ask()? {
        plugin = grant::requested(client, plugin).await?;
    }
    show(form, &plugin, summary)
}

pub fn read(path: &Path) -> Result<Vec<u8>, Failure> {
    let problem = || format!("could not read {}", path.display());
    let size = std::fs::metadata(path).with_context(problem)?.len();
    if size > LARGEST {
        return Err(Failure::usage(format!(
            "{} is larger than a component may be (64 MiB)",
            path.display()
        )));
    }
    Ok(std::fs::read(path).with_context(problem)?)
}

/// Only somebody at a terminal can answer; nobody there means no.
fn ask() -> Result<bool, Failure> {
    if !io::stdin().is_terminal() {
        return Ok(false);
    }
    note("Grant all of this? [y/N]")?;
    let mut answer = String::new();
    io::stdin().lock().read_line(&mut answer)?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// What was granted, and what was not.
fn summary(plugin: &Plugin) -> String {
    let name = &plugin.description.name;
    let mut text = format!(
        "installed {name} {}; granted:\n{}",
        plugin.description.version,
        render::plugin::grants(&plugin.grants)
    );
    if plugin.lacks.is_empty() {
        return text;
    }
    text.push_str("\nnot granted:");
    for lack in &plugin.lacks {
        text.push_str("\n  ");
        text.push_str(&render::plugin::request(lack));
    }
    text.push_str(&format!(
        "\nto grant what it asks for: shipway plugin grant {name} --requested"
    ));
    let in_settings = plugin
        .lacks
        .iter()
        .flat_map(|request| &request.targets)
        .find_map(|target| target.strip_prefix("setting:"));
    if let Some(setting) = in_settings {
        text.push_str(&format!(
            "\nit names the origin in a setting, so first: shipway plugin set {name} {setting}=URL"
        ));
    }
    text
}
