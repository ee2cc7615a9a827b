//! The data plane that `shipway serve` starts beside itself: a process of its
//! own, so that it goes on serving when the engine ends.

use std::fs::OpenOptions;
use std::net::SocketAddr;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, bail};
use clap::Args;
use shipway_proxy::ProxyRouter;

use crate::logging::{Format, Logging};
use crate::service;
use crate::state_dir::StateDir;

/// How long a proxy may take to answer after it was started.
const PROXY_START: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// Of a proxy that runs already, nothing changes.
#[derive(Debug, Args)]
pub struct ProxyArguments {
    /// Where the proxy answers for the apps
    #[arg(long, default_value = "127.0.0.1:8080", value_name = "ADDRESS")]
    pub proxy_listen: Vec<SocketAddr>,

    /// Where the proxy answers for the apps with TLS
    #[arg(long, value_name = "ADDRESS")]
    pub proxy_tls_listen: Vec<SocketAddr>,

    /// Certificates for TLS: NAME.pem with NAME.key beside it
    #[arg(long, value_name = "DIR", requires = "proxy_tls_listen")]
    pub certificates: Option<PathBuf>,

    /// Obtain certificates for the apps' domains that were given none; the
    /// authority writes to this address when it must. Agrees to its terms
    #[arg(long, value_name = "MAIL", requires = "proxy_tls_listen")]
    pub acme_contact: Option<String>,

    /// The authority's directory
    #[arg(
        long,
        value_name = "URL",
        requires = "acme_contact",
        default_value = "https://acme-v02.api.letsencrypt.org/directory"
    )]
    pub acme_directory: String,

    /// Certificates in PEM that vouch for an authority that the system does
    /// not know
    #[arg(long, value_name = "FILE", requires = "acme_contact")]
    pub acme_roots: Option<PathBuf>,

    /// Send plain HTTP to TLS, for domains that have a certificate
    #[arg(long, requires = "proxy_tls_listen")]
    pub redirect_to_tls: bool,

    /// Where the proxy answers `/metrics`, to everybody: an address of this
    /// machine, or of a network that is yours
    #[arg(long, value_name = "ADDRESS")]
    pub proxy_metrics_listen: Option<SocketAddr>,
}

impl ProxyArguments {
    /// What the proxy's own program is told beyond what `shipway proxy` knows.
    fn settings(&self, state: &StateDir, logging: &Logging) -> Vec<String> {
        let mut settings = Vec::new();
        let mut set = |name: &str, value: String| settings.extend([name.to_owned(), value]);
        let format = match logging.log_format {
            Format::Text => "text",
            Format::Json => "json",
        };
        set("--log-format", format.to_owned());
        if let Some(level) = &logging.log_level {
            set("--log-level", level.clone());
        }
        if let Some(address) = self.proxy_metrics_listen {
            set("--metrics-listen", address.to_string());
        }
        for address in &self.proxy_tls_listen {
            set("--tls-listen", address.to_string());
        }
        if let Some(folder) = &self.certificates {
            set("--certificates", folder.display().to_string());
        }
        if let Some(contact) = &self.acme_contact {
            set("--acme-contact", contact.clone());
            set("--acme-directory", self.acme_directory.clone());
            set("--acme-folder", state.certificates().display().to_string());
        }
        if let Some(roots) = &self.acme_roots {
            set("--acme-roots", roots.display().to_string());
        }
        if self.redirect_to_tls {
            settings.push("--redirect-to-tls".to_owned());
        }
        settings
    }
}

/// Starts `shipway proxy` unless one answers.
pub async fn ensure(
    state: &StateDir,
    arguments: &ProxyArguments,
    logging: &Logging,
) -> anyhow::Result<()> {
    let router = ProxyRouter::new(state.proxy_socket());
    if router.ready().await.is_ok() {
        tracing::info!(
            "a proxy runs already and is used as it is; `shipway proxy --restart` changes its settings"
        );
        return Ok(());
    }
    let log = state.proxy_log();
    let output = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&log)
        .with_context(|| format!("could not open {}", log.display()))?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("proxy").arg("--state-dir").arg(state.path());
    for address in &arguments.proxy_listen {
        command.arg("--listen").arg(address.to_string());
    }
    command.arg("--").args(arguments.settings(state, logging));
    for variable in service::VARIABLES {
        command.env_remove(variable);
    }
    // A group of its own: Ctrl-C at this terminal is not meant for it.
    command
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output);
    let mut child = command.spawn().context("could not start the proxy")?;
    let deadline = tokio::time::Instant::now() + PROXY_START;
    loop {
        if router.ready().await.is_ok() {
            return Ok(());
        }
        if let Some(status) = child.try_wait()? {
            bail!(
                "the proxy ended at once ({status}); why is in {}",
                log.display()
            );
        }
        if tokio::time::Instant::now() > deadline {
            bail!(
                "the proxy did not answer within {} s; see {}",
                PROXY_START.as_secs(),
                log.display()
            );
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
