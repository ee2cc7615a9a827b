//! One certificate with its key, as PEM files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::CertifiedKey;

use crate::tls::validity::Validity;

/// Bytes of one file at most; a chain has a few thousand.
const SIZE_LIMIT: u64 = 1024 * 1024;

/// A certificate that fits its key.
#[derive(Debug)]
pub(crate) struct Certificate {
    pub key: Arc<CertifiedKey>,
    /// In lower case; `*.example.com` stands for every name one level below.
    pub names: Vec<String>,
    /// From when on another one should be had.
    pub renewal: Option<SystemTime>,
}

/// Why a certificate cannot be served.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FileError {
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} is larger than {SIZE_LIMIT} bytes", path.display())]
    TooLarge { path: PathBuf },
    #[error("{} holds no certificate in PEM", path.display())]
    NoCertificate { path: PathBuf },
    #[error("{} holds no private key in PEM", path.display())]
    NoKey { path: PathBuf },
    #[error("the certificate in {} and its key do not go together", path.display())]
    Unusable {
        path: PathBuf,
        source: rustls::Error,
    },
    #[error("the certificate in {} cannot be understood", path.display())]
    Damaged {
        path: PathBuf,
        source: webpki::Error,
    },
    #[error("the certificate in {} is for no domain name", path.display())]
    NoName { path: PathBuf },
}

/// Where a certificate is: the chain, its own certificate first, and the key,
/// which may be in the same file.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    pub chain: PathBuf,
    pub key: PathBuf,
}

/// What changes when a file is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Stamp([Option<(SystemTime, u64)>; 2]);

impl Place {
    /// `NAME.key` beside `NAME.pem`, or else `NAME.pem` itself.
    pub fn beside(chain: PathBuf) -> Self {
        let key = chain.with_extension("key");
        let key = if key.exists() { key } else { chain.clone() };
        Self { chain, key }
    }

    /// Whether it is served to clients for which there is no other.
    pub fn is_default(&self) -> bool {
        self.chain.file_stem().is_some_and(|stem| stem == "default")
    }

    pub fn stamp(&self) -> Stamp {
        let of = |path: &Path| {
            let metadata = fs::metadata(path).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        };
        Stamp([of(&self.chain), of(&self.key)])
    }

    pub fn read(&self) -> Result<Certificate, FileError> {
        let chain = read(&self.chain)?;
        let chain: Vec<_> = CertificateDer::pem_slice_iter(&chain)
            .collect::<Result<_, _>>()
            .unwrap_or_default();
        let Some(own) = chain.first() else {
            let path = self.chain.clone();
            return Err(FileError::NoCertificate { path });
        };
        let names = names(own, &self.chain)?;
        let renewal = Validity::of(own).map(|validity| validity.renewal());
        if names.is_empty() && !self.is_default() {
            let path = self.chain.clone();
            return Err(FileError::NoName { path });
        }
        let key = PrivateKeyDer::from_pem_slice(&read(&self.key)?).map_err(|_| {
            let path = self.key.clone();
            FileError::NoKey { path }
        })?;
        let provider = rustls::crypto::ring::default_provider();
        let key = CertifiedKey::from_der(chain, key, &provider).map_err(|source| {
            let path = self.chain.clone();
            FileError::Unusable { path, source }
        })?;
        let key = Arc::new(key);
        Ok(Certificate {
            key,
            names,
            renewal,
        })
    }
}

fn read(path: &Path) -> Result<Vec<u8>, FileError> {
    let failed = |source| FileError::Read {
        path: path.to_owned(),
        source,
    };
    if fs::metadata(path).map_err(failed)?.len() > SIZE_LIMIT {
        let path = path.to_owned();
        return Err(FileError::TooLarge { path });
    }
    fs::read(path).map_err(failed)
}

fn names(certificate: &CertificateDer<'_>, path: &Path) -> Result<Vec<String>, FileError> {
    let read = webpki::EndEntityCert::try_from(certificate);
    let read = read.map_err(|source| FileError::Damaged {
        path: path.to_owned(),
        source,
    })?;
    let names = read.valid_dns_names();
    Ok(names.map(str::to_ascii_lowercase).collect())
}
