//! Rows to values and back, and failures to the port's errors.

use std::io;

use serde::Serialize;
use serde::de::DeserializeOwned;
use shipway_core::name::{InvalidName, Timestamp};
use shipway_core::ports::store::StoreError;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::keyring::SealError;

/// Result codes of SQLite that mean "no space left": FULL, and IOERR_SHMSIZE
/// for the shared-memory file beside the database.
const FULL_CODES: [&str; 2] = ["13", "4874"];

/// Why a call failed, before it is known what it was for.
#[derive(Debug, thiserror::Error)]
pub enum Fault {
    /// An answer of the port already.
    #[error(transparent)]
    Answer(#[from] StoreError),
    #[error(transparent)]
    Sql(#[from] sqlx::Error),
    #[error("a stored value cannot be read; was it changed by hand?")]
    Json(#[from] serde_json::Error),
    #[error("a stored name cannot be read; was it changed by hand?")]
    Name(#[from] InvalidName),
    #[error("a stored setting cannot be opened")]
    Seal(#[from] SealError),
}

impl Fault {
    pub fn explain(self, what: impl FnOnce() -> String) -> StoreError {
        match self {
            Self::Answer(error) => error,
            Self::Sql(error) if is_full(&error) => StoreError::DiskFull,
            Self::Sql(error) => failed(what(), error),
            other => failed(what(), other),
        }
    }
}

pub fn failed(what: String, source: impl std::error::Error + Send + Sync + 'static) -> StoreError {
    let source = Box::new(source);
    StoreError::Failed { what, source }
}

pub fn is_full(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(database) => database
            .code()
            .is_some_and(|code| FULL_CODES.contains(&code.as_ref())),
        sqlx::Error::Io(error) => error.kind() == io::ErrorKind::StorageFull,
        _ => false,
    }
}

pub fn encode<T: Serialize>(value: &T) -> Result<String, Fault> {
    Ok(serde_json::to_string(value)?)
}

pub fn decode<T: DeserializeOwned>(text: &str) -> Result<T, Fault> {
    Ok(serde_json::from_str(text)?)
}

/// The JSON in the first column of a row.
pub fn body<T: DeserializeOwned>(row: &SqliteRow) -> Result<T, Fault> {
    decode(row.try_get::<&str, _>(0)?)
}

pub fn bodies<T: DeserializeOwned>(rows: &[SqliteRow]) -> Result<Vec<T>, Fault> {
    rows.iter().map(body).collect()
}

/// Nanoseconds since 1970: exact, and good until the year 2262.
pub fn nanos(at: Timestamp) -> i64 {
    let nanos = at.0.unix_timestamp_nanos();
    i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })
}

pub fn timestamp(nanos: i64) -> Timestamp {
    let at = time::OffsetDateTime::from_unix_timestamp_nanos(i128::from(nanos));
    Timestamp(at.unwrap_or(time::OffsetDateTime::UNIX_EPOCH))
}

/// SQLite's integers are signed; no journal is that long.
pub fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub fn unsigned(number: i64) -> u64 {
    u64::try_from(number).unwrap_or(0)
}
