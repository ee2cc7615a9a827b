//! `shipway release`: the ordered, labelled release commands of the settings.

use std::num::NonZeroUsize;

use clap::{Args, Subcommand};
use reqwest::Method;
use shipway_api::wire::page::Page;
use shipway_api::wire::release_command::{Move, NewCommand};
use shipway_core::environment::EnvironmentKey;
use shipway_core::name::Label;
use shipway_core::release::{CancelPolicy, Invocation, Phase, SettingsCommand, When};

use crate::client::{Client, Connection};
use crate::failure::Failure;
use crate::output::{Form, JsonFlag, show};
use crate::place::{self, seconds, word};
use crate::render::settings as render;

/// Add, list, move and remove an environment's release commands
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    #[command(flatten)]
    pub connection: Connection,
    #[command(subcommand)]
    action: Action,
}

const EXAMPLES: &str = "Examples:
  shipway release add hello/live \"Migrate\" -- \"python3 manage.py migrate\"
  shipway release move hello/live \"Migrate\" 1
  shipway release list hello/live";

#[derive(Debug, Subcommand)]
enum Action {
    /// Add a command; one word goes through a shell, several are a program and its arguments
    ///
    ///   shipway release add guestbook/live "Migrate" -- "python manage.py migrate"
    #[command(verbatim_doc_comment)]
    Add {
        /// The environment, such as guestbook/live
        #[arg(value_name = "APP/ENV", value_parser = place::environment)]
        place: EnvironmentKey,
        /// What people call it; unique in the environment
        label: Label,
        /// What runs
        #[arg(required = true, last = true)]
        command: Vec<String>,
        /// When: release, gate, after or failed
        #[arg(long, value_parser = word::<Phase>, default_value = "release")]
        phase: Phase,
        /// Its place in the list, from 1 [default: at the end]
        #[arg(long, value_name = "N")]
        position: Option<NonZeroUsize>,
        /// How long it may take, such as 90s or 1h [default: 30m]
        #[arg(long, value_parser = seconds, value_name = "TIME")]
        timeout: Option<u32>,
        /// In which deployments: always, first-deploy or once
        #[arg(long, value_parser = word::<When>, default_value = "always")]
        when: When,
        /// Whether it is stopped when its deployment is cancelled: allowed or
        /// never
        #[arg(long, value_parser = word::<CancelPolicy>, default_value = "allowed")]
        cancel: CancelPolicy,
        /// A command for a shell that takes it back when a later step fails
        #[arg(long, value_name = "COMMAND")]
        undo: Option<String>,
        /// Take the place of the command that has this label
        #[arg(long)]
        replace: bool,
        #[command(flatten)]
        json: JsonFlag,
    },
    /// List the commands in their order
    List {
        /// The environment, such as guestbook/live
        #[arg(value_name = "APP/ENV", value_parser = place::environment)]
        place: EnvironmentKey,
        #[command(flatten)]
        json: JsonFlag,
    },
    /// Move a command to another place in the list
    Move {
        /// The environment, such as guestbook/live
        #[arg(value_name = "APP/ENV", value_parser = place::environment)]
        place: EnvironmentKey,
        label: Label,
        /// From 1; beyond the end means the end
        position: NonZeroUsize,
        #[command(flatten)]
        json: JsonFlag,
    },
    /// Remove a command
    Remove {
        /// The environment, such as guestbook/live
        #[arg(value_name = "APP/ENV", value_parser = place::environment)]
        place: EnvironmentKey,
        label: Label,
        #[command(flatten)]
        json: JsonFlag,
    },
}

pub async fn run(client: Client, arguments: Arguments) -> Result<(), Failure> {
    match arguments.action {
        Action::Add {
            place,
            label,
            command,
            phase,
            position,
            timeout,
            when,
            cancel,
            undo,
            replace,
            json,
        } => {
            let new = NewCommand {
                label: label.clone(),
                run: invocation(command),
                phase,
                timeout_seconds: timeout,
                when,
                cancel,
                undo: undo.map(Invocation::Shell),
                position,
            };
            let (method, parts) = match replace {
                true => (Method::PUT, vec!["release-commands", label.as_str()]),
                false => (Method::POST, vec!["release-commands"]),
            };
            let at = client.in_environment(&place, &parts);
            listed(at.send(method, &new).await?, json.form())
        }
        Action::List { place, json } => {
            let at = client.in_environment(&place, &["release-commands"]);
            listed(at.get().await?, json.form())
        }
        Action::Move {
            place,
            label,
            position,
            json,
        } => {
            let parts = ["release-commands", label.as_str(), "move"];
            let at = client.in_environment(&place, &parts);
            let moved = at.send(Method::POST, &Move { position }).await?;
            listed(moved, json.form())
        }
        Action::Remove { place, label, json } => {
            let parts = ["release-commands", label.as_str()];
            client.in_environment(&place, &parts).delete().await?;
            let at = client.in_environment(&place, &["release-commands"]);
            listed(at.get().await?, json.form())
        }
    }
}

fn listed(commands: Page<SettingsCommand>, form: Form) -> Result<(), Failure> {
    show(form, &commands.items, |items| {
        render::release_commands(items)
    })
}

/// One word is a line for a shell; several are a program and its arguments.
fn invocation(words: Vec<String>) -> Invocation {
    match <[String; 1]>::try_from(words) {
        Ok([line]) => Invocation::Shell(line),
        Err(words) => Invocation::Argv(words),
    }
}
