//! The `shipway-proxy` binary: the data plane and nothing else. `shipway proxy`
//! becomes this program, so that what carries every request has no compiler,
//! no Git and no database in it, takes little memory, and stays as it is while
//! `shipway` is upgraded.

mod logging;
mod proxy_metrics;
mod stop;

use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use clap::Parser;
use shipway_proxy::{
    AcmeConfig, Inherited, Plain, Program, Proxy, ProxyConfig, ProxyHandle, ProxyRouter,
};
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tracing_subscriber::layer::Identity;

use crate::logging::Logging;
use crate::proxy_metrics::Start;

/// The proxy that routes requests to the apps; `shipway proxy` starts it
#[derive(Debug, Parser)]
#[command(name = "shipway-proxy", version, max_term_width = 100)]
struct Arguments {
    /// Where it answers; may be given several times
    #[arg(long, required_unless_present = "tls_listen", value_name = "ADDRESS")]
    listen: Vec<SocketAddr>,

    /// Where it answers with TLS; may be given several times
    #[arg(long, value_name = "ADDRESS")]
    tls_listen: Vec<SocketAddr>,

    /// Certificates: NAME.pem with NAME.key beside it
    #[arg(long, value_name = "DIR")]
    certificates: Option<PathBuf>,

    /// Obtain certificates for routed hosts that were given none, from the
    /// authority with this directory; this agrees to its terms
    #[arg(long, requires_all = ["tls_listen", "acme_contact", "acme_folder"], value_name = "URL")]
    acme_directory: Option<String>,

    /// Where the authority writes to when it must
    #[arg(long, value_name = "MAIL")]
    acme_contact: Option<String>,

    /// Where the account and obtained certificates are kept
    #[arg(long, value_name = "DIR")]
    acme_folder: Option<PathBuf>,

    /// Certificates in PEM that vouch for the authority itself
    #[arg(long, value_name = "FILE")]
    acme_roots: Option<PathBuf>,

    /// Send plain HTTP to TLS, for hosts that have a certificate
    #[arg(long)]
    redirect_to_tls: bool,

    /// A proxy in front of this one, which says for whom it asks; may be given
    /// several times [default: this machine]
    #[arg(long, value_name = "IP")]
    trusted_forwarder: Vec<IpAddr>,

    /// The largest body of a request, in MiB
    #[arg(long, default_value_t = 1024, value_name = "MIB")]
    max_body: u64,

    /// Connections of clients at once; more wait to be accepted
    #[arg(long, value_name = "NUMBER")]
    max_connections: Option<usize>,

    /// Threads that serve [default: one a core]
    #[arg(long, value_name = "NUMBER")]
    workers: Option<NonZeroUsize>,

    /// The socket on which the engine switches routes
    #[arg(long, value_name = "FILE")]
    admin_socket: PathBuf,

    /// Where the routes are kept
    #[arg(long, value_name = "FILE")]
    routes: PathBuf,

    /// Where its process id is written while it runs
    #[arg(long, value_name = "FILE")]
    pid_file: PathBuf,

    /// Where it answers `/metrics`, in Prometheus' text format and to
    /// everybody: an address of this machine, or of a network that is yours
    #[arg(long, value_name = "ADDRESS")]
    metrics_listen: Option<SocketAddr>,

    #[command(flatten)]
    logging: Logging,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match arguments
        .logging
        .start(None::<Identity>)
        .and_then(|()| run(arguments))
    {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!("{error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: Arguments) -> anyhow::Result<()> {
    let inherited = Inherited::from_environment().context("could not find the running proxy")?;
    let metrics = arguments.metrics_listen;
    let config = config(arguments)?;
    // It speaks on the admin socket alone; requests have threads of their own.
    let runtime = Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        // Before anyone can know this process and send one.
        let hangup = signal(SignalKind::hangup()).context("could not listen for SIGHUP")?;
        let socket = ProxyRouter::new(config.admin_socket.clone());
        let (proxy, start) = match inherited {
            Some(inherited) => (Proxy::take_over(config, inherited)?, Start::TakesOver),
            None => (Proxy::bind(config)?, Start::Fresh),
        };
        if let Some(address) = metrics {
            serve_metrics(address, start, socket, proxy.handle()).await?;
        }
        let (plain, tls) = (proxy.addresses(), proxy.tls_addresses());
        tracing::info!(?plain, ?tls, "the proxy is ready");
        tokio::spawn(restart_at_hangup(hangup, proxy.handle()));
        Ok(proxy.serve(stop::stop_signal()).await?)
    })
}

/// A proxy that cannot have the address does not start; one that takes over
/// gets it a little later.
async fn serve_metrics(
    address: SocketAddr,
    start: Start,
    socket: ProxyRouter,
    proxy: ProxyHandle,
) -> anyhow::Result<()> {
    if start == Start::Fresh {
        let listener = proxy_metrics::listen(address, start).await?;
        tokio::spawn(proxy_metrics::serve(listener, socket, proxy));
        return Ok(());
    }
    tokio::spawn(async move {
        match proxy_metrics::listen(address, start).await {
            Ok(listener) => proxy_metrics::serve(listener, socket, proxy).await,
            Err(error) => tracing::error!("{error:#}"),
        }
    });
    Ok(())
}

fn config(arguments: Arguments) -> anyhow::Result<ProxyConfig> {
    let mut config = ProxyConfig::new(arguments.listen, arguments.admin_socket, arguments.routes);
    config.tls_listen = arguments.tls_listen;
    config.certificates = arguments.certificates;
    if let (Some(directory), Some(contact), Some(folder)) = (
        arguments.acme_directory,
        arguments.acme_contact,
        arguments.acme_folder,
    ) {
        config.acme = Some(AcmeConfig {
            directory,
            contact,
            folder,
            authority_roots: arguments.acme_roots,
        });
    }
    if arguments.redirect_to_tls {
        config.plain = Plain::Redirects;
    }
    if !arguments.trusted_forwarder.is_empty() {
        config.trusted_forwarders = arguments.trusted_forwarder;
    }
    if let Some(workers) = arguments.workers {
        config.workers = workers;
    }
    config.limits.body_bytes = arguments.max_body.saturating_mul(1024 * 1024);
    if let Some(connections) = arguments.max_connections {
        config.limits.connections = connections.div_ceil(config.workers.get()).max(1);
    }
    config.pid_file = Some(arguments.pid_file);
    config.program = Some(Program::this().context("could not tell which program this is")?);
    Ok(config)
}

/// SIGHUP: the program starts anew and takes over, without losing a
/// connection. What comes of it is in the log.
async fn restart_at_hangup(mut hangup: Signal, proxy: ProxyHandle) {
    while hangup.recv().await.is_some() {
        // Logged by the proxy itself.
        let _ = proxy.restart(None).await;
    }
}
