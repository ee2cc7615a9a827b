//! Opening the file: its mode, its connections, its schema.

use std::fs::{File, OpenOptions, Permissions};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;
use std::{io, path::PathBuf};

use shipway_core::ports::store::StoreError;
use sqlx::SqlitePool;
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::sqlite::{SqliteAutoVacuum, SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions};

use super::SqliteStore;
use super::row::{Fault, failed, is_full};
use super::sealed::{self, Sealed};
use crate::keyring::KeyringError;

static MIGRATIONS: Migrator = sqlx::migrate!("./migrations");

/// Another process may hold the write lock (a backup, a second engine): how
/// long to wait for it.
const BUSY_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a call waits for its turn with a connection.
const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(30);
const READERS: u32 = 4;
/// The WAL is cut back to this when a burst is over.
const WAL_LIMIT: &str = "67108864";
/// What `PRAGMA auto_vacuum` answers for a file that can shrink in steps.
const INCREMENTAL: i64 = 2;
/// SQLite's result code for a file that is no database.
const NOT_A_DATABASE: &str = "26";

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("the file cannot be opened; check that its directory exists and is yours")]
    File(#[source] io::Error),
    #[error("the file is no SQLite database; move it away, or choose another state directory")]
    NotADatabase,
    #[error(
        "it was written by a newer Shipway (schema {found}, this one knows up to {known}); \
         run that version, or choose another state directory"
    )]
    Newer { found: i64, known: i64 },
    #[error("the schema could not be brought up to date")]
    Migrate(#[source] MigrateError),
    #[error("the database does not answer")]
    Connect(#[source] sqlx::Error),
    #[error("its secrets cannot be opened")]
    Keys(#[source] KeyringError),
    #[error(
        "its secrets are sealed, and the key file {} is not there; bring it back", path.display()
    )]
    KeysMissing { path: PathBuf },
    #[error("its secrets cannot be sealed")]
    Seal(#[source] Box<dyn std::error::Error + Send + Sync>),
}

pub async fn open(path: &Path, key_file: &Path) -> Result<SqliteStore, StoreError> {
    let (writer, readers) = connect(path).await.map_err(|error| explain(path, error))?;
    match prepare(&writer, &readers, key_file).await {
        Ok(store) => Ok(store),
        Err(error) => {
            readers.close().await;
            writer.close().await;
            Err(explain(path, error))
        }
    }
}

async fn prepare(
    writer: &SqlitePool,
    readers: &SqlitePool,
    key_file: &Path,
) -> Result<SqliteStore, OpenError> {
    MIGRATIONS.run(writer).await.map_err(migration)?;
    let_shrink(writer).await;
    let store = SqliteStore {
        keys: Arc::new(sealed::keys(writer, key_file).await?),
        writer: writer.clone(),
        readers: readers.clone(),
    };
    seal(&store).await.map_err(|fault| match fault {
        Fault::Sql(error) => OpenError::Connect(error),
        fault => OpenError::Seal(Box::new(fault)),
    })?;
    Ok(store)
}

async fn seal(store: &SqliteStore) -> Result<(), Fault> {
    let Sealed { first, anew } = store.seal_anew().await?;
    if first > 0 {
        store.forget_plain().await?;
    }
    if first + anew > 0 {
        let key = store.keys.id();
        tracing::info!(key, first, anew, "settings were sealed with the newest key");
    }
    Ok(())
}

/// A file that was made before it could shrink is written anew, once. It needs
/// as much room again; where there is none the file is as good as before, and
/// the next opening tries again.
async fn let_shrink(writer: &SqlitePool) {
    let mode = sqlx::query_scalar::<_, i64>("PRAGMA auto_vacuum")
        .fetch_one(writer)
        .await;
    if mode.is_ok_and(|mode| mode != INCREMENTAL) {
        let _as_before = sqlx::query("VACUUM").execute(writer).await;
    }
}

/// The connection that writes, and those that read.
async fn connect(path: &Path) -> Result<(SqlitePool, SqlitePool), OpenError> {
    let owned = path.to_owned();
    tokio::task::spawn_blocking(move || make_private(&owned))
        .await
        .map_err(io::Error::other)
        .and_then(|made| made)
        .map_err(OpenError::File)?;
    let options = options(path);
    // Only who writes may set this: setting it is a write.
    let shrinking = options.clone().auto_vacuum(SqliteAutoVacuum::Incremental);
    let writer = pool(1).connect_with(shrinking).await.map_err(unanswered)?;
    let readers = pool(READERS).connect_lazy_with(options.pragma("query_only", "ON"));
    Ok((writer, readers))
}

fn options(path: &Path) -> SqliteConnectOptions {
    SqliteConnectOptions::new()
        .filename(path)
        .journal_mode(SqliteJournalMode::Wal)
        .foreign_keys(true)
        .busy_timeout(BUSY_TIMEOUT)
        .pragma("journal_size_limit", WAL_LIMIT)
}

/// The connections are to a file: they do not go stale, so they are kept and
/// not tested before use.
fn pool(connections: u32) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(ACQUIRE_TIMEOUT)
        .idle_timeout(None)
        .max_lifetime(None)
        .test_before_acquire(false)
}

/// Makes the file for its owner alone before SQLite sees it; SQLite gives the
/// files beside it the same mode.
fn make_private(path: &PathBuf) -> io::Result<()> {
    let file: File = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))
}

fn unanswered(error: sqlx::Error) -> OpenError {
    if code_is(&error, NOT_A_DATABASE) {
        return OpenError::NotADatabase;
    }
    OpenError::Connect(error)
}

fn migration(error: MigrateError) -> OpenError {
    let known = MIGRATIONS.iter().map(|m| m.version).max().unwrap_or(0);
    match error {
        MigrateError::VersionMissing(found) if found > known => OpenError::Newer { found, known },
        MigrateError::Execute(error) => unanswered(error),
        other => OpenError::Migrate(other),
    }
}

fn explain(path: &Path, error: OpenError) -> StoreError {
    let full = match &error {
        OpenError::File(error) => error.kind() == io::ErrorKind::StorageFull,
        OpenError::Connect(error) => is_full(error),
        OpenError::Migrate(MigrateError::ExecuteMigration(error, _)) => is_full(error),
        _ => false,
    };
    if full {
        return StoreError::DiskFull;
    }
    failed(format!("open {}", path.display()), error)
}

fn code_is(error: &sqlx::Error, code: &str) -> bool {
    error
        .as_database_error()
        .and_then(|database| database.code())
        .is_some_and(|found| found == code)
}
