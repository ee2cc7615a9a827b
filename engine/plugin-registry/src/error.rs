//! What may go wrong with a registry, sorted by who can fix it.

use std::path::PathBuf;
use std::time::Duration;

use oci_client::errors::{OciDistributionError, OciErrorCode};

use crate::address::Address;

#[derive(Debug, thiserror::Error)]
pub enum RegistryError {
    #[error("{path:?} of docker is not understood: {why}")]
    DockerConfig { path: PathBuf, why: String },
    #[error("{registry} could not be reached")]
    Unreachable {
        registry: String,
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("{registry} did not finish within {} s", patience.as_secs())]
    TimedOut {
        registry: String,
        patience: Duration,
    },
    #[error("{registry} wants a name and a password")]
    LoginNeeded { registry: String },
    #[error("{registry} does not take this name and password")]
    LoginRefused { registry: String },
    #[error("{registry} does not allow this")]
    Forbidden { registry: String },
    #[error("there is no {0}")]
    NotFound(Address),
    #[error("{address} is no WebAssembly component: {why}")]
    NotWasm { address: Address, why: String },
    #[error("{address} is larger than a component may be ({} MiB)", limit / (1024 * 1024))]
    TooLarge { address: Address, limit: u64 },
    #[error("{address} does not have the bytes that its digest says")]
    WrongDigest { address: Address },
    #[error("the file is no WebAssembly component")]
    NotAComponent {
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    #[error("{registry} answered with an error")]
    Failed {
        registry: String,
        source: Box<OciDistributionError>,
    },
}

impl RegistryError {
    /// What to do about it.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Unreachable { .. } => Some(
                "check the name and the network; a registry that has no TLS needs --plain-http",
            ),
            Self::LoginNeeded { .. } => Some(
                "run `docker login`, or say --username and --password-file; credential helpers \
                 are not asked",
            ),
            Self::LoginRefused { .. } => Some("check --username and --password-file"),
            Self::Forbidden { .. } => Some("ask who runs the registry for the right to do it"),
            Self::NotFound(_) => Some("check the name and the tag"),
            Self::NotWasm { .. } => Some(
                "push it with `shipway plugin push`, `wkg oci push` or another tool that makes \
                 Wasm OCI artifacts",
            ),
            Self::WrongDigest { .. } => {
                Some("it was changed on its way or in the registry; do not use it")
            }
            Self::NotAComponent { .. } => Some("build it with `shipway plugin build`"),
            Self::DockerConfig { .. } => Some("say --username and --password-file, or mend it"),
            _ => None,
        }
    }

    /// Whether the same may work later.
    pub fn is_for_now(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::TimedOut { .. })
    }

    /// Sorts what the client says. `known`: whether we showed a login.
    pub(crate) fn of(error: OciDistributionError, address: &Address, known: bool) -> Self {
        use OciDistributionError as Client;
        let registry = address.registry().to_owned();
        let not_wasm = |why: &str| Self::NotWasm {
            address: address.clone(),
            why: why.to_owned(),
        };
        match error {
            Client::AuthenticationFailure(_) | Client::UnauthorizedError { .. } if known => {
                Self::LoginRefused { registry }
            }
            Client::AuthenticationFailure(_) | Client::UnauthorizedError { .. } => {
                Self::LoginNeeded { registry }
            }
            Client::ServerError { code: 401, .. } if known => Self::LoginRefused { registry },
            Client::ServerError { code: 401, .. } => Self::LoginNeeded { registry },
            Client::ServerError { code: 403, .. } => Self::Forbidden { registry },
            Client::ServerError { code: 404, .. } | Client::ImageManifestNotFoundError(_) => {
                Self::NotFound(address.clone())
            }
            Client::RegistryError { ref envelope, .. } => {
                let code = envelope.errors.first().map(|error| &error.code);
                match code {
                    Some(
                        OciErrorCode::ManifestUnknown
                        | OciErrorCode::NameUnknown
                        | OciErrorCode::NotFound,
                    ) => Self::NotFound(address.clone()),
                    Some(OciErrorCode::Unauthorized) if known => Self::LoginRefused { registry },
                    Some(OciErrorCode::Unauthorized) => Self::LoginNeeded { registry },
                    Some(OciErrorCode::Denied) => Self::Forbidden { registry },
                    _ => Self::failed(registry, error),
                }
            }
            Client::DigestError(_) => Self::WrongDigest {
                address: address.clone(),
            },
            Client::ImageIndexParsingNoPlatformResolverError => {
                not_wasm("it is an index of images")
            }
            Client::UnsupportedMediaTypeError(kind) => not_wasm(&format!("it is {kind}")),
            Client::UnsupportedSchemaVersionError(_)
            | Client::VersionedParsingError(_)
            | Client::ManifestParsingError(_) => not_wasm("its manifest is not understood"),
            Client::RequestError(ref failed) => match failed.status().map(|code| code.as_u16()) {
                Some(401) if known => Self::LoginRefused { registry },
                Some(401) => Self::LoginNeeded { registry },
                Some(403) => Self::Forbidden { registry },
                Some(404) => Self::NotFound(address.clone()),
                Some(_) => Self::failed(registry, error),
                None => Self::Unreachable {
                    registry,
                    source: Box::new(error),
                },
            },
            error => Self::failed(registry, error),
        }
    }

    fn failed(registry: String, error: OciDistributionError) -> Self {
        Self::Failed {
            registry,
            source: Box::new(error),
        }
    }
}
