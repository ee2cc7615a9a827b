//! What the shell offers when somebody presses Tab: verbs and options, and the
//! names of apps, environments and plugins, which the engine is asked for. An
//! engine that does not answer at once has no names to offer.

use std::ffi::OsStr;
use std::time::Duration;

use clap::{Arg, Command, CommandFactory};
use clap_complete::CompleteEnv;
use clap_complete::engine::{ArgValueCompleter, CompletionCandidate};
use clap_complete::env::{EnvCompleter, Shells};
use futures::future::join_all;
use serde::Deserialize;
use shipway_api::wire::page::Page;
use tokio::runtime::Builder;

use crate::client::{Client, Connection};

/// Set by the script that `shipway completions` prints.
const VARIABLE: &str = "SHIPWAY_COMPLETE";
/// Longer than this nobody waits for a word.
const PATIENCE: Duration = Duration::from_secs(1);
/// The environments of more apps are not asked for; their names are offered.
const MOST_APPS: usize = 20;

/// Answers the shell, and ends the program, if it is the shell that asks.
pub fn if_asked() {
    CompleteEnv::with_factory(command).var(VARIABLE).complete();
}

/// What a shell runs to be able to ask.
pub fn script(shell: clap_complete::Shell) -> std::io::Result<Vec<u8>> {
    let mut script = Vec::new();
    let known = Shells::builtins();
    let name = shell.to_string();
    let shell: &dyn EnvCompleter = known
        .completer(&name)
        .ok_or_else(|| std::io::Error::other(format!("there are no completions for {name}")))?;
    shell.write_registration(VARIABLE, "shipway", "shipway", "shipway", &mut script)?;
    Ok(script)
}

fn command() -> Command {
    with_names(crate::Arguments::command())
}

/// The kind of name that an argument takes is in what the help calls it.
fn with_names(command: Command) -> Command {
    let command = command.mut_args(|argument| match kind(&argument) {
        Some(Kind::App) => argument.add(ArgValueCompleter::new(apps)),
        Some(Kind::Environment) => argument.add(ArgValueCompleter::new(environments)),
        Some(Kind::Plugin) => argument.add(ArgValueCompleter::new(plugins)),
        None => argument,
    });
    command.mut_subcommands(with_names)
}

enum Kind {
    App,
    Environment,
    Plugin,
}

fn kind(argument: &Arg) -> Option<Kind> {
    let called = argument.get_value_names()?.first()?.as_str();
    match called {
        _ if called.split('|').any(|one| one == "APP/ENV") => Some(Kind::Environment),
        "APP" => Some(Kind::App),
        "PLUGIN" => Some(Kind::Plugin),
        _ => None,
    }
}

/// Of anything that is listed, its name.
#[derive(Debug, Deserialize)]
struct Named {
    name: String,
}

fn apps(begun: &OsStr) -> Vec<CompletionCandidate> {
    offered(begun, async |client, _| names(&client, &["apps"]).await)
}

fn plugins(begun: &OsStr) -> Vec<CompletionCandidate> {
    offered(begun, async |client, _| names(&client, &["plugins"]).await)
}

fn environments(begun: &OsStr) -> Vec<CompletionCandidate> {
    offered(begun, async |client, begun| {
        let mut apps = match begun.split_once('/') {
            Some((app, _)) => vec![app.to_owned()],
            None => names(&client, &["apps"]).await,
        };
        apps.retain(|app| app.starts_with(&begun) || begun.contains('/'));
        if apps.len() > MOST_APPS {
            return apps.into_iter().map(|app| app + "/").collect();
        }
        let all = apps.iter().map(async |app| {
            let path = ["apps", app, "environments"];
            let names = names(&client, &path).await.into_iter();
            names
                .map(|name| format!("{app}/{name}"))
                .collect::<Vec<_>>()
        });
        join_all(all).await.concat()
    })
}

/// None where something goes wrong: a shell has no place to say it.
async fn names(client: &Client, path: &[&str]) -> Vec<String> {
    let page: Result<Page<Named>, _> = client.at(path).get().await;
    let items = page.map(|page| page.items).unwrap_or_default();
    items.into_iter().map(|it| it.name).collect()
}

/// The names that begin as the word does.
fn offered(
    begun: &OsStr,
    ask: impl AsyncFnOnce(Client, String) -> Vec<String>,
) -> Vec<CompletionCandidate> {
    let Some(begun) = begun.to_str() else {
        return Vec::new();
    };
    let asked = async {
        let client = Client::new(&Connection::said_in(std::env::args())).ok()?;
        let asked = ask(client, begun.to_owned());
        tokio::time::timeout(PATIENCE, asked).await.ok()
    };
    let runtime = Builder::new_current_thread().enable_all().build();
    let names = runtime.ok().and_then(|runtime| runtime.block_on(asked));
    let names = names.unwrap_or_default().into_iter();
    let fitting = names.filter(|name| name.starts_with(begun));
    fitting.map(CompletionCandidate::new).collect()
}
