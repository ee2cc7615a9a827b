//! `shipway webhook`: what Git hosts may tell the engine, and what deploys then.

use clap::{Args, Subcommand};
use reqwest::Method;
use shipway_api::wire::page::Page;
use shipway_api::wire::webhook::{CreatedWebhook, NewWebhook, Webhook};
use shipway_core::name::{AppName, WebhookId};
use shipway_core::secret::Secret;
use shipway_core::webhook::{Provider, ReferenceKind, Rule};

use crate::client::{Client, Connection};
use crate::failure::Failure;
use crate::output::{JsonFlag, say, show};
use crate::{clock, input, place, render};

/// Deploy when something is pushed to a Git host
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  shipway webhook add shop --provider github --branch main=live --branch 'release/*=test'
  shipway webhook list shop

Enter the address and the secret that `add` prints at the Git host.")]
pub struct Arguments {
    #[command(flatten)]
    pub connection: Connection,
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// Make a webhook and print its address and its secret, this once
    Add {
        app: AppName,
        /// Who sends: github, gitlab, gitea (Forgejo too), bitbucket, or plain
        #[arg(long, value_parser = place::word::<Provider>)]
        provider: Provider,
        /// Deploy pushes to this branch to this environment; repeat it for
        /// more. A branch may be a glob
        #[arg(long, value_name = "BRANCH=ENV", value_parser = place::pair)]
        branch: Vec<(String, String)>,
        /// The same for tags
        #[arg(long, value_name = "TAG=ENV", value_parser = place::pair)]
        tag: Vec<(String, String)>,
        /// The repository that deliveries name, where it is another address
        /// than the app's
        #[arg(long, value_name = "URL")]
        repository: Option<String>,
        /// Read the secret from standard input instead of making one
        #[arg(long)]
        secret: bool,
        #[command(flatten)]
        json: JsonFlag,
    },
    /// List an app's webhooks
    List {
        app: AppName,
        #[command(flatten)]
        json: JsonFlag,
    },
    /// Remove a webhook; what is sent to it is refused from now on
    Remove {
        app: AppName,
        #[arg(value_name = "ID")]
        webhook: WebhookId,
    },
}

pub async fn run(client: Client, arguments: Arguments) -> Result<(), Failure> {
    match arguments.action {
        Action::Add {
            app,
            provider,
            branch,
            tag,
            repository,
            secret,
            json,
        } => {
            let mut rules = rules(ReferenceKind::Branch, branch)?;
            rules.extend(self::rules(ReferenceKind::Tag, tag)?);
            if rules.is_empty() {
                return Err(Failure::usage("a webhook without a rule would do nothing")
                    .with_hint("say which branch deploys where, such as --branch main=live"));
            }
            let secret = match secret {
                true => Some(Secret::new(input::secret("secret of the webhook")?)),
                false => None,
            };
            let new = NewWebhook {
                provider,
                rules,
                repository,
                secret,
            };
            let at = client.at(&["apps", app.as_str(), "webhooks"]);
            let made: CreatedWebhook = at.send(Method::POST, &new).await?;
            show(json.form(), &made, |made| {
                render::webhook::created(made, client.server())
            })
        }
        Action::List { app, json } => {
            let at = client.at(&["apps", app.as_str(), "webhooks"]);
            let webhooks: Page<Webhook> = at.get().await?;
            show(json.form(), &webhooks.items, |webhooks| {
                render::webhook::list(webhooks, clock::now())
            })
        }
        Action::Remove { app, webhook } => {
            let parts = ["apps", app.as_str(), "webhooks", webhook.as_str()];
            client.at(&parts).delete().await?;
            Ok(say(format!("removed {webhook}"))?)
        }
    }
}

fn rules(kind: ReferenceKind, pairs: Vec<(String, String)>) -> Result<Vec<Rule>, Failure> {
    let rules = pairs
        .iter()
        .map(|(pattern, environment)| Rule::of(kind, pattern, environment));
    let rules = rules.collect::<Result<_, _>>();
    rules.map_err(|error| Failure::usage(error.to_string()))
}
