//! `shipway plugin inspect`: what a component is, what it asks for and why.
//! Looks at the file, and asks it to describe itself in the sandbox, with
//! nothing granted. No engine is needed.

use std::path::PathBuf;

use clap::Args;
use serde::Serialize;
use shipway_api::words::took;
use shipway_core::plugin::Description;
use shipway_plugin_tools::inspect::{self, Inspection};

use super::test::Theatre;
use super::toolbox;
use crate::failure::Failure;
use crate::output::{JsonFlag, show};
use crate::render;
use crate::verb::plugin::source;

#[derive(Debug, Args)]
pub struct Arguments {
    /// The component, a .wasm file
    file: PathBuf,
    #[command(flatten)]
    json: JsonFlag,
}

#[derive(Debug, Serialize)]
struct Seen {
    #[serde(flatten)]
    description: Description,
    /// Until it could be called; little when it was compiled before.
    compile_ms: u64,
    file: Inspection,
}

pub async fn run(arguments: Arguments) -> Result<(), Failure> {
    let bytes = source::read(&arguments.file)?;
    let file = inspect::inspect(&bytes).map_err(anyhow::Error::new)?;
    let theatre = Theatre::open(&arguments.file, &toolbox()?).await?;
    let seen = Seen {
        description: theatre.description().clone(),
        compile_ms: theatre.compile_ms(),
        file,
    };
    show(arguments.json.form(), &seen, text)
}

fn text(seen: &Seen) -> String {
    let mut text = render::plugin::description(&seen.description);
    let contract = seen.file.contract.iter();
    let contract: Vec<String> = contract
        .map(|(name, version)| format!("{name} {version}"))
        .collect();
    let lines = [
        String::new(),
        format!("contract  {}", contract.join(", ")),
        format!("imports   {}", listed(&seen.file.imports)),
        format!("exports   {}", listed(&seen.file.exports)),
        format!("ready in  {}", took(seen.compile_ms)),
    ];
    text.push_str(&lines.join("\n"));
    text
}

fn listed(names: &[String]) -> String {
    match names {
        [] => "nothing".to_owned(),
        names => names.join("\n          "),
    }
}
