//! `shipway logout`: forget the token for a server.

use clap::Args;

use crate::contexts::{ContextName, Contexts};
use crate::failure::Failure;
use crate::output::say;

/// Forget the token for a server; its context stays
///
/// The token itself goes on working until `shipway token delete` ends it.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, after_help = EXAMPLES)]
pub struct Arguments {
    /// Which one [default: the current one]
    #[arg(long, value_name = "NAME")]
    context: Option<ContextName>,
}

const EXAMPLES: &str = "Examples:
  shipway logout
  shipway logout --context team";

pub fn run(arguments: Arguments) -> Result<(), Failure> {
    let path = Contexts::path()?;
    let mut contexts = Contexts::read(&path)?;
    let name = arguments.context.or_else(|| contexts.current.clone());
    let name = name.unwrap_or_else(ContextName::local);
    if name.is_local() {
        return Err(Failure::usage(
            "the token of the engine of this machine is in the file that `shipway serve` wrote",
        )
        .with_hint("it may be the only one; make another with `shipway token create` first, then remove the file"));
    }
    contexts.get(&name)?;
    let had = match contexts.all.get_mut(&name) {
        Some(context) => context.token.take().is_some(),
        None => false,
    };
    contexts.write(&path)?;
    Ok(say(match had {
        true => format!("forgot the token for context {name}"),
        false => format!("there was no token for context {name}"),
    })?)
}
