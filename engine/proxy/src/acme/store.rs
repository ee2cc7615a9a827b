//! The account and the certificates on disk, for this user alone. Each file
//! is written beside and renamed.

use std::fs::{self, DirBuilder, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::PathBuf;

use instant_acme::AccountCredentials;
use serde::{Deserialize, Serialize};

const ACCOUNT: &str = "account.json";

#[derive(Debug)]
pub(crate) struct Store {
    folder: PathBuf,
}

/// A chain with its key, in PEM.
pub(crate) struct Issued {
    pub chain: String,
    pub key: String,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error("cannot write {}", path.display())]
    Write { path: PathBuf, source: io::Error },
    #[error("cannot read {}", path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("{} is damaged; move it away to open a new account", path.display())]
    Damaged {
        path: PathBuf,
        source: serde_json::Error,
    },
}

/// An account is one authority's.
#[derive(Serialize, Deserialize)]
struct Account<C> {
    directory: String,
    credentials: C,
}

impl Store {
    pub fn at(folder: PathBuf) -> Self {
        Self { folder }
    }

    pub fn prepare(&self) -> io::Result<()> {
        let mut builder = DirBuilder::new();
        builder.recursive(true).mode(0o700).create(&self.folder)
    }

    /// The account at this authority, if one was opened.
    pub fn account(&self, directory: &str) -> Result<Option<AccountCredentials>, StoreError> {
        let path = self.folder.join(ACCOUNT);
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(StoreError::Read { path, source }),
        };
        let read = serde_json::from_slice::<Account<AccountCredentials>>(&text);
        let account = read.map_err(|source| StoreError::Damaged { path, source })?;
        Ok((account.directory == directory).then_some(account.credentials))
    }

    pub fn save_account(
        &self,
        directory: &str,
        credentials: &AccountCredentials,
    ) -> Result<(), StoreError> {
        let account = Account {
            directory: directory.to_owned(),
            credentials,
        };
        let text = serde_json::to_vec(&account).map_err(|source| StoreError::Damaged {
            path: self.folder.join(ACCOUNT),
            source,
        })?;
        self.save(ACCOUNT, &text)
    }

    /// One file, so that a chain is never beside the key of another.
    pub fn save_certificate(&self, host: &str, issued: &Issued) -> Result<(), StoreError> {
        let Issued { chain, key } = issued;
        self.save(&format!("{host}.pem"), format!("{chain}\n{key}").as_bytes())
    }

    fn save(&self, name: &str, bytes: &[u8]) -> Result<(), StoreError> {
        let path = self.folder.join(name);
        let beside = self.folder.join(format!("{name}.new"));
        let saved = || {
            let mut file = OpenOptions::new()
                .write(true)
                .create(true)
                .truncate(true)
                .mode(0o600)
                .open(&beside)?;
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&beside, &path)
        };
        saved().map_err(|source| StoreError::Write {
            path: path.clone(),
            source,
        })
    }
}
