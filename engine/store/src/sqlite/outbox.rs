use async_trait::async_trait;
use shipway_core::name::{DeploymentId, PluginName, Timestamp};
use shipway_core::ports::store::{Due, Outbox, StoreError, Subscription};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::row::{Fault, nanos, signed, unsigned};
use super::{Durability, SqliteStore, attempt};

/// Subscriptions with something to tell.
const DUE: &str = "due_at IS NOT NULL AND due_at <= $1 AND EXISTS (SELECT 1 FROM journal \
                   WHERE journal.deployment = outbox.deployment \
                   AND journal.sequence > outbox.delivered)";

#[async_trait]
impl Outbox for SqliteStore {
    async fn subscribe(
        &self,
        id: DeploymentId,
        notifiers: &[PluginName],
    ) -> Result<(), StoreError> {
        let work = async {
            let mut tx = self.write(Durability::PowerCut).await?;
            subscribe(&mut tx, id, notifiers).await?;
            Ok(tx.commit().await?)
        };
        attempt(work, || format!("note who hears of deployment {id}")).await
    }

    async fn take_due(
        &self,
        now: Timestamp,
        until: Timestamp,
        most: u32,
    ) -> Result<Vec<Subscription>, StoreError> {
        let work = async {
            // Nothing is due most of the time, and then nothing is written.
            let sql = format!("SELECT 1 FROM outbox WHERE {DUE} LIMIT 1");
            let any = sqlx::query(sqlx::AssertSqlSafe(sql))
                .bind(nanos(now))
                .fetch_optional(&self.readers)
                .await?;
            if any.is_none() {
                return Ok(Vec::new());
            }
            let mut tx = self.write(Durability::Kill).await?;
            let sql = format!(
                "UPDATE outbox SET due_at = $2 WHERE (deployment, notifier) IN \
                 (SELECT deployment, notifier FROM outbox WHERE {DUE} ORDER BY due_at LIMIT $3) \
                 RETURNING deployment, notifier, delivered, attempts"
            );
            let rows = sqlx::query(sqlx::AssertSqlSafe(sql))
                .bind(nanos(now))
                .bind(nanos(until))
                .bind(i64::from(most))
                .fetch_all(&mut *tx)
                .await?;
            tx.commit().await?;
            rows.iter().map(subscription).collect()
        };
        attempt(work, || "look what notifiers must be told".to_owned()).await
    }

    async fn settle(&self, subscription: &Subscription, due: Due) -> Result<(), StoreError> {
        let work = async {
            let due_at = match due {
                Due::At(time) => Some(nanos(time)),
                Due::Never => None,
            };
            let mut tx = self.write(Durability::Kill).await?;
            let sql = "UPDATE outbox SET delivered = $3, attempts = $4, due_at = $5 \
                       WHERE deployment = $1 AND notifier = $2 AND delivered <= $3";
            sqlx::query(sql)
                .bind(subscription.deployment.to_string())
                .bind(subscription.notifier.as_str())
                .bind(signed(subscription.delivered))
                .bind(i64::from(subscription.attempts))
                .bind(due_at)
                .execute(&mut *tx)
                .await?;
            Ok(tx.commit().await?)
        };
        attempt(work, || "note what a notifier was told".to_owned()).await
    }
}

pub(super) async fn subscribe(
    tx: &mut SqliteConnection,
    id: DeploymentId,
    notifiers: &[PluginName],
) -> Result<(), Fault> {
    for notifier in notifiers {
        let sql = "INSERT INTO outbox (deployment, notifier, delivered, attempts, due_at) \
                   VALUES ($1, $2, 0, 0, 0) ON CONFLICT DO NOTHING";
        sqlx::query(sql)
            .bind(id.to_string())
            .bind(notifier.as_str())
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

fn subscription(row: &SqliteRow) -> Result<Subscription, Fault> {
    let text = |column: &str| row.try_get::<String, _>(column);
    let wrong = |what: &str| Fault::from(sqlx::Error::Decode(what.to_owned().into()));
    Ok(Subscription {
        deployment: text("deployment")?
            .parse()
            .map_err(|_| wrong("a deployment's id"))?,
        notifier: text("notifier")?
            .parse()
            .map_err(|_| wrong("a plugin's name"))?,
        delivered: unsigned(row.try_get("delivered")?),
        attempts: u32::try_from(row.try_get::<i64, _>("attempts")?).unwrap_or(u32::MAX),
    })
}
