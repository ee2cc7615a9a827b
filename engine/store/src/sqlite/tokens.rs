use async_trait::async_trait;
use shipway_core::name::{Digest, Timestamp};
use shipway_core::ports::store::{StoreError, Tokens};
use shipway_core::token::Token;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use super::row::{Fault, body, encode, nanos, timestamp};
use super::{Durability, SqliteStore, attempt};
use crate::rules::{self, exists, not_found};

#[async_trait]
impl Tokens for SqliteStore {
    async fn tokens(&self) -> Result<Vec<Token>, StoreError> {
        let work = async {
            let rows = sqlx::query("SELECT body, last_used_at FROM tokens ORDER BY name")
                .fetch_all(&self.readers)
                .await?;
            rows.iter().map(token).collect()
        };
        attempt(work, || "list the tokens".to_owned()).await
    }

    async fn create_token(&self, token: &Token) -> Result<(), StoreError> {
        let work = async {
            let mut tx = self.write(Durability::PowerCut).await?;
            let sql = "INSERT INTO tokens (name, digest, last_used_at, body) \
                       VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING";
            let done = sqlx::query(sql)
                .bind(token.name.as_str())
                .bind(token.digest.as_str())
                .bind(token.last_used_at.map(nanos))
                .bind(encode(token)?)
                .execute(&mut *tx)
                .await?;
            if done.rows_affected() == 0 {
                return Err(exists("token", &token.name).into());
            }
            Ok(tx.commit().await?)
        };
        attempt(work, || format!("create token {:?}", token.name)).await
    }

    async fn token_by_digest(&self, digest: &Digest) -> Result<Option<Token>, StoreError> {
        attempt(self.by_digest(digest), || "look up a token".to_owned()).await
    }

    async fn note_token_use(&self, digest: &Digest, at: Timestamp) -> Result<(), StoreError> {
        let work = async {
            let known = self.by_digest(digest).await?;
            if !known.is_some_and(|token| rules::is_news(&token, at)) {
                return Ok(());
            }
            let mut tx = self.write(Durability::Kill).await?;
            sqlx::query("UPDATE tokens SET last_used_at = $2 WHERE digest = $1")
                .bind(digest.as_str())
                .bind(nanos(at))
                .execute(&mut *tx)
                .await?;
            Ok(tx.commit().await?)
        };
        attempt(work, || "note the use of a token".to_owned()).await
    }

    async fn delete_token(&self, name: &str) -> Result<(), StoreError> {
        let work = async {
            let mut tx = self.write(Durability::PowerCut).await?;
            let done = sqlx::query("DELETE FROM tokens WHERE name = $1")
                .bind(name)
                .execute(&mut *tx)
                .await?;
            if done.rows_affected() == 0 {
                return Err(not_found("token", name).into());
            }
            Ok(tx.commit().await?)
        };
        attempt(work, || format!("delete token {name:?}")).await
    }
}

impl SqliteStore {
    async fn by_digest(&self, digest: &Digest) -> Result<Option<Token>, Fault> {
        let row = sqlx::query("SELECT body, last_used_at FROM tokens WHERE digest = $1")
            .bind(digest.as_str())
            .fetch_optional(&self.readers)
            .await?;
        row.as_ref().map(token).transpose()
    }
}

/// The column of the last use is newer than the JSON.
fn token(row: &SqliteRow) -> Result<Token, Fault> {
    let mut token: Token = body(row)?;
    token.last_used_at = row.try_get::<Option<i64>, _>(1)?.map(timestamp);
    Ok(token)
}
