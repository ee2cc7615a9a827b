//! The store in one SQLite file.
//!
//! One connection writes and a few read: in WAL mode they never wait for each
//! other, and nobody but another process can meet a busy database. What the
//! recovery of a deployment depends on survives a power cut
//! ([`Durability::PowerCut`]); log lines and signs of life need not, and would
//! otherwise cost a disk flush each.
//!
//! The file is readable by its owner only, and what may hold secrets is sealed
//! in it ([`crate::keyring`]).

mod apps;
mod audit;
mod deployments;
mod leases;
mod logs;
mod open;
mod outbox;
mod prune;
mod registry;
mod row;
mod sealed;
mod sessions;
mod tokens;
mod upkeep;
mod webhooks;

use std::path::Path;
use std::sync::Arc;

use shipway_core::ports::store::StoreError;
use sqlx::{SqlSafeStr, Sqlite, SqlitePool, Transaction};

pub use open::OpenError;
use row::Fault;

use crate::keyring::Keyring;

/// Beside the database, where nobody names another.
const KEY_FILE: &str = "secrets.key";

#[derive(Debug, Clone)]
pub struct SqliteStore {
    writer: SqlitePool,
    readers: SqlitePool,
    keys: Arc<Keyring>,
}

/// What a committed transaction outlives.
#[derive(Debug, Clone, Copy)]
enum Durability {
    /// The machine losing power: the disk is flushed before the commit returns.
    PowerCut,
    /// The engine being killed. After a power cut the newest of these may be
    /// missing, but the file is sound.
    Kill,
}

impl SqliteStore {
    /// Opens the store at a path, with the key file beside it.
    pub async fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, &path.with_file_name(KEY_FILE)).await
    }

    /// Opens the store at a path, makes it when there is none, brings its schema
    /// up to date, and seals with the newest key what is not. The directory must
    /// exist. A key file that is not there is made, but not for a store that
    /// needs the one that was lost.
    ///
    /// Fails with [`StoreError::DiskFull`], or with [`StoreError::Failed`] and
    /// an [`OpenError`] as its cause.
    pub async fn open_with(path: &Path, key_file: &Path) -> Result<Self, StoreError> {
        open::open(path, key_file).await
    }

    /// Lets the file grow to so many bytes and no further: what does not fit
    /// fails with [`StoreError::DiskFull`], as it does on a full disk. It is
    /// never made smaller than it is.
    pub async fn limit_size(&self, bytes: u64) -> Result<(), StoreError> {
        let work = async {
            let mut writer = self.writer.acquire().await?;
            let page: i64 = sqlx::query_scalar("PRAGMA page_size")
                .fetch_one(&mut *writer)
                .await?;
            // Nought would ask for the limit, not set it.
            let pages = (row::signed(bytes) / page.max(1)).max(1);
            let options = (*self.writer.connect_options()).clone();
            let options = options.pragma("max_page_count", pages.to_string());
            // A connection takes it up when it is made.
            self.writer.set_connect_options(options);
            Ok(writer.close().await?)
        };
        attempt(work, || "limit the size of the store".to_owned()).await
    }

    /// Waits for what is being written, folds the WAL into the file and closes
    /// it. Calls after it fail.
    pub async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }

    /// A transaction that writes, alone.
    async fn write(
        &self,
        durability: Durability,
    ) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        match self.begin(durability).await {
            // A commit that failed, as on a full disk, was rolled back by
            // SQLite and counts as open for ever all the same: such a
            // connection is of no more use.
            Err(sqlx::Error::InvalidSavePointStatement) => {
                self.writer.acquire().await?.close().await?;
                self.begin(durability).await
            }
            begun => begun,
        }
    }

    async fn begin(
        &self,
        durability: Durability,
    ) -> Result<Transaction<'static, Sqlite>, sqlx::Error> {
        let mut connection = self.writer.acquire().await?;
        // Set each time: a caller that was dropped half-way must not leave the
        // next one with less than it asked for.
        sqlx::query(match durability {
            Durability::PowerCut => "PRAGMA synchronous = FULL",
            Durability::Kill => "PRAGMA synchronous = NORMAL",
        })
        .execute(&mut *connection)
        .await?;
        Transaction::begin(connection, Some("BEGIN IMMEDIATE".into_sql_str())).await
    }
}

/// Runs one call of the port; a failure says what was being tried.
async fn attempt<T>(
    work: impl Future<Output = Result<T, Fault>>,
    what: impl FnOnce() -> String,
) -> Result<T, StoreError> {
    work.await.map_err(|fault| fault.explain(what))
}
