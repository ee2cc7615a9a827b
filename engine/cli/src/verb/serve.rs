//! `shipway serve`: the control plane. It starts the data plane beside it when
//! none runs, and leaves it running when it stops.

mod console;
mod proxy;

use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;

use anyhow::Context;
use clap::Args;
use shipway_api::address::TrustedProxy;
use shipway_api::rate::Rate;
use shipway_api::signature::Key;
use shipway_core::environment::RuntimeKind;
use shipway_core::token::{Scope, Token};
use tokio::net::TcpListener;

use self::console::ConsoleArguments;
use self::proxy::ProxyArguments;
use crate::logging::Logging;
use crate::spans;
use crate::state_dir::{self, StateDir};
use crate::stop::stop_signal;
use crate::wire::{self, Choices, ControlPlane, SETTLE};
use crate::{credentials, open_files, service};

/// Run the engine and its API, and the proxy beside it
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub struct Arguments {
    /// Where everything is kept
    #[arg(long, env = "SHIPWAY_STATE_DIR", value_name = "DIR")]
    pub state_dir: Option<PathBuf>,

    /// Where the API answers
    #[arg(long, default_value = "127.0.0.1:7766", value_name = "ADDRESS")]
    pub listen: SocketAddr,

    /// Where the first token is written for the other verbs
    #[arg(long, env = "SHIPWAY_CREDENTIALS", value_name = "FILE")]
    pub credentials: Option<PathBuf>,

    /// The runtime of environments that name none
    #[arg(long, default_value = "process", value_parser = ["process", "docker"])]
    pub runtime: String,

    /// Requests a second that an address may send to the API, ten times that at
    /// once; 0 sets no limit
    #[arg(long, default_value_t = 100, value_name = "NUMBER")]
    pub rate_limit: u32,

    /// The keys that seal secrets in the database, one a line; `secrets.key` in
    /// the state directory unless set
    #[arg(long, env = "SHIPWAY_SECRETS_KEY", value_name = "FILE")]
    pub secrets_key: Option<PathBuf>,

    /// Install only plugins that are signed with this public key, or one of
    /// them: minisign's, or a PEM file of cosign's
    #[arg(long, value_name = "KEYFILE")]
    pub require_signature: Vec<PathBuf>,

    /// The most that one `git push` may bring, in MiB
    #[arg(long, default_value_t = 512, value_name = "MIB",
          value_parser = clap::value_parser!(u64).range(1..=1 << 20))]
    pub push_limit: u64,

    /// Believe what this proxy in front of the API writes into
    /// X-Forwarded-For: an address, or a network such as 10.0.0.0/8; repeat it
    /// for more. The audit log and the rate limit tell clients by it
    #[arg(long, value_name = "ADDRESS")]
    pub trusted_proxy: Vec<TrustedProxy>,

    #[command(flatten, next_help_heading = "Proxy")]
    pub proxy: ProxyArguments,

    #[command(flatten, next_help_heading = "Console")]
    pub console: ConsoleArguments,

    #[command(flatten, next_help_heading = "Logs and traces")]
    pub logging: Logging,

    #[command(flatten, next_help_heading = "Logs and traces")]
    pub spans: spans::Tracing,
}

const EXAMPLES: &str = "Examples:
  shipway serve
  shipway serve --listen 0.0.0.0:7766 --proxy-listen 0.0.0.0:80
  shipway serve --proxy-listen 0.0.0.0:80 --proxy-tls-listen 0.0.0.0:443 --acme-contact ops@example.com
  shipway serve --state-dir /var/lib/shipway --runtime docker";

pub async fn run(arguments: Arguments) -> anyhow::Result<()> {
    open_files::raise_limit();
    let keys = read_keys(&arguments.require_signature)?;
    let console = arguments.console.settings()?;
    let path = arguments
        .state_dir
        .clone()
        .unwrap_or_else(state_dir::default_path);
    let state = StateDir::open(&path)?;
    let _lock = state.lock().await?;
    let listener = TcpListener::bind(arguments.listen)
        .await
        .with_context(|| format!("could not listen on {}", arguments.listen))?;
    let address = listener.local_addr()?;

    proxy::ensure(&state, &arguments.proxy, &arguments.logging).await?;
    let default_runtime = if arguments.runtime == "docker" {
        RuntimeKind::Docker
    } else {
        RuntimeKind::Process
    };
    let choices = Choices {
        default_runtime,
        secrets_key: arguments
            .secrets_key
            .clone()
            .unwrap_or_else(|| state.secrets_key()),
        push_limit: arguments.push_limit << 20,
    };
    let mut plane = wire::control_plane(&state, choices).await?;
    name_strangers(&plane, &keys).await?;
    plane.api = plane
        .api
        .with_demanded_keys(keys)
        .with_trusted_proxies(arguments.trusted_proxy.clone())
        .with_console(console);
    if let Some(requests) = NonZeroU32::new(arguments.rate_limit) {
        plane.api = plane.api.with_rate(Rate::per_second(requests));
    }
    let recovered = plane.engine.recover().await?;
    make_first_token(&plane, &arguments, address).await?;

    tracing::info!(%address, state = %path.display(), recovered, "the engine is ready");
    service::ready();
    tokio::spawn(service::feed_watchdog(plane.api.vitals.clone()));
    let stopping = plane.api.shutdown.clone();
    let stopped = async move {
        stop_signal().await;
        tracing::info!("the engine stops; apps and the proxy go on");
        service::stopping();
        stopping.cancel();
    };
    let app = shipway_api::router(plane.api.clone());
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, app)
        .with_graceful_shutdown(stopped)
        .await?;
    plane.engine.settle(SETTLE).await;
    Ok(())
}

/// The keys that plugins must be signed with; a file that holds none is no
/// reason to demand less.
fn read_keys(files: &[PathBuf]) -> anyhow::Result<Vec<Key>> {
    let read = |file: &PathBuf| {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("could not read the key {}", file.display()))?;
        Key::read(&text).with_context(|| format!("{} holds no key", file.display()))
    };
    files.iter().map(read).collect()
}

/// What was installed before signatures were demanded goes on; it is named.
async fn name_strangers(plane: &ControlPlane, keys: &[Key]) -> anyhow::Result<()> {
    if keys.is_empty() {
        return Ok(());
    }
    for plugin in plane.store.plugins().await? {
        let signer = plugin.origin.signer.as_ref();
        if !keys.iter().any(|key| Some(key.signer()) == signer) {
            tracing::warn!(
                plugin = %plugin.name(),
                "is installed without a signature that is demanded now; add it again with one, \
                 or remove it"
            );
        }
    }
    Ok(())
}

/// The first token is made when there is none, shown once, and written where
/// the other verbs look for it.
async fn make_first_token(
    plane: &ControlPlane,
    arguments: &Arguments,
    address: SocketAddr,
) -> anyhow::Result<()> {
    if !plane.store.tokens().await?.is_empty() {
        return Ok(());
    }
    let (shown, digest) = shipway_api::new_token()?;
    let token = Token {
        name: "first".to_owned(),
        digest,
        scope: Scope::Admin,
        apps: Vec::new(),
        created_at: plane.clock.now(),
        last_used_at: None,
        expires_at: None,
    };
    let file = arguments
        .credentials
        .clone()
        .map_or_else(credentials::default_path, Ok)?;
    credentials::write(&file, &format!("http://{address}"), &shown)?;
    plane.store.create_token(&token).await?;
    println_once(&format!(
        "The first token, shown this once (scope admin): {}\nIt is also in {}, where `shipway` finds it.",
        shown.reveal(),
        file.display()
    ));
    Ok(())
}

#[expect(
    clippy::print_stdout,
    reason = "the token is for the person at this terminal, not for the log"
)]
fn println_once(text: &str) {
    println!("{text}");
}
