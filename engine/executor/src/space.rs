//! A full disk is an error of the deployment that meets it, not the end of the
//! engine. Until the switch the deployment fails, as soon as its journal can be
//! written again; from the switch on it waits for room and goes on.

use std::time::Duration;

use shipway_core::ending::{Failure, Reason};
use shipway_core::journal::Event;
use shipway_core::pipeline::Step;
use shipway_core::ports::store::StoreError;

use crate::failures::Halted;
use crate::journal::Journal;
use crate::log::Log;

/// Between tries to write.
const RETRY_AFTER: Duration = Duration::from_secs(2);

/// Whether nothing but room is missing.
pub fn is_wanting(halted: &Halted) -> bool {
    matches!(halted, Halted::Store(StoreError::DiskFull))
}

/// Ends when the log could not be stored during a step that may fail for it.
pub async fn run_out(log: &Log, step: Step) -> Failure {
    if step >= Step::Switch {
        std::future::pending::<()>().await;
    }
    log.disk_full().await;
    failure(step)
}

/// Waits until the journal can be written, and writes the step's failure.
pub async fn fail(journal: &Journal) -> Result<(), Halted> {
    tracing::error!(deployment = %journal.deployment(), "the disk is full; the deployment fails when there is room to say so");
    loop {
        tokio::time::sleep(RETRY_AFTER).await;
        match note(journal).await {
            Err(halted) if is_wanting(&halted) => {}
            outcome => return outcome,
        }
    }
}

async fn note(journal: &Journal) -> Result<(), Halted> {
    let pipeline = journal.pipeline().await;
    let Some(step) = pipeline.step().filter(|step| *step < Step::Switch) else {
        return Ok(());
    };
    let mut failure = failure(step);
    failure.command = pipeline.open_command().map(|open| open.label.clone());
    let event = Event::StepFailed { failure };
    journal.record(event).await?;
    Ok(())
}

fn failure(step: Step) -> Failure {
    let message = "the disk that holds the engine's store was full";
    Failure::new(step, Reason::Internal, message)
        .with_hint("make room on the engine's disk, then deploy again")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use anyhow::{Context, Result};
    use shipway_core::pipeline::{Cause, State};
    use shipway_core::ports::clock::Clock;
    use shipway_core::ports::store::{Lease, Store};
    use shipway_core::redact::Redactor;
    use shipway_core::secret::Secret;
    use shipway_store::SqliteStore;

    use super::*;
    use crate::bell::Bell;
    use crate::fixture::{Still, settled};

    async fn journal(store: &Arc<dyn Store>) -> Result<Journal> {
        let id = Still.new_deployment_id();
        let deployment = store.deployment(id).await?.context("no deployment")?;
        let key = deployment.trigger.key;
        let lease: Option<Lease> = store
            .acquire(&key, "us", Still.now(), Duration::from_secs(60))
            .await?;
        let lease = lease.context("no lease")?;
        let (bell, clock) = (Bell::default(), Arc::new(Still));
        let journal = Journal::open(id, store.clone(), clock, bell, lease).await?;
        let redactor = Redactor::new(&[Secret::new("hunter22")]);
        Ok(journal.redacting(Arc::new(redactor)))
    }

    #[tokio::test]
    async fn a_deployment_fails_for_a_full_disk_as_soon_as_that_can_be_written() -> Result<()> {
        let folder = tempfile::tempdir()?;
        let sqlite = SqliteStore::open(&folder.path().join("shipway.db")).await?;
        let (store, _) = settled(sqlite.clone()).await?;
        let journal = journal(&store).await?;
        let step = Step::Services;
        journal.record(Event::StepStarted { step }).await?;
        sqlite.limit_size(0).await?;
        let warning = || Event::Warning {
            message: "x".repeat(2_000),
            plugin: None,
        };
        let halted = loop {
            if let Err(halted) = journal.record(warning()).await {
                break halted;
            }
        };
        assert!(is_wanting(&halted), "{halted:?}");

        let failing = tokio::spawn(async move {
            let failed = fail(&journal).await;
            (journal, failed)
        });
        tokio::time::sleep(RETRY_AFTER).await;
        sqlite.limit_size(1 << 30).await?;
        let (journal, failed) = tokio::time::timeout(Duration::from_secs(60), failing).await??;
        failed?;
        let State::CleanUp(debris) = journal.state().await else {
            anyhow::bail!("it has not failed")
        };
        let Cause::Failed(failure) = debris.cause else {
            anyhow::bail!("it was cancelled")
        };
        assert_eq!((failure.step, failure.reason), (step, Reason::Internal));
        assert!(failure.message.contains("was full"), "{}", failure.message);
        // The journal has no gap, and goes on.
        journal.record(warning()).await?;
        let entries = crate::journal::read(store.as_ref(), Still.new_deployment_id()).await?;
        assert!(
            entries
                .iter()
                .zip(1..)
                .all(|(entry, n)| entry.sequence == n)
        );
        Ok(())
    }

    #[tokio::test]
    async fn no_secret_reaches_the_journal() -> Result<()> {
        let (store, id) = settled(shipway_store::MemoryStore::new()).await?;
        let journal = journal(&store).await?;
        let step = Step::Services;
        journal.record(Event::StepStarted { step }).await?;
        let mut failure = Failure::new(step, Reason::Services, "pw hunter22 refused");
        failure.last_lines = vec!["aHVudGVyMjI=".into(), "fine".into()];
        journal.record(Event::StepFailed { failure }).await?;
        let entries = crate::journal::read(store.as_ref(), id).await?;
        let json = serde_json::to_string(&entries)?;
        assert!(json.contains("pw [secret] refused"), "{json}");
        assert!(json.contains(r#"["[secret]","fine"]"#), "{json}");
        assert!(
            !json.contains("hunter22") && !json.contains("aHVudGVy"),
            "{json}"
        );
        Ok(())
    }
}
