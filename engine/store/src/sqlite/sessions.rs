use async_trait::async_trait;
use shipway_core::name::Digest;
use shipway_core::ports::store::{Sessions, StoreError};
use shipway_core::session::Session;

use super::row::{body, encode, nanos};
use super::{Durability, SqliteStore, attempt};

#[async_trait]
impl Sessions for SqliteStore {
    async fn create_session(&self, session: &Session) -> Result<(), StoreError> {
        let work = async {
            let mut tx = self.write(Durability::Kill).await?;
            sqlx::query("DELETE FROM sessions WHERE expires_at <= $1")
                .bind(nanos(session.created_at))
                .execute(&mut *tx)
                .await?;
            sqlx::query("INSERT INTO sessions (digest, expires_at, body) VALUES ($1, $2, $3)")
                .bind(session.digest.as_str())
                .bind(nanos(session.expires_at))
                .bind(encode(session)?)
                .execute(&mut *tx)
                .await?;
            Ok(tx.commit().await?)
        };
        attempt(work, || "keep a session".to_owned()).await
    }

    async fn session(&self, digest: &Digest) -> Result<Option<Session>, StoreError> {
        let work = async {
            let row = sqlx::query("SELECT body FROM sessions WHERE digest = $1")
                .bind(digest.as_str())
                .fetch_optional(&self.readers)
                .await?;
            row.as_ref().map(body).transpose()
        };
        attempt(work, || "look up a session".to_owned()).await
    }

    async fn delete_session(&self, digest: &Digest) -> Result<(), StoreError> {
        let work = async {
            // Who signed out stays signed out, whatever happens to the machine.
            let mut tx = self.write(Durability::PowerCut).await?;
            sqlx::query("DELETE FROM sessions WHERE digest = $1")
                .bind(digest.as_str())
                .execute(&mut *tx)
                .await?;
            Ok(tx.commit().await?)
        };
        attempt(work, || "end a session".to_owned()).await
    }
}
