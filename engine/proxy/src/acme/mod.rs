//! Certificates from an authority that speaks ACME (RFC 8555), for the hosts
//! that are routed and have no given certificate.
//!
//! - [`challenges`]: what the authority asks this proxy for on port 80
//! - [`store`]: the account and the certificates on disk
//! - [`issue`]: one certificate, from the order to the chain
//! - [`renewal`]: which host is due, and how long to wait after a failure
//!
//! One certificate a host, one order at a time. Only the proxy that leads
//! orders; after a restart the new one goes on with what is on disk.

pub(crate) mod challenges;
mod issue;
mod renewal;
mod store;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::{Instant, MissedTickBehavior, interval};

use crate::control::Control;
use crate::error::{ProxyError, in_full};
use crate::tls::certificates::Certificates;

use challenges::Challenges;
use issue::Authority;
use renewal::Retries;
use store::Store;

/// How often it is looked which hosts need a certificate.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// Where certificates are ordered.
#[derive(Debug, Clone)]
pub struct AcmeConfig {
    /// The authority's directory, such as
    /// `https://acme-v02.api.letsencrypt.org/directory`.
    pub directory: String,
    /// Where the authority writes to before a certificate ends unrenewed.
    /// Giving it, and the directory, agrees to the authority's terms.
    pub contact: String,
    /// Where the account and the certificates are kept, with mode 0700.
    pub folder: PathBuf,
    /// Certificates in PEM that vouch for the authority itself, if the
    /// system's do not.
    pub authority_roots: Option<PathBuf>,
}

/// Orders and renews for as long as the proxy leads.
#[derive(Debug)]
pub(crate) struct Acme {
    authority: Authority,
    store: Arc<Store>,
    pub challenges: Arc<Challenges>,
    certificates: Arc<Certificates>,
    control: Arc<Control>,
}

impl Acme {
    pub fn new(config: AcmeConfig, certificates: Arc<Certificates>, control: Arc<Control>) -> Self {
        let store = Arc::new(Store::at(config.folder.clone()));
        Self {
            authority: Authority::new(config, Arc::clone(&store)),
            store,
            challenges: Arc::default(),
            certificates,
            control,
        }
    }

    pub async fn run(mut self) {
        let mut retries = Retries::default();
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            for host in self.due().await {
                if !retries.may_try(&host, Instant::now()) {
                    continue;
                }
                match self.obtain(&host).await {
                    Ok(()) => retries.succeeded(&host),
                    Err(words) => {
                        let pause = retries.failed(&host, Instant::now());
                        tracing::error!(
                            host,
                            again_in_s = pause.as_secs(),
                            "no certificate was obtained: {words}"
                        );
                    }
                }
            }
        }
    }

    /// Hosts that are routed, and whose certificate is missing or ends soon.
    async fn due(&self) -> Vec<String> {
        let now = SystemTime::now();
        let routes = self.control.routes().await;
        let domains = routes.iter().flat_map(|route| &route.domains);
        let mut due: Vec<_> = domains
            .map(|domain| domain.as_str().to_owned())
            .filter(|host| renewal::may_have_one(host) && self.certificates.lack(host, now))
            .collect();
        due.sort_unstable();
        due.dedup();
        due
    }

    async fn obtain(&mut self, host: &str) -> Result<(), String> {
        tracing::info!(host, "a certificate is ordered");
        let issued = self.authority.issue(host, &self.challenges).await;
        let issued = issued.map_err(|error| in_full(&error))?;
        let saved = self.store.save_certificate(host, &issued);
        saved.map_err(|error| in_full(&error))?;
        self.certificates
            .look()
            .map_err(|error| format!("the folder of certificates cannot be read: {error}"))?;
        if self.certificates.lack(host, SystemTime::now()) {
            return Err("what the authority issued cannot be served; see above".to_owned());
        }
        Ok(())
    }
}

/// Before anything is bound: a folder that cannot be written is said at once.
pub(crate) fn prepare(config: &AcmeConfig) -> Result<(), ProxyError> {
    let prepared = Store::at(config.folder.clone()).prepare();
    prepared.map_err(|source| ProxyError::Acme {
        path: config.folder.clone(),
        source,
    })
}
