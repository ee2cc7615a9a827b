//! `shipway login`: know a server by a name, with a token for it.

use std::path::PathBuf;

use clap::Args;
use shipway_api::wire::token::Token;
use shipway_core::secret::Secret;
use url::Url;

use crate::client::Client;
use crate::contexts::{Context, ContextName, Contexts};
use crate::failure::Failure;
use crate::input;
use crate::output::{note, say};
use crate::whereabouts::{is_loopback, parse_server, shown};

/// Know a server by a name, with a token for it, and make it the current one
///
/// The token is asked for without an echo, or read from standard input or a file,
/// so that it is in no shell's history. It is kept only if the server knows it.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, after_help = EXAMPLES)]
pub struct Arguments {
    /// Where the API answers [default: the context's, when it is known]
    #[arg(value_name = "URL")]
    server: Option<String>,
    /// What to call it [default: the server's host; without a URL the current context]
    #[arg(long, value_name = "NAME")]
    context: Option<ContextName>,
    /// Read the token from this file
    #[arg(long, value_name = "FILE")]
    token_file: Option<PathBuf>,
    /// Say more about what goes wrong
    #[arg(long, short)]
    pub verbose: bool,
}

const EXAMPLES: &str = "Examples:
  shipway login https://deploy.example.com
  shipway login https://deploy.example.com --context team < token.txt
  shipway login --context team          # the same server, another token";

pub async fn run(arguments: Arguments) -> Result<(), Failure> {
    let path = Contexts::path()?;
    let contexts = Contexts::read(&path)?;
    let (name, server) = which(&arguments, &contexts)?;
    if server.scheme() == "http" && !is_loopback(&server) {
        note(format!(
            "warning: {} has no TLS; whoever is on the way can read the token",
            shown(&server)
        ))?;
    }
    let token = read_token(&arguments)?;
    let client = Client::to(server.clone(), token.clone())?;
    let known: Token = client.at(&["token"]).get().await?;

    // Read again: another `login` may have written while this one asked.
    let mut contexts = Contexts::read(&path)?;
    let context = Context {
        server: shown(&server).to_owned(),
        token: Some(token),
    };
    contexts.all.insert(name.clone(), context);
    contexts.choose(&name);
    contexts.write(&path)?;
    Ok(say(format!(
        "logged in to {} with token {:?}: {}\ncontext {name} is the current one",
        shown(&server),
        known.name,
        may(&known)
    ))?)
}

fn read_token(said: &Arguments) -> Result<Secret, Failure> {
    let text = input::secret_from("token", said.token_file.as_deref())?;
    if text.chars().all(|c| c.is_ascii_graphic()) {
        return Ok(Secret::new(text));
    }
    Err(Failure::usage("that is no token")
        .with_hint("a token is one word, as `shipway token create` prints it"))
}

/// The name and the server: as they are said, or as they are known.
fn which(said: &Arguments, contexts: &Contexts) -> Result<(ContextName, Url), Failure> {
    let server = said.server.as_deref().map(parse_server).transpose()?;
    let name = match (&said.context, &server) {
        (Some(name), _) => Some(name.clone()),
        (None, Some(server)) => ContextName::of_server(server),
        (None, None) => contexts.current.clone(),
    };
    let name = name.ok_or_else(|| {
        Failure::usage("which server?").with_hint("shipway login https://deploy.example.com")
    })?;
    if name.is_local() {
        return Err(Failure::usage("`local` is the engine of this machine")
            .with_hint("`shipway serve` writes its token; choose another name"));
    }
    let server = match server {
        Some(server) => server,
        None => parse_server(&contexts.get(&name)?.server)?,
    };
    Ok((name, server))
}

/// `scope deploy, apps hello, shop, until 2027-01-01T00:00:00Z`.
pub fn may(token: &Token) -> String {
    let apps: Vec<&str> = token.apps.iter().map(|app| app.as_str()).collect();
    let apps = match apps.is_empty() {
        true => "all apps".to_owned(),
        false => format!("apps {}", apps.join(", ")),
    };
    let until = token
        .expires_at
        .map(|at| format!(", until {}", at.to_the_second()));
    format!("scope {}, {apps}{}", token.scope, until.unwrap_or_default())
}
