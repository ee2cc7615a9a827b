use async_trait::async_trait;
use shipway_core::name::{Digest, PluginName};
use shipway_core::plugin::Installed;
use shipway_core::ports::store::{Registry, StoreError};
use sqlx::{Row, SqliteConnection};

use super::row::Fault;
use super::sealed::PLUGINS;
use super::{Durability, SqliteStore, attempt};
use crate::rules::not_found;

#[async_trait]
impl Registry for SqliteStore {
    async fn plugins(&self) -> Result<Vec<Installed>, StoreError> {
        let work = async {
            let sql = "SELECT name, body FROM plugins ORDER BY name";
            self.unseal_all(PLUGINS, &sqlx::query(sql).fetch_all(&self.readers).await?)
        };
        attempt(work, || "list the plugins".to_owned()).await
    }

    async fn plugin(&self, name: &PluginName) -> Result<Option<Installed>, StoreError> {
        let work = async {
            let row = sqlx::query("SELECT name, body FROM plugins WHERE name = $1")
                .bind(name.as_str())
                .fetch_optional(&self.readers)
                .await?;
            row.map(|row| self.unseal(PLUGINS, &row)).transpose()
        };
        attempt(work, || format!("read plugin {name}")).await
    }

    async fn put_plugin(
        &self,
        plugin: &Installed,
        component: Option<&[u8]>,
    ) -> Result<(), StoreError> {
        let digest = &plugin.description.digest;
        let work = async {
            let mut tx = self.write(Durability::PowerCut).await?;
            match component {
                Some(bytes) => put_component(&mut tx, digest, bytes).await?,
                None => require_component(&mut tx, digest).await?,
            }
            let sql = "INSERT INTO plugins (name, digest, body) VALUES ($1, $2, $3) \
                       ON CONFLICT (name) DO UPDATE SET \
                       digest = excluded.digest, body = excluded.body";
            sqlx::query(sql)
                .bind(plugin.name().as_str())
                .bind(digest.as_str())
                .bind(self.seal(PLUGINS, plugin.name(), plugin)?)
                .execute(&mut *tx)
                .await?;
            sweep_components(&mut tx).await?;
            Ok(tx.commit().await?)
        };
        attempt(work, || format!("write plugin {}", plugin.name())).await
    }

    async fn component(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        let work = async {
            let row = sqlx::query("SELECT bytes FROM components WHERE digest = $1")
                .bind(digest.as_str())
                .fetch_optional(&self.readers)
                .await?;
            Ok(row.map(|row| row.try_get(0)).transpose()?)
        };
        attempt(work, || format!("read component {digest}")).await
    }

    async fn delete_plugin(&self, name: &PluginName) -> Result<(), StoreError> {
        let work = async {
            let mut tx = self.write(Durability::PowerCut).await?;
            let done = sqlx::query("DELETE FROM plugins WHERE name = $1")
                .bind(name.as_str())
                .execute(&mut *tx)
                .await?;
            if done.rows_affected() == 0 {
                return Err(not_found("plugin", name).into());
            }
            sweep_components(&mut tx).await?;
            Ok(tx.commit().await?)
        };
        attempt(work, || format!("delete plugin {name}")).await
    }
}

async fn put_component(
    tx: &mut SqliteConnection,
    digest: &Digest,
    bytes: &[u8],
) -> Result<(), Fault> {
    sqlx::query("INSERT INTO components (digest, bytes) VALUES ($1, $2) ON CONFLICT DO NOTHING")
        .bind(digest.as_str())
        .bind(bytes)
        .execute(tx)
        .await?;
    Ok(())
}

async fn require_component(tx: &mut SqliteConnection, digest: &Digest) -> Result<(), Fault> {
    let row = sqlx::query("SELECT 1 FROM components WHERE digest = $1")
        .bind(digest.as_str())
        .fetch_optional(tx)
        .await?;
    match row {
        Some(_) => Ok(()),
        None => Err(not_found("component", digest).into()),
    }
}

/// A component that no plugin has any more goes, but not while a deployment
/// runs: its plan may have pinned it.
async fn sweep_components(tx: &mut SqliteConnection) -> Result<(), Fault> {
    let sql = "DELETE FROM components \
               WHERE NOT EXISTS (SELECT 1 FROM plugins WHERE plugins.digest = components.digest) \
               AND NOT EXISTS (SELECT 1 FROM deployments WHERE ended_at IS NULL)";
    sqlx::query(sql).execute(tx).await?;
    Ok(())
}
