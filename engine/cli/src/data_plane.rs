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
use shipway_proxy::{Inherited, Program, Proxy, ProxyConfig, ProxyHandle};
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
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
    let inherited = Inherited::from_environment().context("could not find the running proxy")?;
    let mut config = ProxyConfig::new(arguments.listen, arguments.admin_socket, arguments.routes);
    config.pid_file = Some(arguments.pid_file);
    config.program = Some(Program::this().context("could not tell which program this is")?);
    // It speaks on the admin socket alone; requests have threads of their own.
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // Before anyone can know this process and send one.
        let hangup = signal(SignalKind::hangup()).context("could not listen for SIGHUP")?;
        let proxy = match inherited {
            Some(inherited) => Proxy::take_over(config, inherited)?,
            None => Proxy::bind(config)?,
        };
        tracing::info!(addresses = ?proxy.addresses(), "the proxy is ready");
        tokio::spawn(restart_at_hangup(hangup, proxy.handle()));
        Ok(proxy.serve(stop::stop_signal()).await?)
    })
}

/// SIGHUP: the program starts anew and takes over, without losing a
/// connection. What comes of it is in the log.
async fn restart_at_hangup(mut hangup: Signal, proxy: ProxyHandle) {
    while hangup.recv().await.is_some() {
        // Logged by the proxy itself.
        let _ = proxy.restart(None).await;
    }
}
