//! `cargo xtask bench`: what Shipway takes.

use std::process::ExitCode;

use anyhow::Result;

mod deploy;
mod idle;
mod plugins;
mod proxy;
mod requests;
mod switch;

mod api;
mod app;
mod measure;
mod program;

#[derive(Debug, clap::Subcommand)]
pub enum Verb {
    /// Memory at rest, and the time from an API call to a deployment's first step
    Idle(idle::Arguments),
    /// A call of a plugin, beside bare wasmtime, a program, and Extism
    Plugins(plugins::Arguments),
    /// Hundreds of deployments under load: failed requests, and how long the others took
    Switch(switch::Arguments),
    /// The proxy beside nginx, HAProxy and Caddy
    Proxy(proxy::Arguments),
    /// A deployment beside shell scripts and docker compose
    Deploy(deploy::Arguments),
    /// Requests to the API under load, beside one that does nothing
    Api(requests::Arguments),
}

pub fn run(verb: &Verb) -> Result<ExitCode> {
    match verb {
        Verb::Idle(arguments) => idle::run(arguments),
        Verb::Plugins(arguments) => plugins::run(arguments),
        Verb::Switch(arguments) => switch::run(arguments),
        Verb::Proxy(arguments) => proxy::run(arguments),
        Verb::Deploy(arguments) => deploy::run(arguments),
        Verb::Api(arguments) => requests::run(arguments),
    }
}
