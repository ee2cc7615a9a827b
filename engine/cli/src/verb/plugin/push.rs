//! `shipway plugin push`: a component to a registry. No engine is asked.

use std::path::PathBuf;

use clap::Args;
use shipway_plugin_registry::Address;

use super::source::{self, Access, address};
use crate::failure::Failure;
use crate::output::{Form, JsonFlag, say};

#[derive(Debug, Args)]
pub struct Arguments {
    /// The component, a .wasm file
    file: PathBuf,
    /// Where to: oci://REGISTRY/NAME[:TAG]
    #[arg(value_name = "oci://…", value_parser = address)]
    to: Address,
    #[command(flatten)]
    json: JsonFlag,
    #[command(flatten)]
    access: Access,
}

pub async fn run(arguments: Arguments) -> Result<(), Failure> {
    if arguments.to.digest().is_some() {
        return Err(
            Failure::usage("the digest comes from what is pushed, and cannot be chosen")
                .with_hint("name a tag, or nothing for `latest`"),
        );
    }
    let bytes = source::read(&arguments.file)?;
    let address = arguments.access.push(bytes, &arguments.to).await?;
    let text = match arguments.json.form() {
        Form::People => format!("pushed {address}"),
        Form::Json => serde_json::to_string_pretty(&serde_json::json!({
            "address": address.to_string(),
            "digest": address.digest(),
        }))?,
    };
    Ok(say(text)?)
}
