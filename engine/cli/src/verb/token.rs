//! `shipway token`: who may ask the API for what.

use std::time::Duration;

use clap::{Args, Subcommand};
use reqwest::Method;
use shipway_api::wire::page::Page;
use shipway_api::wire::token::{CreatedToken, NewToken, Token};
use shipway_core::name::AppName;
use shipway_core::token::Scope;

use crate::client::{Client, Connection};
use crate::failure::Failure;
use crate::output::{Form, JsonFlag, note, say, show};
use crate::place::{seconds, word};
use crate::{clock, render};

/// Make, list and delete the API's tokens
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    pub connection: Connection,
    #[command(subcommand)]
    action: Action,
}

const EXAMPLES: &str = "Examples:
  shipway token create ci --scope deploy --app hello
  shipway token list
  shipway token delete ci";

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a token and print it, this once
    Create {
        /// What people call it
        name: String,
        /// What it may do: read, deploy or admin
        #[arg(long, value_parser = word::<Scope>, default_value = "deploy")]
        scope: Scope,
        /// Limit it to this app; repeat it for more [default: all]
        #[arg(long)]
        app: Vec<AppName>,
        /// Refuse it after this time, such as 90d [default: never]
        #[arg(long, value_parser = seconds, value_name = "TIME")]
        expires: Option<u32>,
        #[command(flatten)]
        json: JsonFlag,
    },
    /// List the tokens
    List {
        #[command(flatten)]
        json: JsonFlag,
    },
    /// Delete a token; whoever holds it is refused from now on
    Delete { name: String },
}

fn lasting(seconds: u32) -> Duration {
    Duration::from_secs(u64::from(seconds))
}

pub async fn run(client: Client, arguments: Arguments) -> Result<(), Failure> {
    match arguments.action {
        Action::Create {
            name,
            scope,
            app,
            expires,
            json,
        } => {
            let new = NewToken {
                name,
                scope,
                apps: app,
                expires_at: expires.map(|seconds| clock::now().later(lasting(seconds))),
            };
            let made: CreatedToken = client.at(&["tokens"]).send(Method::POST, &new).await?;
            if json.form() == Form::People {
                note(format!(
                    "token {:?} with scope {scope}, shown this once:",
                    made.kept.name
                ))?;
            }
            show(json.form(), &made, |made| made.token.reveal().to_owned())
        }
        Action::List { json } => {
            let tokens: Page<Token> = client.at(&["tokens"]).get().await?;
            show(json.form(), &tokens.items, |tokens| {
                render::settings::tokens(tokens, clock::now())
            })
        }
        Action::Delete { name } => {
            client.at(&["tokens", &name]).delete().await?;
            Ok(say(format!("deleted {name}"))?)
        }
    }
}
