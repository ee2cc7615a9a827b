//! `shipway context`: the servers that `login` knows.

use std::path::Path;

use clap::{Args, Subcommand};
use serde::Serialize;

use crate::contexts::{ContextName, Contexts};
use crate::credentials;
use crate::failure::Failure;
use crate::output::{JsonFlag, say, show, table};
use crate::whereabouts::{Connection, Whereabouts, shown};

/// List the servers that `login` knows, and choose among them
///
/// `local` is the engine of this machine. What a verb asks is, in this order:
///
///   --context NAME
///   --server URL, else SHIPWAY_SERVER
///   --credentials FILE, else SHIPWAY_CREDENTIALS: the server in that file
///   SHIPWAY_CONTEXT
///   the current context
///
/// Without --context, SHIPWAY_TOKEN is the token; else it is the one that is kept
/// for that very server.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, after_help = EXAMPLES)]
pub struct Arguments {
    #[command(subcommand)]
    action: Action,
}

const EXAMPLES: &str = "Examples:
  shipway context list
  shipway context use team
  shipway context show --context team";

#[derive(Debug, Subcommand)]
enum Action {
    /// List the contexts; a star marks the current one
    List {
        #[command(flatten)]
        json: JsonFlag,
    },
    /// Make a context the current one
    Use {
        /// As `context list` shows it
        name: ContextName,
    },
    /// Show which server the next verb asks, and who said so
    Show {
        #[command(flatten)]
        connection: Connection,
        #[command(flatten)]
        json: JsonFlag,
    },
    /// Forget a context and its token
    Remove {
        /// As `context list` shows it
        name: ContextName,
    },
}

/// A context, without its token.
#[derive(Debug, Serialize)]
struct Listed {
    name: ContextName,
    server: String,
    current: bool,
    token: Kept,
}

#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "kebab-case")]
enum Kept {
    Kept,
    None,
}

impl Kept {
    fn of<T>(token: Option<&T>) -> Self {
        token.map_or(Self::None, |_| Self::Kept)
    }

    fn word(self) -> String {
        match self {
            Self::Kept => "kept".to_owned(),
            Self::None => "none".to_owned(),
        }
    }
}

pub fn run(arguments: Arguments) -> Result<(), Failure> {
    let path = Contexts::path()?;
    match arguments.action {
        Action::List { json } => {
            let all = list(&path, &credentials::default_path()?)?;
            show(json.form(), &all, |all| render(all))
        }
        Action::Use { name } => choose(&path, &name),
        Action::Show { connection, json } => {
            let found = Whereabouts::find(&connection)?;
            let next = Next {
                server: shown(&found.server).to_owned(),
                because: found.because.to_string(),
                token: Kept::of(found.token.as_ref()),
            };
            show(json.form(), &next, |next| {
                let token = next.token.word();
                format!(
                    "server   {}\nbecause  {}\ntoken    {token}",
                    next.server, next.because
                )
            })
        }
        Action::Remove { name } => remove(&path, &name),
    }
}

/// What the next verb asks.
#[derive(Debug, Serialize)]
struct Next {
    server: String,
    because: String,
    token: Kept,
}

fn list(path: &Path, credentials: &Path) -> Result<Vec<Listed>, Failure> {
    let contexts = Contexts::read(path)?;
    let local = credentials::read(credentials)?;
    let local = local.map(|file| Listed {
        name: ContextName::local(),
        server: file.server,
        current: contexts.is_current(&ContextName::local()),
        token: Kept::Kept,
    });
    let others = contexts.all.iter().map(|(name, context)| Listed {
        name: name.clone(),
        server: context.server.clone(),
        current: contexts.is_current(name),
        token: Kept::of(context.token.as_ref()),
    });
    Ok(local.into_iter().chain(others).collect())
}

fn render(all: &[Listed]) -> String {
    if all.is_empty() {
        return "no contexts; `shipway login URL` makes one, and `shipway serve` the one of this machine"
            .to_owned();
    }
    table(
        ["", "CONTEXT", "SERVER", "TOKEN"],
        all.iter().map(|one| {
            let mark = if one.current { "*" } else { "" };
            [
                mark.to_owned(),
                one.name.to_string(),
                one.server.clone(),
                one.token.word(),
            ]
        }),
    )
}

fn choose(path: &Path, name: &ContextName) -> Result<(), Failure> {
    let mut contexts = Contexts::read(path)?;
    if !name.is_local() {
        contexts.get(name)?;
    }
    contexts.choose(name);
    contexts.write(path)?;
    Ok(say(format!("context {name} is the current one"))?)
}

fn remove(path: &Path, name: &ContextName) -> Result<(), Failure> {
    let mut contexts = Contexts::read(path)?;
    if name.is_local() {
        return Err(
            Failure::usage("`local` is the engine of this machine, and is always there")
                .with_hint("`shipway context use NAME` makes another the current one"),
        );
    }
    contexts.get(name)?;
    contexts.all.remove(name);
    let was_current = contexts.is_current(name);
    if was_current {
        contexts.choose(&ContextName::local());
    }
    contexts.write(path)?;
    say(format!("removed context {name}"))?;
    match was_current {
        true => Ok(say("context local is the current one")?),
        false => Ok(()),
    }
}
