//! `shipway var`: an environment's variables, plain and secret.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use reqwest::Method;
use shipway_api::wire::page::Page;
use shipway_api::wire::variable::{Value, Variable, Visibility};
use shipway_core::environment::EnvironmentKey;
use shipway_core::secret::Secret;

use crate::client::{Client, Connection};
use crate::failure::Failure;
use crate::output::{JsonFlag, say, show};
use crate::render::settings as render;
use crate::{input, place};

/// Set, unset and list an environment's variables
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    pub connection: Connection,
    #[command(subcommand)]
    action: Action,
}

const EXAMPLES: &str = "Examples:
  shipway var set hello/live GREETING=hi
  shipway var set hello/live API_KEY --secret < key.txt
  shipway var list hello/live";

#[derive(Debug, Subcommand)]
enum Action {
    /// Set variables, for the next deployment
    ///
    /// NAME=VALUE sets a value as it stands. A NAME alone takes its value from
    /// --file or from standard input, so that it is in no shell's history:
    ///
    ///   printf %s "$KEY" | shipway var set --secret guestbook/live KEY
    #[command(verbatim_doc_comment)]
    Set {
        /// The environment, such as guestbook/live
        #[arg(value_name = "APP/ENV", value_parser = place::environment)]
        place: EnvironmentKey,
        #[arg(value_name = "NAME[=VALUE]", required = true)]
        variables: Vec<String>,
        /// The values are secret: never shown again, masked in logs
        #[arg(long)]
        secret: bool,
        /// Read the value of the one NAME from this file
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
    /// Unset variables
    Unset {
        /// The environment, such as guestbook/live
        #[arg(value_name = "APP/ENV", value_parser = place::environment)]
        place: EnvironmentKey,
        #[arg(value_name = "NAME", required = true)]
        variables: Vec<String>,
    },
    /// List the variables; a secret shows no value
    List {
        /// The environment, such as guestbook/live
        #[arg(value_name = "APP/ENV", value_parser = place::environment)]
        place: EnvironmentKey,
        #[command(flatten)]
        json: JsonFlag,
    },
}

pub async fn run(client: Client, arguments: Arguments) -> Result<(), Failure> {
    match arguments.action {
        Action::Set {
            place,
            variables,
            secret,
            file,
        } => {
            let visibility = secret.then_some(Visibility::Secret);
            let values = values(variables, file, visibility)?;
            let names: Vec<String> = values.keys().cloned().collect();
            change(&client, &place, &values).await?;
            Ok(say(format!(
                "set {}; the next deployment of {place} has it",
                names.join(", ")
            ))?)
        }
        Action::Unset { place, variables } => {
            let values = variables.iter().map(|name| (name.clone(), None)).collect();
            change(&client, &place, &values).await?;
            Ok(say(format!("unset {}", variables.join(", ")))?)
        }
        Action::List { place, json } => {
            let at = client.in_environment(&place, &["variables"]);
            let listed: Page<Variable> = at.get().await?;
            show(json.form(), &listed.items, |items| render::variables(items))
        }
    }
}

pub type Values = BTreeMap<String, Option<Value>>;

async fn change(client: &Client, place: &EnvironmentKey, values: &Values) -> Result<(), Failure> {
    let at = client.in_environment(place, &["variables"]);
    let _: Page<Variable> = at.send(Method::PATCH, values).await?;
    Ok(())
}

/// The values of the command line, and at most one from a file or a pipe.
pub fn values(
    words: Vec<String>,
    file: Option<PathBuf>,
    visibility: Option<Visibility>,
) -> Result<Values, Failure> {
    let bare: Vec<&String> = words.iter().filter(|word| !word.contains('=')).collect();
    if bare.len() > 1 {
        return Err(Failure::usage(format!(
            "{} and {} have no value here, and only one can be read from elsewhere",
            bare[0], bare[1]
        ))
        .with_hint("set them one at a time"));
    }
    if file.is_some() && bare.is_empty() {
        return Err(Failure::usage("--file is for a NAME without a value"));
    }
    let mut values = Values::new();
    for word in &words {
        let (name, value) = match word.split_once('=') {
            Some((name, value)) => (name, value.to_owned()),
            None => (word.as_str(), read(word, file.as_ref())?),
        };
        let value = Value {
            value: Secret::new(value),
            visibility,
        };
        values.insert(name.to_owned(), Some(value));
    }
    Ok(values)
}

fn read(name: &str, file: Option<&PathBuf>) -> Result<String, Failure> {
    let Some(path) = file else {
        return input::secret(&format!("value of {name}"));
    };
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("could not read {}", path.display()))?;
    Ok(text.strip_suffix('\n').unwrap_or(&text).to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_stand_on_the_line_or_come_from_one_place() {
        let words = |words: &[&str]| words.iter().map(|w| (*w).to_owned()).collect::<Vec<_>>();
        let set = values(words(&["A=1", "B=x=y"]), None, None).unwrap();
        let b = set.get("B").unwrap().as_ref().unwrap();
        assert_eq!(b.value.reveal(), "x=y");
        assert!(values(words(&["A", "B"]), None, None).is_err());
        let file = Some(PathBuf::from("/nowhere"));
        assert!(values(words(&["A=1"]), file.clone(), None).is_err());
        let failure = values(words(&["A"]), file, None).unwrap_err();
        assert_eq!(failure.heading, "could not read /nowhere");
    }
}
