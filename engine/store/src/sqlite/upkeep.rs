use async_trait::async_trait;
use shipway_core::ports::store::{Backlog, StoreError, Upkeep};
use sqlx::Row;

use super::row::unsigned;
use super::{Durability, SqliteStore, attempt};

#[async_trait]
impl Upkeep for SqliteStore {
    /// Writes the file's first page anew, as it is: that takes the lock, room in
    /// the WAL, and a disk that can be written to.
    async fn prove_writable(&self) -> Result<(), StoreError> {
        let work = async {
            let mut tx = self.write(Durability::Kill).await?;
            sqlx::query("PRAGMA user_version = 0")
                .execute(&mut *tx)
                .await?;
            Ok(tx.commit().await?)
        };
        attempt(work, || "write something".to_owned()).await
    }

    async fn backlog(&self) -> Result<Backlog, StoreError> {
        let work = async {
            let sql = "SELECT COUNT(DISTINCT outbox.deployment || ' ' || outbox.notifier) \
                       AS notifiers, COUNT(*) AS events FROM outbox JOIN journal \
                       ON journal.deployment = outbox.deployment \
                       AND journal.sequence > outbox.delivered \
                       WHERE outbox.due_at IS NOT NULL";
            let row = sqlx::query(sql).fetch_one(&self.readers).await?;
            Ok(Backlog {
                notifiers: unsigned(row.try_get("notifiers")?),
                events: unsigned(row.try_get("events")?),
            })
        };
        attempt(work, || "count what notifiers must be told".to_owned()).await
    }
}
