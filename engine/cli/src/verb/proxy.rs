//! `shipway proxy`: the data plane. `serve` starts it when none runs; a service
//! manager may as well. It is a program of its own, `shipway-proxy`, which is
//! installed beside this one; this verb knows the state directory, and becomes
//! that program.

use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use anyhow::anyhow;
use clap::Args;

use crate::failure::Failure;
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

/// Returns only if the proxy could not be started.
pub fn run(arguments: Arguments) -> Result<(), Failure> {
    let path = arguments.state_dir.unwrap_or_else(state_dir::default_path);
    let state = StateDir::open(&path)?;
    let program = wire::proxy_program()?;
    let mut command = Command::new(&program);
    command
        .arg("--admin-socket")
        .arg(state.proxy_socket())
        .arg("--routes")
        .arg(state.proxy_routes())
        .arg("--pid-file")
        .arg(state.proxy_pid());
    for address in arguments.listen {
        command.arg("--listen").arg(address.to_string());
    }
    let error = command.exec();
    let failed = anyhow!(error).context(format!(
        "could not start {}, which is installed beside `shipway`",
        program.display()
    ));
    Err(failed.into())
}
