use async_trait::async_trait;
use shipway_core::name::Digest;
use shipway_core::ports::store::{Sessions, StoreError};
use shipway_core::session::Session;

use super::MemoryStore;

#[async_trait]
impl Sessions for MemoryStore {
    async fn create_session(&self, session: &Session) -> Result<(), StoreError> {
        let mut state = self.state();
        let now = session.created_at;
        state.sessions.retain(|_, other| !other.is_over(now));
        state
            .sessions
            .insert(session.digest.clone(), session.clone());
        Ok(())
    }

    async fn session(&self, digest: &Digest) -> Result<Option<Session>, StoreError> {
        Ok(self.state().sessions.get(digest).cloned())
    }

    async fn delete_session(&self, digest: &Digest) -> Result<(), StoreError> {
        self.state().sessions.remove(digest);
        Ok(())
    }
}
