//! The `shipway-proxy` binary: the data plane and nothing else. `shipway proxy`
//! becomes this program, so that what carries every request has no compiler,
//! no Git and no database in it, takes little memory, and stays as it is while
//! `shipway` is upgraded.

mod stop;

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use shipway_proxy::{Proxy, ProxyConfig};
use tokio::runtime::Builder;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

/// The proxy that routes requests to the apps; `shipway proxy` starts it
#[derive(Debug, Parser)]
#[command(name = "shipway-proxy", version, max_term_width = 100)]
struct Arguments {
    /// Where it answers; may be given several times
    #[arg(long, required = true, value_name = "ADDRESS")]
    listen: Vec<SocketAddr>,

    /// The socket on which the engine switches routes
    #[arg(long, value_name = "FILE")]
    admin_socket: PathBuf,

    /// Where the routes are kept
    #[arg(long, value_name = "FILE")]
    routes: PathBuf,

    /// Where its process id is written while it runs
    #[arg(long, value_name = "FILE")]
    pid_file: PathBuf,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    log();
    match run(arguments) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

/// As `SHIPWAY_LOG` wishes: a level, or levels by module.
fn log() {
    let wish = std::env::var("SHIPWAY_LOG").ok();
    let levels = wish.and_then(|wish| wish.parse::<Targets>().ok());
    let lines = tracing_subscriber::fmt::layer()
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(std::io::stderr);
    tracing_subscriber::registry()
        .with(lines)
        .with(levels.unwrap_or_else(|| Targets::new().with_default(LevelFilter::INFO)))
        .init();
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    let config = ProxyConfig::new(arguments.listen, arguments.admin_socket, arguments.routes);
    // It speaks on the admin socket alone; requests have threads of their own.
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let proxy = Proxy::bind(config)?;
        let pid = arguments.pid_file;
        std::fs::write(&pid, std::process::id().to_string())
            .with_context(|| format!("could not write {}", pid.display()))?;
        tracing::info!(addresses = ?proxy.addresses(), "the proxy is ready");
        let outcome = proxy.serve(stop::stop_signal()).await;
        let _ = std::fs::remove_file(&pid);
        Ok(outcome?)
    })
}
