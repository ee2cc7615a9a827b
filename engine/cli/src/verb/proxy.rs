//! `shipway proxy`: the data plane. `serve` starts it when none runs; a service
//! manager may as well.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;

use super::serve::stop_signal;
use crate::state_dir::{self, StateDir};
use crate::wire;

/// Run the proxy that routes requests to the apps
#[derive(Debug, Args)]
pub struct Arguments {
    /// The engine's state directory
    #[arg(long, env = "SHIPWAY_STATE_DIR", value_name = "DIR")]
    pub state_dir: Option<PathBuf>,

    /// Where it answers
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub listen: Vec<SocketAddr>,
}

pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    let path = arguments.state_dir.unwrap_or_else(state_dir::default_path);
    let state = StateDir::open(&path)?;
    let proxy = shipway_proxy::Proxy::bind(wire::proxy(&state, arguments.listen))?;
    let pid = state.proxy_pid();
    std::fs::write(&pid, std::process::id().to_string())
        .with_context(|| format!("could not write {}", pid.display()))?;
    tracing::info!(addresses = ?proxy.addresses(), "the proxy is ready");
    let outcome = proxy.serve(stop_signal()).await;
    let _ = std::fs::remove_file(&pid);
    Ok(outcome?)
}
