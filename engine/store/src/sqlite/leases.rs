use std::time::Duration;

use async_trait::async_trait;
use shipway_core::environment::EnvironmentKey;
use shipway_core::name::Timestamp;
use shipway_core::ports::store::{Lease, Leases, StoreError};
use sqlx::{Row, SqliteConnection};

use super::row::{Fault, nanos, signed, timestamp, unsigned};
use super::{Durability, SqliteStore, attempt};
use crate::rules::{self, Held};

#[async_trait]
impl Leases for SqliteStore {
    async fn acquire(
        &self,
        key: &EnvironmentKey,
        holder: &str,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<Option<Lease>, StoreError> {
        let work = async {
            let mut tx = self.write(Durability::PowerCut).await?;
            let held = held(&mut tx, key).await?;
            let Some(taken) = rules::take(held.as_ref(), holder, now, ttl) else {
                return Ok(None);
            };
            put(&mut tx, key, &taken).await?;
            tx.commit().await?;
            Ok(Some(rules::lease(key, holder, &taken)))
        };
        attempt(work, || format!("take the lease on {key}")).await
    }

    async fn renew(
        &self,
        lease: &Lease,
        now: Timestamp,
        ttl: Duration,
    ) -> Result<bool, StoreError> {
        let work = async {
            let mut tx = self.write(Durability::Kill).await?;
            let sql = "UPDATE leases SET expires_at = $5 \
                       WHERE app = $1 AND environment = $2 AND generation = $3 AND holder = $4";
            let done = sqlx::query(sql)
                .bind(lease.key.app.as_str())
                .bind(lease.key.environment.as_str())
                .bind(signed(lease.generation))
                .bind(lease.holder.as_str())
                .bind(nanos(now.later(ttl)))
                .execute(&mut *tx)
                .await?;
            tx.commit().await?;
            Ok(done.rows_affected() > 0)
        };
        attempt(work, || format!("renew the lease on {}", lease.key)).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), StoreError> {
        let work = async {
            let mut tx = self.write(Durability::Kill).await?;
            let sql = "UPDATE leases SET holder = NULL \
                       WHERE app = $1 AND environment = $2 AND generation = $3 AND holder = $4";
            sqlx::query(sql)
                .bind(lease.key.app.as_str())
                .bind(lease.key.environment.as_str())
                .bind(signed(lease.generation))
                .bind(lease.holder.as_str())
                .execute(&mut *tx)
                .await?;
            Ok(tx.commit().await?)
        };
        attempt(work, || format!("give back the lease on {}", lease.key)).await
    }
}

/// The lease on an environment as it is kept.
pub async fn held(tx: &mut SqliteConnection, key: &EnvironmentKey) -> Result<Option<Held>, Fault> {
    let sql = "SELECT generation, holder, expires_at FROM leases \
               WHERE app = $1 AND environment = $2";
    let row = sqlx::query(sql)
        .bind(key.app.as_str())
        .bind(key.environment.as_str())
        .fetch_optional(tx)
        .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(Held {
        generation: unsigned(row.try_get(0)?),
        holder: row.try_get(1)?,
        expires_at: timestamp(row.try_get(2)?),
    }))
}

async fn put(tx: &mut SqliteConnection, key: &EnvironmentKey, held: &Held) -> Result<(), Fault> {
    let sql = "INSERT INTO leases (app, environment, generation, holder, expires_at) \
               VALUES ($1, $2, $3, $4, $5) ON CONFLICT (app, environment) DO UPDATE SET \
               generation = excluded.generation, holder = excluded.holder, \
               expires_at = excluded.expires_at";
    sqlx::query(sql)
        .bind(key.app.as_str())
        .bind(key.environment.as_str())
        .bind(signed(held.generation))
        .bind(held.holder.as_deref())
        .bind(nanos(held.expires_at))
        .execute(tx)
        .await?;
    Ok(())
}
