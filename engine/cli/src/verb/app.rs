//! `shipway app`: apps, and where their code comes from.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, Subcommand};
use reqwest::Method;
use shipway_api::wire::app::{App, AppPatch, NewApp};
use shipway_api::wire::page::Page;
use shipway_core::app::{Credentials, PUSHED};
use shipway_core::name::AppName;
use shipway_core::secret::Secret;

use crate::client::{Client, Connection};
use crate::failure::Failure;
use crate::input;
use crate::output::{JsonFlag, say, show};
use crate::render::settings as render;

/// Make, show, change and delete apps
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    pub connection: Connection,
    #[command(subcommand)]
    action: Action,
}

const EXAMPLES: &str = "Examples:
  shipway app create hello --repository https://git.example.com/hello.git
  shipway app list
  shipway app set hello --reference release
  shipway app delete hello --yes";

#[derive(Debug, Subcommand)]
enum Action {
    /// Make an app from a Git repository, or one that is pushed to
    Create {
        app: AppName,
        /// URL or path of the Git repository [default: what `git push` brings
        /// to this server]
        #[arg(long, value_name = "URL", default_value = PUSHED, hide_default_value = true)]
        repository: String,
        /// What is deployed when nobody says otherwise [default: main]
        #[arg(long)]
        reference: Option<String>,
        /// Reuse the images of this app and never build a commit twice
        #[arg(long, value_name = "APP")]
        mirror_of: Option<AppName>,
        #[command(flatten)]
        credentials: CredentialArguments,
        #[command(flatten)]
        json: JsonFlag,
    },
    /// List the apps
    List {
        #[command(flatten)]
        json: JsonFlag,
    },
    /// Show an app
    Show {
        app: AppName,
        #[command(flatten)]
        json: JsonFlag,
    },
    /// Change an app
    Set {
        app: AppName,
        #[arg(long, value_name = "URL")]
        repository: Option<String>,
        #[arg(long)]
        reference: Option<String>,
        #[arg(long, value_name = "APP", conflicts_with = "no_mirror")]
        mirror_of: Option<AppName>,
        /// Build for itself again
        #[arg(long)]
        no_mirror: bool,
        /// Forget the credentials
        #[arg(long, conflicts_with_all = ["git_user", "git_key"])]
        no_credentials: bool,
        #[command(flatten)]
        credentials: CredentialArguments,
        #[command(flatten)]
        json: JsonFlag,
    },
    /// Stop an app everywhere and delete it, with its environments and logs
    Delete {
        app: AppName,
        /// Do not ask
        #[arg(long)]
        yes: bool,
    },
}

/// How the app proves itself to its Git host. Secrets are read from standard
/// input or a file, so that they are in no shell's history.
#[derive(Debug, Args)]
struct CredentialArguments {
    /// User of the Git host; the password or access token is read from standard input
    #[arg(long, value_name = "USER")]
    git_user: Option<String>,
    /// File with an OpenSSH private key, for ssh
    #[arg(long, value_name = "FILE")]
    git_key: Option<PathBuf>,
    /// File with `known_hosts` lines that the Git host's key must be among
    #[arg(long, value_name = "FILE", requires = "git_key")]
    known_hosts: Option<PathBuf>,
}

impl CredentialArguments {
    fn read(self) -> Result<Option<Credentials>, Failure> {
        let user = self.git_user;
        let Some(key) = self.git_key else {
            let read = |username| {
                let password = Secret::new(input::secret("password or access token")?);
                Ok(Credentials::Password { username, password })
            };
            return user.map(read).transpose();
        };
        let read = |path: &PathBuf| {
            let text = std::fs::read_to_string(path);
            text.with_context(|| format!("could not read {}", path.display()))
        };
        Ok(Some(Credentials::Key {
            username: user.unwrap_or_else(|| "git".to_owned()),
            private_key: Secret::new(read(&key)?),
            passphrase: std::env::var("SHIPWAY_GIT_PASSPHRASE")
                .ok()
                .map(Secret::new),
            known_hosts: self.known_hosts.as_ref().map(read).transpose()?,
        }))
    }
}

pub async fn run(client: Client, arguments: Arguments) -> Result<(), Failure> {
    match arguments.action {
        Action::Create {
            app,
            repository,
            reference,
            mirror_of,
            credentials,
            json,
        } => {
            let new = NewApp {
                name: app,
                repository,
                default_reference: reference,
                credentials: credentials.read()?,
                mirror_of,
            };
            let made: App = client.at(&["apps"]).send(Method::POST, &new).await?;
            show(json.form(), &made, |made| {
                render::app(made) + &how_to_push(made, client.server())
            })
        }
        Action::List { json } => {
            let apps: Page<App> = client.at(&["apps"]).get().await?;
            show(json.form(), &apps.items, |apps| render::apps(apps))
        }
        Action::Show { app, json } => {
            let app: App = client.at(&["apps", app.as_str()]).get().await?;
            show(json.form(), &app, render::app)
        }
        Action::Set {
            app,
            repository,
            reference,
            mirror_of,
            no_mirror,
            no_credentials,
            credentials,
            json,
        } => {
            let credentials = credentials.read()?;
            let patch = AppPatch {
                repository,
                default_reference: reference,
                credentials: (no_credentials || credentials.is_some()).then_some(credentials),
                mirror_of: (no_mirror || mirror_of.is_some()).then_some(mirror_of),
            };
            let at = client.at(&["apps", app.as_str()]);
            let changed: App = at.send(Method::PATCH, &patch).await?;
            show(json.form(), &changed, render::app)
        }
        Action::Delete { app, yes } => {
            let what = format!("stop app {app} everywhere and delete it with its logs");
            input::confirm(&what, app.as_str(), yes)?;
            client
                .at(&["apps", app.as_str()])
                .patiently()
                .delete()
                .await?;
            Ok(say(format!("deleted {app}"))?)
        }
    }
}

/// Where an app is pushed that has no repository elsewhere.
fn how_to_push(app: &App, server: &str) -> String {
    match app.repository == PUSHED {
        true => format!(
            "\n\nPush to it: git remote add shipway {server}/git/{}/ENV.git",
            app.name
        ),
        false => String::new(),
    }
}
