//! The verbs, one file each. `serve`, `proxy`, `supervise`, `compile-plugin`
//! and `push-hook` do the work; every other verb asks the API for it.

mod compile_plugin;
mod proxy;
mod push_hook;
mod serve;
mod supervise;

mod app;
mod audit;
mod cancel;
mod completions;
mod context;
mod deploy;
mod doctor;
mod env;
mod events;
mod history;
mod init;
mod key;
mod login;
mod logout;
mod logs;
mod man;
mod plan;
mod plugin;
mod promote;
mod release;
mod rollback;
mod status;
mod token;
mod var;
mod webhook;

mod target;

use std::process::ExitCode;

use anyhow::Context;
use clap::Subcommand;
use tokio::runtime::Builder;

pub use self::login::may;
use self::plugin::author::{self, Detail};
use self::plugin::push;
use crate::client::{Client, Connection};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::note;
use crate::spans::Spans;

#[derive(Debug, Subcommand)]
pub enum Verb {
    Serve(Box<serve::Arguments>),
    Proxy(proxy::Arguments),
    /// Keep one instance of the process runtime (started by the engine)
    #[command(hide = true)]
    Supervise,
    /// Compile one plugin (started by the engine)
    #[command(hide = true)]
    CompilePlugin,
    /// Ask the engine about a push (started by Git)
    #[command(hide = true)]
    PushHook,

    Init(init::Arguments),
    App(app::Arguments),
    Env(Box<env::Arguments>),
    Var(var::Arguments),
    Release(release::Arguments),

    Plan(plan::Arguments),
    Deploy(deploy::Arguments),
    Rollback(rollback::Arguments),
    Promote(promote::Arguments),
    Status(status::Arguments),
    History(history::Arguments),
    Logs(logs::Arguments),
    Events(events::Arguments),
    Cancel(cancel::Arguments),

    Plugin(plugin::Arguments),
    Token(token::Arguments),
    Key(key::Arguments),

    Login(login::Arguments),
    Logout(logout::Arguments),
    Context(context::Arguments),
    Doctor(doctor::Arguments),
    Webhook(webhook::Arguments),
    Audit(audit::Arguments),
    Completions(completions::Arguments),
    Man(man::Arguments),
}

/// Runs a verb; its exit code tells the ending.
pub fn run(verb: Verb) -> ExitCode {
    match verb {
        Verb::Serve(arguments) => in_background(*arguments),
        Verb::Proxy(arguments) => tell(proxy::run(arguments), false),
        Verb::Supervise => supervise::run(),
        Verb::CompilePlugin => compile_plugin::run(),
        Verb::Init(it) => tell(init::run(&it), false),
        Verb::PushHook => push_hook::run(),
        Verb::App(it) => ask(it.connection.clone(), |client| app::run(client, it)),
        Verb::Env(it) => ask(it.connection.clone(), |client| env::run(client, *it)),
        Verb::Var(it) => ask(it.connection.clone(), |client| var::run(client, it)),
        Verb::Release(it) => ask(it.connection.clone(), |client| release::run(client, it)),
        Verb::Plan(it) => ask(it.connection.clone(), |client| plan::run(client, it)),
        Verb::Deploy(it) => ask(it.connection.clone(), |client| deploy::run(client, it)),
        Verb::Rollback(it) => ask(it.connection.clone(), |client| rollback::run(client, it)),
        Verb::Promote(it) => ask(it.connection.clone(), |client| promote::run(client, it)),
        Verb::Status(it) => ask(it.connection.clone(), |client| status::run(client, it)),
        Verb::History(it) => ask(it.connection.clone(), |client| history::run(client, it)),
        Verb::Logs(it) => ask(it.connection.clone(), |client| logs::run(client, it)),
        Verb::Events(it) => ask(it.connection.clone(), |client| events::run(client, it)),
        Verb::Cancel(it) => ask(it.connection.clone(), |client| cancel::run(client, it)),
        Verb::Plugin(it) => plugin(it),
        Verb::Token(it) => ask(it.connection.clone(), |client| token::run(client, it)),
        Verb::Key(it) => tell(key::run(it), false),
        Verb::Login(it) => {
            let verbose = it.verbose;
            tell(block_on(login::run(it)), verbose)
        }
        Verb::Logout(it) => tell(logout::run(it), false),
        Verb::Context(it) => tell(context::run(it), false),
        Verb::Doctor(it) => {
            let verbose = it.connection.verbose;
            tell(block_on(doctor::run(it)), verbose)
        }
        Verb::Man(it) => tell(man::run(&it), false),
        Verb::Webhook(it) => ask(it.connection.clone(), |client| webhook::run(client, it)),
        Verb::Audit(it) => ask(it.connection.clone(), |client| audit::run(client, it)),
        Verb::Completions(it) => tell(completions::run(&it), false),
    }
}

fn plugin(arguments: plugin::Arguments) -> ExitCode {
    let connection = arguments.connection;
    match arguments.action {
        plugin::Side::Engine(action) => ask(connection, |client| plugin::run(client, action)),
        plugin::Side::Registry(plugin::Pushing::Push(it)) => {
            tell(block_on(push::run(it)), connection.verbose)
        }
        plugin::Side::Author(action) => {
            let detail = match connection.verbose {
                true => Detail::Lines,
                false => Detail::Steps,
            };
            tell(block_on(author::run(action, detail)), connection.verbose)
        }
    }
}

/// A verb that asks the API.
fn ask<W, T>(connection: Connection, work: impl FnOnce(Client) -> W) -> ExitCode
where
    W: Future<Output = Result<T, Failure>>,
    T: Into<Exit>,
{
    let outcome = Client::new(&connection).and_then(|client| block_on(work(client)));
    tell(outcome, connection.verbose)
}

fn block_on<T>(work: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = Builder::new_current_thread()
        .enable_all()
        .build()
        .context("could not start")?;
    runtime.block_on(work)
}

/// Says what went wrong, if something did.
fn tell(outcome: Result<impl Into<Exit>, Failure>, verbose: bool) -> ExitCode {
    match outcome {
        Ok(exit) => exit.into().into(),
        Err(failure) if failure.heading.is_empty() => failure.exit.into(),
        Err(failure) => {
            let text = match verbose {
                true => failure.verbose(),
                false => failure.to_string(),
            };
            // With nobody to tell, the exit code has to do.
            let _ = note(text);
            failure.exit.into()
        }
    }
}

/// The long-running verb: it logs instead of printing.
fn in_background(arguments: serve::Arguments) -> ExitCode {
    let begun = Spans::start(&arguments.spans).and_then(|spans| {
        arguments.logging.start(spans.layer())?;
        Ok(spans)
    });
    let spans = match begun {
        Ok(spans) => spans,
        Err(error) => return tell(Err::<(), _>(error.into()), false),
    };
    let runtime = Builder::new_multi_thread().enable_all().build();
    let served = runtime
        .context("could not start")
        .and_then(|runtime| runtime.block_on(serve::run(arguments)));
    let code = report(served);
    spans.end();
    code
}

fn report(outcome: anyhow::Result<()>) -> ExitCode {
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests;
