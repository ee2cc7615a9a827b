//! `shipway proxy`: the data plane. `serve` starts it when none runs; a service
//! manager may as well. It is a program of its own, `shipway-proxy`, which is
//! installed beside this one; this verb knows the state directory, and becomes
//! that program.

use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context, anyhow};
use clap::Args;
use shipway_proxy::ProxyRouter;

use crate::failure::Failure;
use crate::state_dir::{self, StateDir};
use crate::wire;

/// Run the proxy that routes requests to the apps
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// The engine's state directory
    #[arg(long, env = "SHIPWAY_STATE_DIR", value_name = "DIR")]
    pub state_dir: Option<PathBuf>,

    /// Where it answers
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub listen: Vec<SocketAddr>,

    /// Have the proxy that runs start anew, with these settings and as the
    /// program that is installed now, without losing a connection
    #[arg(long)]
    pub restart: bool,

    /// More settings, as `shipway-proxy --help` lists them
    #[arg(last = true, value_name = "SETTINGS")]
    pub settings: Vec<String>,
}

const EXAMPLES: &str = "Examples:
  shipway proxy --listen 0.0.0.0:80
  shipway proxy --restart --listen 0.0.0.0:80";

/// Without `--restart`, returns only if the proxy could not be started.
pub fn run(arguments: Arguments) -> Result<(), Failure> {
    let path = arguments
        .state_dir
        .clone()
        .unwrap_or_else(state_dir::default_path);
    let state = StateDir::open(&path)?;
    let settings = settings(&arguments, &state);
    if arguments.restart {
        return restart(&state, settings);
    }
    let program = wire::proxy_program()?;
    let error = Command::new(&program).args(settings).exec();
    let failed = anyhow!(error).context(format!(
        "could not start {}, which is installed beside `shipway`",
        program.display()
    ));
    Err(failed.into())
}

fn settings(arguments: &Arguments, state: &StateDir) -> Vec<String> {
    let files = [
        ("--admin-socket", state.proxy_socket()),
        ("--routes", state.proxy_routes()),
        ("--pid-file", state.proxy_pid()),
    ];
    let mut settings = Vec::new();
    for (name, file) in files {
        settings.extend([name.to_owned(), file.display().to_string()]);
    }
    for address in &arguments.listen {
        settings.extend(["--listen".to_owned(), address.to_string()]);
    }
    settings.extend(arguments.settings.iter().cloned());
    settings
}

/// Returns when the new one serves.
fn restart(state: &StateDir, settings: Vec<String>) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("could not start")?;
    let router = ProxyRouter::new(state.proxy_socket());
    let restarted = runtime.block_on(router.restart(Some(settings)));
    restarted.context("the proxy was not restarted")?;
    Ok(())
}
