use async_trait::async_trait;
use shipway_core::environment::EnvironmentKey;
use shipway_core::journal::{Entry, Event, Serving, Trigger};
use shipway_core::name::{DeploymentId, PluginName, Timestamp};
use shipway_core::ports::store::{
    Created, Deployment, DeploymentFilter, Deployments, Guard, StoreError,
};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::row::{Fault, bodies, body, decode, encode, nanos, signed, timestamp, unsigned};
use super::{Durability, SqliteStore, attempt, leases, outbox};
use crate::rules::{self, exists, not_found};

/// Sorts after every id: ids are written in hexadecimal.
const AFTER_ALL: &str = "g";

#[async_trait]
impl Deployments for SqliteStore {
    async fn create_deployment(
        &self,
        id: DeploymentId,
        at: Timestamp,
        trigger: &Trigger,
        notifiers: &[PluginName],
    ) -> Result<Created, StoreError> {
        let work = async {
            let mut tx = self.write(Durability::PowerCut).await?;
            require_environment(&mut tx, &trigger.key).await?;
            if let Some(idempotency_key) = &trigger.idempotency_key
                && let Some(earlier) = earlier(&mut tx, &trigger.key, idempotency_key).await?
            {
                return Ok(Created::Earlier(earlier));
            }
            let (deployment, entry) = rules::first(id, at, trigger);
            insert(&mut tx, &deployment).await?;
            write_entry(&mut tx, &entry).await?;
            outbox::subscribe(&mut tx, id, notifiers).await?;
            tx.commit().await?;
            Ok(Created::New(deployment))
        };
        attempt(work, || format!("create a deployment of {}", trigger.key)).await
    }

    async fn deployment(&self, id: DeploymentId) -> Result<Option<Deployment>, StoreError> {
        let work = async {
            let row = sqlx::query("SELECT body FROM deployments WHERE id = $1")
                .bind(id.to_string())
                .fetch_optional(&self.readers)
                .await?;
            row.as_ref().map(body).transpose()
        };
        attempt(work, || format!("read deployment {id}")).await
    }

    async fn deployment_of(
        &self,
        key: &EnvironmentKey,
        idempotency_key: &str,
    ) -> Result<Option<Deployment>, StoreError> {
        let work = async {
            let mut reader = self.readers.acquire().await?;
            earlier(&mut reader, key, idempotency_key).await
        };
        attempt(work, || format!("read deployments of {key}")).await
    }

    async fn deployments(&self, filter: &DeploymentFilter) -> Result<Vec<Deployment>, StoreError> {
        attempt(self.list(filter), || "list deployments".to_owned()).await
    }

    async fn unfinished(&self) -> Result<Vec<Deployment>, StoreError> {
        let work = async {
            let sql = "SELECT body FROM deployments WHERE ended_at IS NULL ORDER BY id";
            bodies(&sqlx::query(sql).fetch_all(&self.readers).await?)
        };
        attempt(work, || "list unfinished deployments".to_owned()).await
    }

    async fn append(
        &self,
        id: DeploymentId,
        at: Timestamp,
        event: &Event,
        guard: Guard<'_>,
    ) -> Result<Entry, StoreError> {
        let work = async {
            let mut tx = self.write(Durability::PowerCut).await?;
            let mut deployment = load(&mut tx, id).await?;
            let held = match guard {
                Guard::Lease(lease) => leases::held(&mut tx, &lease.key).await?,
                Guard::After(_) | Guard::Open => None,
            };
            let entry = rules::next(&mut deployment, at, event, guard, held.as_ref())?;
            write_entry(&mut tx, &entry).await?;
            update(&mut tx, &deployment).await?;
            if let Some(serving) = rules::switched(event) {
                write_serving(&mut tx, &deployment.trigger.key, serving).await?;
            }
            tx.commit().await?;
            Ok(entry)
        };
        attempt(work, || format!("write the journal of deployment {id}")).await
    }

    async fn journal(
        &self,
        id: DeploymentId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<Entry>, StoreError> {
        let work = async {
            let sql = "SELECT body, sequence, at FROM journal \
                       WHERE deployment = $1 AND sequence > $2 ORDER BY sequence LIMIT $3";
            let rows = sqlx::query(sql)
                .bind(id.to_string())
                .bind(signed(after))
                .bind(i64::from(limit))
                .fetch_all(&self.readers)
                .await?;
            rows.iter().map(|row| entry(id, row)).collect()
        };
        attempt(work, || format!("read the journal of deployment {id}")).await
    }

    async fn serving(&self, key: &EnvironmentKey) -> Result<Option<Serving>, StoreError> {
        let work = async {
            let row = sqlx::query("SELECT body FROM serving WHERE app = $1 AND environment = $2")
                .bind(key.app.as_str())
                .bind(key.environment.as_str())
                .fetch_optional(&self.readers)
                .await?;
            row.as_ref().map(body).transpose()
        };
        attempt(work, || format!("read what serves {key}")).await
    }
}

impl SqliteStore {
    /// One fixed statement for each shape of the question, so that each has
    /// its index.
    async fn list(&self, filter: &DeploymentFilter) -> Result<Vec<Deployment>, Fault> {
        let before = filter
            .before
            .map_or_else(|| AFTER_ALL.to_owned(), |id| id.to_string());
        let query = match (&filter.environment, &filter.app) {
            (Some(key), Some(app)) if key.app != *app => return Ok(Vec::new()),
            (Some(key), _) => sqlx::query(
                "SELECT body FROM deployments WHERE app = $3 AND environment = $4 AND id < $1 \
                 ORDER BY id DESC LIMIT $2",
            )
            .bind(before)
            .bind(i64::from(rules::page(filter.limit)))
            .bind(key.app.as_str())
            .bind(key.environment.as_str()),
            (None, Some(app)) => sqlx::query(
                "SELECT body FROM deployments WHERE app = $3 AND id < $1 \
                 ORDER BY id DESC LIMIT $2",
            )
            .bind(before)
            .bind(i64::from(rules::page(filter.limit)))
            .bind(app.as_str()),
            (None, None) => {
                sqlx::query("SELECT body FROM deployments WHERE id < $1 ORDER BY id DESC LIMIT $2")
                    .bind(before)
                    .bind(i64::from(rules::page(filter.limit)))
            }
        };
        bodies(&query.fetch_all(&self.readers).await?)
    }
}

async fn require_environment(tx: &mut SqliteConnection, key: &EnvironmentKey) -> Result<(), Fault> {
    let row = sqlx::query("SELECT 1 FROM environments WHERE app = $1 AND name = $2")
        .bind(key.app.as_str())
        .bind(key.environment.as_str())
        .fetch_optional(tx)
        .await?;
    match row {
        Some(_) => Ok(()),
        None => Err(not_found("environment", key).into()),
    }
}

/// The deployment that the same idempotency key made before.
async fn earlier(
    connection: &mut SqliteConnection,
    key: &EnvironmentKey,
    idempotency_key: &str,
) -> Result<Option<Deployment>, Fault> {
    let sql = "SELECT body FROM deployments \
               WHERE app = $1 AND environment = $2 AND idempotency_key = $3";
    let row = sqlx::query(sql)
        .bind(key.app.as_str())
        .bind(key.environment.as_str())
        .bind(idempotency_key)
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(body).transpose()
}

async fn insert(tx: &mut SqliteConnection, deployment: &Deployment) -> Result<(), Fault> {
    let trigger = &deployment.trigger;
    let sql = "INSERT INTO deployments (id, app, environment, idempotency_key, body) \
               VALUES ($1, $2, $3, $4, $5) ON CONFLICT DO NOTHING";
    let done = sqlx::query(sql)
        .bind(deployment.id.to_string())
        .bind(trigger.key.app.as_str())
        .bind(trigger.key.environment.as_str())
        .bind(trigger.idempotency_key.as_deref())
        .bind(encode(deployment)?)
        .execute(tx)
        .await?;
    match done.rows_affected() {
        0 => Err(exists("deployment", deployment.id).into()),
        _ => Ok(()),
    }
}

async fn load(tx: &mut SqliteConnection, id: DeploymentId) -> Result<Deployment, Fault> {
    let row = sqlx::query("SELECT body FROM deployments WHERE id = $1")
        .bind(id.to_string())
        .fetch_optional(tx)
        .await?;
    body(&row.ok_or_else(|| not_found("deployment", id))?)
}

async fn update(tx: &mut SqliteConnection, deployment: &Deployment) -> Result<(), Fault> {
    sqlx::query("UPDATE deployments SET body = $2, ended_at = $3 WHERE id = $1")
        .bind(deployment.id.to_string())
        .bind(encode(deployment)?)
        .bind(deployment.ended_at.map(nanos))
        .execute(tx)
        .await?;
    Ok(())
}

async fn write_entry(tx: &mut SqliteConnection, entry: &Entry) -> Result<(), Fault> {
    let sql = "INSERT INTO journal (deployment, sequence, at, kind, body) \
               VALUES ($1, $2, $3, $4, $5)";
    sqlx::query(sql)
        .bind(entry.deployment.to_string())
        .bind(signed(entry.sequence))
        .bind(nanos(entry.at))
        .bind(entry.event.kind())
        .bind(encode(&entry.event)?)
        .execute(tx)
        .await?;
    Ok(())
}

fn entry(deployment: DeploymentId, row: &SqliteRow) -> Result<Entry, Fault> {
    Ok(Entry {
        deployment,
        sequence: unsigned(row.try_get(1)?),
        at: timestamp(row.try_get(2)?),
        event: decode(row.try_get(0)?)?,
    })
}

async fn write_serving(
    tx: &mut SqliteConnection,
    key: &EnvironmentKey,
    serving: &Serving,
) -> Result<(), Fault> {
    let sql = "INSERT INTO serving (app, environment, body) VALUES ($1, $2, $3) \
               ON CONFLICT (app, environment) DO UPDATE SET body = excluded.body";
    sqlx::query(sql)
        .bind(key.app.as_str())
        .bind(key.environment.as_str())
        .bind(encode(serving)?)
        .execute(tx)
        .await?;
    Ok(())
}
