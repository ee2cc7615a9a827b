//! The certificates that are served, by name. Their folders are looked at again
//! every few seconds: what is new or has changed is served from the next
//! connection on. A file that cannot be used is named in the log, and what was
//! served before goes on.

use std::collections::{BTreeMap, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::{Duration, SystemTime};

use arc_swap::ArcSwap;
use rustls::server::{ClientHello, ResolvesServerCert};
use rustls::sign::CertifiedKey;
use tokio::time::{MissedTickBehavior, interval};

use crate::error::{ProxyError, in_full};
use crate::tls::file::{Certificate, Place, Stamp};

/// How often the folder is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(5);

/// Who is responsible for a certificate. Given ones come first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Source {
    /// Whoever runs the proxy.
    Given,
    /// The proxy itself.
    Obtained,
}

#[derive(Debug)]
pub(crate) struct Certificates {
    folders: Vec<(Source, PathBuf)>,
    by_name: ArcSwap<ByName>,
    /// What is known of each file. Only whoever looks has it locked.
    known: Mutex<Known>,
}

type Known = BTreeMap<(Source, Place), Entry>;

#[derive(Debug)]
struct Entry {
    stamp: Stamp,
    /// The last one that could be used.
    certificate: Option<Arc<Certificate>>,
}

#[derive(Debug, Default)]
struct ByName {
    names: HashMap<String, (Source, Arc<Certificate>)>,
    /// For clients that name no host, or one without a certificate.
    default: Option<Arc<CertifiedKey>>,
}

impl Certificates {
    /// Fails only if a folder cannot be read.
    pub fn load(folders: Vec<(Source, PathBuf)>) -> Result<Self, ProxyError> {
        let certificates = Self {
            folders,
            by_name: ArcSwap::default(),
            known: Mutex::default(),
        };
        certificates.look()?;
        Ok(certificates)
    }

    /// Looks at the folders for as long as the proxy runs.
    pub async fn watch(self: Arc<Self>) {
        let mut ticks = interval(LOOK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            if let Err(error) = self.look() {
                tracing::warn!("{}; those known are served on", in_full(&error));
            }
        }
    }

    /// Whether there is a certificate for a host, in lower case.
    pub fn cover(&self, host: &str) -> bool {
        self.by_name.load().of(host).is_some()
    }

    /// Whether one is to be obtained for a host: there is none, or one that
    /// was obtained ends soon.
    pub fn lack(&self, host: &str, now: SystemTime) -> bool {
        match self.by_name.load().of(host) {
            None => true,
            Some((Source::Given, _)) => false,
            Some((Source::Obtained, certificate)) => {
                certificate.renewal.is_none_or(|renewal| renewal <= now)
            }
        }
    }

    /// Names that are served, for people.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = self.by_name.load().names.keys().cloned().collect();
        names.sort_unstable();
        names
    }

    pub fn look(&self) -> Result<(), ProxyError> {
        let mut places = Vec::new();
        for (source, folder) in &self.folders {
            let found = places_in(folder).map_err(|source| ProxyError::Certificates {
                path: folder.clone(),
                source,
            })?;
            places.extend(found.into_iter().map(|place| (*source, place)));
        }
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let gone = known.len();
        known.retain(|place, _| places.contains(place));
        let mut changed = known.len() != gone;
        for place in places {
            let stamp = place.1.stamp();
            let before = known.get(&place);
            if before.is_some_and(|entry| entry.stamp == stamp) {
                continue;
            }
            changed = true;
            let before = before.and_then(|entry| entry.certificate.clone());
            let certificate = read(&place.1).or(before);
            known.insert(place, Entry { stamp, certificate });
        }
        if changed {
            self.by_name.store(Arc::new(ByName::of_known(&known)));
            tracing::info!(names = ?self.names(), "certificates are served");
        }
        Ok(())
    }
}

fn places_in(folder: &Path) -> io::Result<Vec<Place>> {
    let mut places = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "pem") {
            places.push(Place::beside(path));
        }
    }
    Ok(places)
}

/// Logs why not.
fn read(place: &Place) -> Option<Arc<Certificate>> {
    match place.read() {
        Ok(certificate) => Some(Arc::new(certificate)),
        Err(error) => {
            tracing::error!("a certificate is not served: {}", in_full(&error));
            None
        }
    }
}

impl ByName {
    /// Of two certificates for one name, the one whose file comes first.
    fn of_known(known: &Known) -> Self {
        let mut all = Self::default();
        for ((source, place), entry) in known {
            let Some(certificate) = &entry.certificate else {
                continue;
            };
            for name in &certificate.names {
                let this = || (*source, Arc::clone(certificate));
                all.names.entry(name.clone()).or_insert_with(this);
            }
            if place.is_default() {
                all.default = Some(Arc::clone(&certificate.key));
            }
        }
        all
    }

    fn of(&self, host: &str) -> Option<&(Source, Arc<Certificate>)> {
        self.names.get(host).or_else(|| {
            let (_, rest) = host.split_once('.')?;
            self.names.get(&format!("*.{rest}"))
        })
    }
}

impl ResolvesServerCert for Certificates {
    fn resolve(&self, client: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        let by_name = self.by_name.load();
        let named = client
            .server_name()
            .and_then(|name| by_name.of(&name.to_ascii_lowercase()))
            .map(|(_, certificate)| &certificate.key);
        named.or(by_name.default.as_ref()).cloned()
    }
}
