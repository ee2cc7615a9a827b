use async_trait::async_trait;
use shipway_core::name::{AppName, WebhookId};
use shipway_core::ports::store::{Delivery, Seen, StoreError, Webhooks};
use shipway_core::webhook::Webhook;
use sqlx::{Row, SqliteConnection};

use super::row::{Fault, nanos};
use super::sealed::WEBHOOKS;
use super::{Durability, SqliteStore, attempt};
use crate::rules::{self, exists, not_found};

#[async_trait]
impl Webhooks for SqliteStore {
    async fn webhooks(&self, app: &AppName) -> Result<Vec<Webhook>, StoreError> {
        let work = async {
            let sql = "SELECT id, body FROM webhooks WHERE app = $1 ORDER BY id";
            let query = sqlx::query(sql).bind(app.as_str());
            self.unseal_all(WEBHOOKS, &query.fetch_all(&self.readers).await?)
        };
        attempt(work, || format!("list the webhooks of {app}")).await
    }

    async fn webhook(&self, id: &WebhookId) -> Result<Option<Webhook>, StoreError> {
        let work = async {
            let row = sqlx::query("SELECT id, body FROM webhooks WHERE id = $1")
                .bind(id.as_str())
                .fetch_optional(&self.readers)
                .await?;
            row.map(|row| self.unseal(WEBHOOKS, &row)).transpose()
        };
        attempt(work, || "read a webhook".to_owned()).await
    }

    async fn create_webhook(&self, webhook: &Webhook) -> Result<(), StoreError> {
        let work = async {
            let mut tx = self.write(Durability::PowerCut).await?;
            let app = webhook.app.as_str();
            let known: Option<i64> = sqlx::query_scalar("SELECT 1 FROM apps WHERE name = $1")
                .bind(app)
                .fetch_optional(&mut *tx)
                .await?;
            known.ok_or_else(|| not_found("app", app))?;
            let sql = "INSERT INTO webhooks (id, app, body) VALUES ($1, $2, $3) \
                       ON CONFLICT DO NOTHING";
            let done = sqlx::query(sql)
                .bind(webhook.id.as_str())
                .bind(app)
                .bind(self.seal(WEBHOOKS, &webhook.id, webhook)?)
                .execute(&mut *tx)
                .await?;
            if done.rows_affected() == 0 {
                return Err(exists("webhook", &webhook.id).into());
            }
            Ok(tx.commit().await?)
        };
        attempt(work, || format!("create a webhook of {}", webhook.app)).await
    }

    async fn delete_webhook(&self, app: &AppName, id: &WebhookId) -> Result<(), StoreError> {
        let work = async {
            let mut tx = self.write(Durability::PowerCut).await?;
            let done = sqlx::query("DELETE FROM webhooks WHERE id = $1 AND app = $2")
                .bind(id.as_str())
                .bind(app.as_str())
                .execute(&mut *tx)
                .await?;
            if done.rows_affected() == 0 {
                return Err(not_found("webhook", id).into());
            }
            Ok(tx.commit().await?)
        };
        attempt(work, || format!("delete a webhook of {app}")).await
    }

    async fn note_delivery(&self, delivery: &Delivery) -> Result<Seen, StoreError> {
        let work = async {
            let mut tx = self.write(Durability::PowerCut).await?;
            let seen = earlier(&mut tx, delivery).await?;
            if seen == Seen::New {
                keep(&mut tx, delivery).await?;
                tx.commit().await?;
            }
            Ok(seen)
        };
        attempt(work, || "note a delivery".to_owned()).await
    }
}

async fn earlier(tx: &mut SqliteConnection, delivery: &Delivery) -> Result<Seen, Fault> {
    let sql = "SELECT delivery, digest FROM deliveries \
               WHERE webhook = $1 AND (delivery = $2 OR digest = $3) \
               ORDER BY delivery = $2 DESC LIMIT 1";
    let row = sqlx::query(sql)
        .bind(delivery.webhook.as_str())
        .bind(delivery.id.as_str())
        .bind(delivery.digest.as_str())
        .fetch_optional(tx)
        .await?;
    Ok(match row {
        None => Seen::New,
        Some(row) => rules::seen(delivery, row.try_get(0)?, row.try_get(1)?),
    })
}

async fn keep(tx: &mut SqliteConnection, delivery: &Delivery) -> Result<(), Fault> {
    let sql = "INSERT INTO deliveries (webhook, delivery, digest, at) VALUES ($1, $2, $3, $4)";
    sqlx::query(sql)
        .bind(delivery.webhook.as_str())
        .bind(delivery.id.as_str())
        .bind(delivery.digest.as_str())
        .bind(nanos(delivery.at))
        .execute(&mut *tx)
        .await?;
    let sql = "DELETE FROM deliveries WHERE webhook = $1 AND number <= \
               (SELECT number FROM deliveries WHERE webhook = $1 \
                ORDER BY number DESC LIMIT 1 OFFSET $2)";
    sqlx::query(sql)
        .bind(delivery.webhook.as_str())
        .bind(i64::from(rules::MOST_DELIVERIES))
        .execute(&mut *tx)
        .await?;
    Ok(())
}
