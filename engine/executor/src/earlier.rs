//! What an earlier deployment built and planned, for one that takes it over: a
//! rollback or a promotion.

use shipway_core::ending::Ending;
use shipway_core::environment::EnvironmentKey;
use shipway_core::journal::{BuildWish, Event, Image, Output, Subject, Trigger};
use shipway_core::name::DeploymentId;
use shipway_core::plan::Plan;
use shipway_core::ports::store::{Deployment, DeploymentFilter, Store, StoreError};

use crate::command::{Promote, RollBack, TriggerError};
use crate::journal as journals;

/// Deployments that are looked at, at once, for one to go back to.
const PAGE: u32 = 50;

#[derive(Debug)]
pub struct Earlier {
    pub image: Image,
    pub plan: Box<Plan>,
}

impl Earlier {
    /// None if it never came as far as its plan.
    pub async fn find(store: &dyn Store, id: DeploymentId) -> Result<Option<Self>, StoreError> {
        let (mut image, mut frozen) = (None, None);
        for entry in journals::read(store, id).await? {
            let Event::StepSucceeded { output, .. } = entry.event else {
                continue;
            };
            match *output {
                Output::Build(it) => image = Some(it),
                Output::Plan { plan } => frozen = Some(plan),
                _ => {}
            }
        }
        Ok(image.zip(frozen).map(|(image, plan)| Self { image, plan }))
    }
}

/// What a rollback triggers.
pub async fn rollback(store: &dyn Store, request: &RollBack) -> Result<Trigger, TriggerError> {
    let key = &request.key;
    let to = match request.to {
        Some(to) => to,
        None => before(store, key)
            .await?
            .ok_or_else(|| TriggerError::NothingBefore(key.clone()))?,
    };
    let target = store.deployment(to).await?;
    let target = target.filter(|target| target.trigger.key == *key);
    let target = target.ok_or_else(|| TriggerError::UnknownDeployment {
        key: key.clone(),
        to,
    })?;
    if target.ending != Some(Ending::Succeeded) {
        return Err(TriggerError::NotSucceeded(to));
    }
    let commit = target.commit.ok_or(TriggerError::NotSucceeded(to))?;
    Ok(Trigger {
        key: key.clone(),
        reference: commit.id.to_string(),
        by: request.by.clone(),
        idempotency_key: request.idempotency_key.clone(),
        build: BuildWish::Reuse,
        subject: Subject::Rollback {
            to,
            release_commands: request.release_commands,
        },
    })
}

/// What a promotion triggers.
pub async fn promotion(store: &dyn Store, request: &Promote) -> Result<Trigger, TriggerError> {
    let from = request.source();
    let serving = store.serving(&from).await?;
    let serving = serving.ok_or(TriggerError::NothingServes(from))?;
    Ok(Trigger {
        key: request.key.clone(),
        reference: serving.commit.to_string(),
        by: request.by.clone(),
        idempotency_key: request.idempotency_key.clone(),
        build: BuildWish::Reuse,
        subject: Subject::Promotion {
            from: request.from.clone(),
            deployment: serving.deployment,
        },
    })
}

/// The newest deployment that served before the one that serves now. What a
/// rollback brought back counts as the deployment that it went back to, so that
/// one rollback after another goes further back.
async fn before(
    store: &dyn Store,
    key: &EnvironmentKey,
) -> Result<Option<DeploymentId>, StoreError> {
    let Some(serving) = store.serving(key).await? else {
        return Ok(None);
    };
    let mut older_than = original(store, serving.deployment).await?;
    loop {
        let filter = DeploymentFilter {
            app: None,
            environment: Some(key.clone()),
            before: Some(older_than),
            limit: PAGE,
        };
        let page = store.deployments(&filter).await?;
        if let Some(found) = page.iter().find(|one| is_original(one)) {
            return Ok(Some(found.id));
        }
        match page.last() {
            Some(last) => older_than = last.id,
            None => return Ok(None),
        }
    }
}

fn is_original(deployment: &Deployment) -> bool {
    deployment.ending == Some(Ending::Succeeded)
        && !matches!(deployment.trigger.subject, Subject::Rollback { .. })
}

/// Where a rollback went, however many lie between.
async fn original(store: &dyn Store, mut id: DeploymentId) -> Result<DeploymentId, StoreError> {
    while let Some(deployment) = store.deployment(id).await?
        && let Subject::Rollback { to, .. } = deployment.trigger.subject
    {
        id = to;
    }
    Ok(id)
}
