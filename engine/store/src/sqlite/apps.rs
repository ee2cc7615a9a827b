use std::collections::BTreeSet;

use async_trait::async_trait;
use shipway_core::app::App;
use shipway_core::environment::{Environment, EnvironmentKey};
use shipway_core::name::{AppName, Domain};
use shipway_core::ports::store::{Apps, StoreError};
use sqlx::{Row, SqliteConnection};

use super::row::Fault;
use super::sealed::{APPS, ENVIRONMENTS};
use super::{Durability, SqliteStore, attempt};
use crate::rules::{exists, not_found};

#[async_trait]
impl Apps for SqliteStore {
    async fn apps(&self) -> Result<Vec<App>, StoreError> {
        let work = async {
            let sql = "SELECT name, body FROM apps ORDER BY name";
            self.unseal_all(APPS, &sqlx::query(sql).fetch_all(&self.readers).await?)
        };
        attempt(work, || "list the apps".to_owned()).await
    }

    async fn app(&self, name: &AppName) -> Result<Option<App>, StoreError> {
        let work = async {
            let row = sqlx::query("SELECT name, body FROM apps WHERE name = $1")
                .bind(name.as_str())
                .fetch_optional(&self.readers)
                .await?;
            row.map(|row| self.unseal(APPS, &row)).transpose()
        };
        attempt(work, || format!("read app {name}")).await
    }

    async fn create_app(&self, app: &App) -> Result<(), StoreError> {
        let sql = "INSERT INTO apps (name, body) VALUES ($1, $2) ON CONFLICT DO NOTHING";
        let work = async {
            match self.write_app(sql, app).await? {
                0 => Err(exists("app", &app.name).into()),
                _ => Ok(()),
            }
        };
        attempt(work, || format!("create app {}", app.name)).await
    }

    async fn update_app(&self, app: &App) -> Result<(), StoreError> {
        let sql = "UPDATE apps SET body = $2 WHERE name = $1";
        let work = async {
            match self.write_app(sql, app).await? {
                0 => Err(not_found("app", &app.name).into()),
                _ => Ok(()),
            }
        };
        attempt(work, || format!("update app {}", app.name)).await
    }

    async fn delete_app(&self, name: &AppName) -> Result<(), StoreError> {
        let work = async {
            let mut tx = self.write(Durability::PowerCut).await?;
            sqlx::query("UPDATE leases SET holder = NULL WHERE app = $1")
                .bind(name.as_str())
                .execute(&mut *tx)
                .await?;
            let done = sqlx::query("DELETE FROM apps WHERE name = $1")
                .bind(name.as_str())
                .execute(&mut *tx)
                .await?;
            if done.rows_affected() == 0 {
                return Err(not_found("app", name).into());
            }
            Ok(tx.commit().await?)
        };
        attempt(work, || format!("delete app {name}")).await
    }

    async fn environments(&self, app: &AppName) -> Result<Vec<Environment>, StoreError> {
        let work = async {
            let sql = "SELECT app || '/' || name, body FROM environments \
                       WHERE app = $1 ORDER BY name";
            let rows = sqlx::query(sql)
                .bind(app.as_str())
                .fetch_all(&self.readers)
                .await?;
            self.unseal_all(ENVIRONMENTS, &rows)
        };
        attempt(work, || format!("list the environments of {app}")).await
    }

    async fn environment(&self, key: &EnvironmentKey) -> Result<Option<Environment>, StoreError> {
        let work = async {
            let sql = "SELECT app || '/' || name, body FROM environments \
                       WHERE app = $1 AND name = $2";
            let row = sqlx::query(sql)
                .bind(key.app.as_str())
                .bind(key.environment.as_str())
                .fetch_optional(&self.readers)
                .await?;
            row.map(|row| self.unseal(ENVIRONMENTS, &row)).transpose()
        };
        attempt(work, || format!("read environment {key}")).await
    }

    async fn create_environment(&self, environment: &Environment) -> Result<(), StoreError> {
        let key = &environment.key;
        let work = async {
            let body = self.seal(ENVIRONMENTS, key, environment)?;
            let mut tx = self.write(Durability::PowerCut).await?;
            require_app(&mut tx, &key.app).await?;
            let sql = "INSERT INTO environments (app, name, body) VALUES ($1, $2, $3) \
                       ON CONFLICT DO NOTHING";
            if put_environment(&mut tx, sql, environment, body).await? == 0 {
                return Err(exists("environment", key).into());
            }
            Ok(tx.commit().await?)
        };
        attempt(work, || format!("create environment {key}")).await
    }

    async fn update_environment(&self, environment: &Environment) -> Result<(), StoreError> {
        let key = &environment.key;
        let work = async {
            let body = self.seal(ENVIRONMENTS, key, environment)?;
            let mut tx = self.write(Durability::PowerCut).await?;
            let sql = "UPDATE environments SET body = $3 WHERE app = $1 AND name = $2";
            if put_environment(&mut tx, sql, environment, body).await? == 0 {
                return Err(not_found("environment", key).into());
            }
            Ok(tx.commit().await?)
        };
        attempt(work, || format!("update environment {key}")).await
    }

    async fn delete_environment(&self, key: &EnvironmentKey) -> Result<(), StoreError> {
        let work = async {
            let mut tx = self.write(Durability::PowerCut).await?;
            sqlx::query("UPDATE leases SET holder = NULL WHERE app = $1 AND environment = $2")
                .bind(key.app.as_str())
                .bind(key.environment.as_str())
                .execute(&mut *tx)
                .await?;
            let done = sqlx::query("DELETE FROM environments WHERE app = $1 AND name = $2")
                .bind(key.app.as_str())
                .bind(key.environment.as_str())
                .execute(&mut *tx)
                .await?;
            if done.rows_affected() == 0 {
                return Err(not_found("environment", key).into());
            }
            Ok(tx.commit().await?)
        };
        attempt(work, || format!("delete environment {key}")).await
    }
}

impl SqliteStore {
    async fn write_app(&self, sql: &'static str, app: &App) -> Result<u64, Fault> {
        let mut tx = self.write(Durability::PowerCut).await?;
        let done = sqlx::query(sql)
            .bind(app.name.as_str())
            .bind(self.seal(APPS, &app.name, app)?)
            .execute(&mut *tx)
            .await?;
        tx.commit().await?;
        Ok(done.rows_affected())
    }
}

async fn require_app(tx: &mut SqliteConnection, app: &AppName) -> Result<(), Fault> {
    let row = sqlx::query("SELECT 1 FROM apps WHERE name = $1")
        .bind(app.as_str())
        .fetch_optional(tx)
        .await?;
    match row {
        Some(_) => Ok(()),
        None => Err(not_found("app", app).into()),
    }
}

/// Writes an environment, its body as it is sealed, and its domains; says how many environments changed.
async fn put_environment(
    tx: &mut SqliteConnection,
    sql: &'static str,
    environment: &Environment,
    body: String,
) -> Result<u64, Fault> {
    let key = &environment.key;
    let done = sqlx::query(sql)
        .bind(key.app.as_str())
        .bind(key.environment.as_str())
        .bind(body)
        .execute(&mut *tx)
        .await?;
    if done.rows_affected() > 0 {
        put_domains(tx, environment).await?;
    }
    Ok(done.rows_affected())
}

async fn put_domains(tx: &mut SqliteConnection, environment: &Environment) -> Result<(), Fault> {
    let key = &environment.key;
    sqlx::query("DELETE FROM domains WHERE app = $1 AND environment = $2")
        .bind(key.app.as_str())
        .bind(key.environment.as_str())
        .execute(&mut *tx)
        .await?;
    let domains: BTreeSet<&Domain> = environment.domains.iter().collect();
    for domain in domains {
        let sql = "INSERT INTO domains (domain, app, environment) VALUES ($1, $2, $3) \
                   ON CONFLICT DO NOTHING";
        let done = sqlx::query(sql)
            .bind(domain.as_str())
            .bind(key.app.as_str())
            .bind(key.environment.as_str())
            .execute(&mut *tx)
            .await?;
        if done.rows_affected() == 0 {
            let owner = owner_of(tx, domain).await?;
            let domain = domain.clone();
            return Err(StoreError::DomainTaken { domain, owner }.into());
        }
    }
    Ok(())
}

async fn owner_of(tx: &mut SqliteConnection, domain: &Domain) -> Result<EnvironmentKey, Fault> {
    let row = sqlx::query("SELECT app, environment FROM domains WHERE domain = $1")
        .bind(domain.as_str())
        .fetch_one(tx)
        .await?;
    Ok(EnvironmentKey {
        app: row.try_get::<&str, _>(0)?.parse()?,
        environment: row.try_get::<&str, _>(1)?.parse()?,
    })
}
