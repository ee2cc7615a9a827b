//! Rows that may hold secrets are sealed whole. What says which row it is stays
//! readable, and is what a row is sealed for: moved to another, it opens no more.

use std::path::Path;

use serde::Serialize;
use serde::de::DeserializeOwned;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::open::OpenError;
use super::row::{Fault, decode, encode};
use super::{Durability, SqliteStore};
use crate::keyring::{Keyring, KeyringError, sealed_by};

/// A table whose rows are sealed.
#[derive(Debug, Clone, Copy)]
pub struct Table {
    name: &'static str,
    /// Reads what names each row, and its body.
    select: &'static str,
    update: &'static str,
}

pub const APPS: Table = Table {
    name: "apps",
    select: "SELECT name, body FROM apps",
    update: "UPDATE apps SET body = $2 WHERE name = $1",
};
pub const ENVIRONMENTS: Table = Table {
    name: "environments",
    select: "SELECT app || '/' || name, body FROM environments",
    update: "UPDATE environments SET body = $2 WHERE app || '/' || name = $1",
};
pub const PLUGINS: Table = Table {
    name: "plugins",
    select: "SELECT name, body FROM plugins",
    update: "UPDATE plugins SET body = $2 WHERE name = $1",
};
pub const WEBHOOKS: Table = Table {
    name: "webhooks",
    select: "SELECT id, body FROM webhooks",
    update: "UPDATE webhooks SET body = $2 WHERE id = $1",
};
const ALL: [Table; 4] = [APPS, ENVIRONMENTS, PLUGINS, WEBHOOKS];

impl Table {
    fn place(self, row: &str) -> String {
        format!("{} {row}", self.name)
    }
}

impl SqliteStore {
    pub(super) fn seal<T: Serialize>(
        &self,
        table: Table,
        row: impl ToString,
        value: &T,
    ) -> Result<String, Fault> {
        let place = table.place(&row.to_string());
        Ok(self.keys.seal(&place, &encode(value)?)?)
    }

    /// The value in a row of what names it and its body.
    pub(super) fn unseal<T: DeserializeOwned>(
        &self,
        table: Table,
        row: &SqliteRow,
    ) -> Result<T, Fault> {
        let place = table.place(row.try_get::<&str, _>(0)?);
        decode(&self.keys.open(&place, row.try_get::<&str, _>(1)?)?)
    }

    pub(super) fn unseal_all<T: DeserializeOwned>(
        &self,
        table: Table,
        rows: &[SqliteRow],
    ) -> Result<Vec<T>, Fault> {
        rows.iter().map(|row| self.unseal(table, row)).collect()
    }

    /// Seals with the first key what is not, in one transaction. Says whether
    /// anything was readable before.
    pub(super) async fn seal_anew(&self) -> Result<Sealed, Fault> {
        let mut tx = self.write(Durability::PowerCut).await?;
        let mut done = Sealed::default();
        for table in ALL {
            for row in sqlx::query(table.select).fetch_all(&mut *tx).await? {
                let (name, body): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
                match sealed_by(body) {
                    Some(id) if id == self.keys.id() => continue,
                    Some(_) => done.anew += 1,
                    None => done.first += 1,
                }
                let place = table.place(name);
                let text = self.keys.open(&place, body)?;
                sqlx::query(table.update)
                    .bind(name)
                    .bind(self.keys.seal(&place, &text)?)
                    .execute(&mut *tx)
                    .await?;
            }
        }
        tx.commit().await?;
        Ok(done)
    }

    /// What was readable before is not left in free pages or in the WAL.
    pub(super) async fn forget_plain(&self) -> Result<(), Fault> {
        for sql in ["VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"] {
            sqlx::query(sql).execute(&self.writer).await?;
        }
        Ok(())
    }
}

/// How many rows were sealed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sealed {
    /// That were not before.
    pub first: usize,
    /// That another key had sealed.
    pub anew: usize,
}

/// The keys of a store. A file that is not there is made, but not for a store
/// that was sealed with one that was lost.
pub async fn keys(writer: &sqlx::SqlitePool, file: &Path) -> Result<Keyring, OpenError> {
    if let Some(keys) = Keyring::read(file)? {
        return Ok(keys);
    }
    for table in ALL {
        let rows = sqlx::query(table.select).fetch_all(writer).await;
        for row in rows.map_err(OpenError::Connect)? {
            let body: &str = row.try_get(1).map_err(OpenError::Connect)?;
            if sealed_by(body).is_some() {
                let path = file.to_owned();
                return Err(OpenError::KeysMissing { path });
            }
        }
    }
    Ok(Keyring::make(file)?)
}

impl From<KeyringError> for OpenError {
    fn from(error: KeyringError) -> Self {
        Self::Keys(error)
    }
}
