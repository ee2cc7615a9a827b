//! What the tests of this crate begin with: a store with one deployment.

use std::sync::Arc;

use anyhow::Result;
use shipway_core::app::{App, Repository};
use shipway_core::environment::{Environment, EnvironmentKey, RuntimeKind};
use shipway_core::journal::{BuildWish, Subject, Trigger};
use shipway_core::name::{DeploymentId, Timestamp};
use shipway_core::ports::clock::Clock;
use shipway_core::ports::store::Store;

#[derive(Debug)]
pub struct Still;

impl Clock for Still {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(0)
    }

    fn new_deployment_id(&self) -> DeploymentId {
        DeploymentId(uuid::Uuid::from_u128(1))
    }
}

/// A store with one deployment.
pub async fn settled(store: impl Store + 'static) -> Result<(Arc<dyn Store>, DeploymentId)> {
    let key = EnvironmentKey {
        app: "shop".parse()?,
        environment: "live".parse()?,
    };
    let app = App {
        name: key.app.clone(),
        repository: Repository {
            url: "https://git.example.com/shop.git".into(),
            default_reference: "main".into(),
            credentials: None,
        },
        mirror_of: None,
        created_at: Still.now(),
    };
    store.create_app(&app).await?;
    let environment = Environment::new(key.clone(), RuntimeKind::Process, Still.now());
    store.create_environment(&environment).await?;
    let id = Still.new_deployment_id();
    let trigger = Trigger {
        key,
        reference: "main".into(),
        by: "somebody".into(),
        idempotency_key: None,
        build: BuildWish::Reuse,
        subject: Subject::Commit,
    };
    store
        .create_deployment(id, Still.now(), &trigger, &[])
        .await?;
    Ok((Arc::new(store), id))
}
