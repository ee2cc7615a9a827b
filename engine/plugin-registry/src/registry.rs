//! Pulls and pushes: within time, within size, checked against the digest.

use std::time::Duration;

use futures::StreamExt;
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::manifest::{OciDescriptor, OciImageManifest};
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, RegistryOperation};
use oci_wasm::{WASM_LAYER_MEDIA_TYPE, WASM_MANIFEST_CONFIG_MEDIA_TYPE, WasmClient, WasmConfig};
use rustls::crypto::{CryptoProvider, ring};

use crate::address::Address;
use crate::error::RegistryError;
use crate::login::{self, Login};

const CONNECT_PATIENCE: Duration = Duration::from_secs(10);
/// How long a registry may say nothing.
const SILENCE: Duration = Duration::from_secs(30);
/// Logging in and asking for a manifest.
const PATIENCE: Duration = Duration::from_secs(60);
/// 64 MiB over a slow line.
const TRANSFER_PATIENCE: Duration = Duration::from_secs(600);
/// The engine takes no larger component.
pub const LARGEST: u64 = 64 * 1024 * 1024;

/// How to talk to a registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// Over TLS, but to this machine itself without.
    Tls,
    /// Without TLS, wherever it is.
    Plain,
}

/// A component as it came from a registry.
#[derive(Debug)]
pub struct Pulled {
    pub component: Vec<u8>,
    /// With the digest of the manifest.
    pub address: Address,
}

/// The registry of one address.
pub struct Registry {
    client: WasmClient,
    address: Address,
    auth: RegistryAuth,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Registry({})", self.address)
    }
}

impl Registry {
    pub fn of(
        address: Address,
        transport: Transport,
        login: Option<&Login>,
    ) -> Result<Self, RegistryError> {
        have_tls();
        let protocol = match transport {
            Transport::Tls if !address.is_local() => ClientProtocol::Https,
            _ => ClientProtocol::Http,
        };
        // A proxy on the way out knows nothing of this machine's own registry.
        // The client takes the system's proxies unless it is given one.
        let nowhere = address.is_local().then(|| "http://127.0.0.1:9".to_owned());
        let config = ClientConfig {
            protocol,
            // What we pull is one component for every platform.
            platform_resolver: None,
            connect_timeout: Some(CONNECT_PATIENCE),
            read_timeout: Some(SILENCE),
            user_agent: concat!("shipway/", env!("CARGO_PKG_VERSION")),
            no_proxy: nowhere.as_ref().map(|_| address.host().to_owned()),
            http_proxy: nowhere,
            ..ClientConfig::default()
        };
        let client = Client::try_from(config)
            .map_err(|error| RegistryError::of(error, &address, login.is_some()))?;
        Ok(Self {
            client: WasmClient::new(client),
            auth: login::auth(login),
            address,
        })
    }

    /// Pulls the component; `progress` hears how many bytes of how many are
    /// there.
    pub async fn pull(&self, mut progress: impl FnMut(u64, u64)) -> Result<Pulled, RegistryError> {
        let (manifest, digest) = self
            .within(PATIENCE, async {
                self.log_in(RegistryOperation::Pull).await?;
                let reference = self.address.reference();
                self.client.pull_image_manifest(reference, &self.auth).await
            })
            .await?;
        let layer = self.layer(&manifest)?;
        let component = tokio::time::timeout(TRANSFER_PATIENCE, self.bytes(layer, &mut progress))
            .await
            .map_err(|_| self.too_slow(TRANSFER_PATIENCE))??;
        Ok(Pulled {
            component,
            address: self.address.pinned(&digest),
        })
    }

    /// Pushes a component; gives its address with the manifest's digest. The
    /// same bytes make the same digest, so nothing in it tells the time.
    pub async fn push(&self, component: Vec<u8>) -> Result<Address, RegistryError> {
        let (mut config, layer) =
            WasmConfig::from_raw_component(component, None).map_err(|error| {
                RegistryError::NotAComponent {
                    source: error.into(),
                }
            })?;
        config.created = Default::default();
        let config = oci_wasm::ToConfig::to_config(&config).map_err(|error| {
            RegistryError::NotAComponent {
                source: error.into(),
            }
        })?;
        let layers = [layer];
        let mut manifest = OciImageManifest::build(&layers, &config, None);
        manifest.media_type = Some(oci_wasm::WASM_MANIFEST_MEDIA_TYPE.to_owned());
        let digest = self
            .within(TRANSFER_PATIENCE, async {
                self.log_in(RegistryOperation::Push).await?;
                let reference = self.address.reference();
                let manifest = Some(manifest);
                self.client
                    .as_ref()
                    .push(reference, &layers, config, &self.auth, manifest)
                    .await?;
                self.client
                    .fetch_manifest_digest(reference, &self.auth)
                    .await
            })
            .await?;
        Ok(self.address.pinned(&digest))
    }

    /// The client would try without when this fails, and say less.
    async fn log_in(
        &self,
        operation: RegistryOperation,
    ) -> Result<(), oci_client::errors::OciDistributionError> {
        let reference = self.address.reference();
        let login = self.client.auth(reference, &self.auth, operation);
        login.await.map(drop)
    }

    /// The one layer of a component.
    fn layer(&self, manifest: &OciImageManifest) -> Result<OciDescriptor, RegistryError> {
        let kind = &manifest.config.media_type;
        if kind != WASM_MANIFEST_CONFIG_MEDIA_TYPE {
            return Err(self.not_wasm(format!("its config is {kind:?}")));
        }
        let [layer] = manifest.layers.as_slice() else {
            let count = manifest.layers.len();
            return Err(self.not_wasm(format!("it has {count} layers instead of one")));
        };
        if layer.media_type != WASM_LAYER_MEDIA_TYPE {
            return Err(self.not_wasm(format!("its layer is {:?}", layer.media_type)));
        }
        if !layer.digest.starts_with("sha256:") {
            return Err(self.not_wasm("its layer has no SHA-256 digest".to_owned()));
        }
        if u64::try_from(layer.size).is_ok_and(|size| size > LARGEST) {
            return Err(self.too_large());
        }
        // Other places that a manifest names are none of the registry's.
        Ok(OciDescriptor {
            urls: None,
            ..layer.clone()
        })
    }

    /// No more than a component may have, whatever the manifest says.
    async fn bytes(
        &self,
        layer: OciDescriptor,
        progress: &mut impl FnMut(u64, u64),
    ) -> Result<Vec<u8>, RegistryError> {
        let total = u64::try_from(layer.size).unwrap_or(0);
        let reference = self.address.reference();
        let opened = self.client.pull_blob_stream(reference, &layer).await;
        let mut stream = opened.map_err(|error| self.sorted(error))?;
        let mut bytes = Vec::new();
        while let Some(part) = stream.next().await {
            let part = part.map_err(|error| self.broken_off(error))?;
            bytes.extend_from_slice(&part);
            if bytes.len() as u64 > LARGEST {
                return Err(self.too_large());
            }
            progress(bytes.len() as u64, total.max(bytes.len() as u64));
        }
        Ok(bytes)
    }

    async fn within<T>(
        &self,
        patience: Duration,
        work: impl Future<Output = Result<T, oci_client::errors::OciDistributionError>>,
    ) -> Result<T, RegistryError> {
        match tokio::time::timeout(patience, work).await {
            Ok(outcome) => outcome.map_err(|error| self.sorted(error)),
            Err(_) => Err(self.too_slow(patience)),
        }
    }

    fn sorted(&self, error: oci_client::errors::OciDistributionError) -> RegistryError {
        let known = self.auth != RegistryAuth::Anonymous;
        RegistryError::of(error, &self.address, known)
    }

    /// The stream ends with an error when the digest does not fit.
    fn broken_off(&self, error: std::io::Error) -> RegistryError {
        let digest = error
            .get_ref()
            .is_some_and(|cause| cause.is::<oci_client::errors::DigestError>());
        if digest {
            return RegistryError::WrongDigest {
                address: self.address.clone(),
            };
        }
        RegistryError::Unreachable {
            registry: self.address.registry().to_owned(),
            source: Box::new(error),
        }
    }

    fn too_slow(&self, patience: Duration) -> RegistryError {
        RegistryError::TimedOut {
            registry: self.address.registry().to_owned(),
            patience,
        }
    }

    fn too_large(&self) -> RegistryError {
        RegistryError::TooLarge {
            address: self.address.clone(),
            limit: LARGEST,
        }
    }

    fn not_wasm(&self, why: String) -> RegistryError {
        RegistryError::NotWasm {
            address: self.address.clone(),
            why,
        }
    }
}

/// The client's TLS is what the process has; all of ours is ring.
fn have_tls() {
    if CryptoProvider::get_default().is_none() {
        // An error means that somebody was quicker, with the same.
        let _ = CryptoProvider::install_default(ring::default_provider());
    }
}
