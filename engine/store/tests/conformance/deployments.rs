use std::time::Duration;

use anyhow::{Context, Result};
use shipway_core::ending::{Ending, Failed, Failure, Reason};
use shipway_core::journal::{Commit, Event, Image, Instance, Output, Serving};
use shipway_core::name::DeploymentId;
use shipway_core::pipeline::Step;
use shipway_core::ports::store::{Created, DeploymentFilter, Guard, Store, StoreError};

use crate::sample::{at, deploy, id, key, settle, trigger};

fn started(step: Step) -> Event {
    Event::StepStarted { step }
}

fn succeeded(output: Output) -> Event {
    let output = Box::new(output);
    Event::StepSucceeded { output, millis: 7 }
}

fn commit() -> Result<Commit> {
    Ok(Commit {
        id: "b".repeat(40).parse()?,
        subject: "Sell more".into(),
        author: "A. Person".into(),
    })
}

fn serving(deployment: DeploymentId) -> Result<Serving> {
    Ok(Serving {
        deployment,
        commit: "a".repeat(40).parse()?,
        image: Image {
            reference: "sha256:1".into(),
            tag: "shipway/shop:a".into(),
            reused: false,
        },
        instances: vec![Instance {
            id: "one".into(),
            process: "web".parse()?,
            address: Some("127.0.0.1:8000".parse()?),
        }],
    })
}

pub async fn the_first_entry_is_its_trigger(store: &impl Store) -> Result<()> {
    settle(store, &["shop/live"]).await?;
    let elsewhere = trigger("shop/test")?;
    let missing = store.create_deployment(id(1), at(2), &elsewhere, &[]).await;
    assert!(matches!(
        missing,
        Err(StoreError::NotFound {
            what: "environment",
            ..
        })
    ));
    let deployment = deploy(store, 1, "shop/live").await?;
    assert_eq!((deployment.status(), deployment.sequence), ("queued", 1));
    assert_eq!(store.deployment(id(1)).await?, Some(deployment));
    let journal = store.journal(id(1), 0, 10).await?;
    assert_eq!(journal.len(), 1);
    assert_eq!(journal[0].event, Event::Queued(trigger("shop/live")?));
    assert_eq!(journal[0].at, at(2));
    let again = trigger("shop/live")?;
    let twice = store.create_deployment(id(1), at(2), &again, &[]).await;
    assert!(matches!(twice, Err(StoreError::Exists { .. })));
    Ok(())
}

pub async fn an_idempotency_key_gives_the_earlier_deployment(store: &impl Store) -> Result<()> {
    settle(store, &["shop/live", "shop/test"]).await?;
    let mut trigger = trigger("shop/live")?;
    trigger.idempotency_key = Some("delivery-1".into());
    let Created::New(first) = store.create_deployment(id(1), at(2), &trigger, &[]).await? else {
        anyhow::bail!("seen before");
    };
    let second = store.create_deployment(id(2), at(3), &trigger, &[]).await?;
    assert_eq!(second, Created::Earlier(first));
    assert_eq!(store.deployment(id(2)).await?, None);
    trigger.key = key("shop/test")?;
    let elsewhere = store.create_deployment(id(3), at(4), &trigger, &[]).await?;
    assert!(matches!(elsewhere, Created::New(_)));
    Ok(())
}

pub async fn the_journal_has_no_gap_and_comes_back_as_it_was(store: &impl Store) -> Result<()> {
    settle(store, &["shop/live"]).await?;
    deploy(store, 1, "shop/live").await?;
    let events = [
        started(Step::Checkout),
        succeeded(Output::Checkout(commit()?)),
        started(Step::Release),
        succeeded(Output::Release),
        Event::Warning {
            message: "ümläut\nand \"quotes\"".into(),
            plugin: Some("slack".parse()?),
        },
    ];
    let mut written = store.journal(id(1), 0, 1).await?;
    for (event, millis) in events.iter().zip(10..) {
        written.push(store.append(id(1), at(millis), event, Guard::Open).await?);
    }
    let numbers: Vec<u64> = written.iter().map(|entry| entry.sequence).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 5, 6]);
    assert_eq!(store.journal(id(1), 0, 100).await?, written);
    assert_eq!(store.journal(id(1), 2, 3).await?, written[2..5]);
    assert!(store.journal(id(1), 6, 100).await?.is_empty());
    assert!(store.journal(id(9), 0, 100).await?.is_empty());
    let missing = store.append(id(9), at(9), &events[0], Guard::Open).await;
    assert!(matches!(missing, Err(StoreError::NotFound { .. })));
    Ok(())
}

pub async fn the_projection_follows_the_journal(store: &impl Store) -> Result<()> {
    settle(store, &["shop/live"]).await?;
    deploy(store, 1, "shop/live").await?;
    let done = succeeded(Output::Checkout(commit()?));
    store
        .append(id(1), at(5), &started(Step::Checkout), Guard::Open)
        .await?;
    store.append(id(1), at(6), &done, Guard::Open).await?;
    let running = store.deployment(id(1)).await?.context("no deployment")?;
    assert_eq!(running.status(), "running");
    assert_eq!(running.started_at, Some(at(5)));
    assert_eq!(running.commit, Some(commit()?));

    let failure = Failure::new(Step::Build, Reason::Build, "no Dockerfile");
    let ending = Ending::Failed(Failed {
        failure,
        aftermath: Default::default(),
    });
    store
        .append(id(1), at(7), &Event::Ended(ending.clone()), Guard::Open)
        .await?;
    let ended = store.deployment(id(1)).await?.context("no deployment")?;
    assert_eq!(ended.status(), "failed");
    assert_eq!((ended.ended_at, ended.ending), (Some(at(7)), Some(ending)));
    assert_eq!(ended.sequence, 4);
    Ok(())
}

pub async fn a_switch_says_what_serves(store: &impl Store) -> Result<()> {
    settle(store, &["shop/live", "shop/test"]).await?;
    let live = key("shop/live")?;
    for number in [1, 2] {
        deploy(store, number, "shop/live").await?;
        let switch = succeeded(Output::Switch(serving(id(number))?));
        store
            .append(id(number), at(5), &switch, Guard::Open)
            .await?;
        assert_eq!(store.serving(&live).await?, Some(serving(id(number))?));
    }
    assert_eq!(store.serving(&key("shop/test")?).await?, None);
    store.delete_environment(&live).await?;
    assert_eq!(store.serving(&live).await?, None);
    Ok(())
}

pub async fn nothing_is_added_after_the_end(store: &impl Store) -> Result<()> {
    settle(store, &["shop/live"]).await?;
    deploy(store, 1, "shop/live").await?;
    let end = Event::Ended(Ending::Succeeded);
    store.append(id(1), at(5), &end, Guard::Open).await?;
    let late = store.append(id(1), at(6), &end, Guard::Open).await;
    assert!(matches!(late, Err(StoreError::Ended(ended)) if ended == id(1)));
    assert_eq!(store.journal(id(1), 0, 10).await?.len(), 2);
    Ok(())
}

pub async fn listing_is_newest_first_with_a_cursor(store: &impl Store) -> Result<()> {
    settle(store, &["shop/live", "shop/test", "blog/live"]).await?;
    for (number, name) in [
        (1, "shop/live"),
        (2, "shop/test"),
        (3, "blog/live"),
        (4, "shop/live"),
    ] {
        deploy(store, number, name).await?;
    }
    let ask = async |filter: DeploymentFilter| -> Result<Vec<u128>> {
        let found = store.deployments(&filter).await?;
        Ok(found.iter().map(|d| d.id.0.as_u128()).collect())
    };
    let all = DeploymentFilter::default();
    assert_eq!(ask(all.clone()).await?, [4, 3, 2, 1]);
    let shop = DeploymentFilter {
        app: Some("shop".parse()?),
        ..all.clone()
    };
    assert_eq!(ask(shop.clone()).await?, [4, 2, 1]);
    let page = DeploymentFilter {
        before: Some(id(4)),
        limit: 1,
        ..shop.clone()
    };
    assert_eq!(ask(page).await?, [2]);
    let live = DeploymentFilter {
        environment: Some(key("shop/live")?),
        ..shop
    };
    assert_eq!(ask(live.clone()).await?, [4, 1]);
    let neither = DeploymentFilter {
        app: Some("blog".parse()?),
        ..live
    };
    assert!(ask(neither).await?.is_empty());
    Ok(())
}

pub async fn unfinished_are_oldest_first(store: &impl Store) -> Result<()> {
    settle(store, &["shop/live"]).await?;
    for number in [3, 1, 2] {
        deploy(store, number, "shop/live").await?;
    }
    let end = Event::Ended(Ending::Succeeded);
    store.append(id(2), at(5), &end, Guard::Open).await?;
    let found = store.unfinished().await?;
    let ids: Vec<_> = found.iter().map(|deployment| deployment.id).collect();
    assert_eq!(ids, [id(1), id(3)]);
    Ok(())
}

pub async fn a_writer_without_the_newest_lease_writes_nothing(store: &impl Store) -> Result<()> {
    settle(store, &["shop/live", "shop/test"]).await?;
    deploy(store, 1, "shop/live").await?;
    let ttl = Duration::from_secs(10);
    let live = key("shop/live")?;
    let old = store
        .acquire(&live, "a", at(0), ttl)
        .await?
        .context("held")?;
    let event = started(Step::Services);
    store
        .append(id(1), at(1), &event, Guard::Lease(&old))
        .await?;

    let new = store
        .acquire(&live, "b", at(60_000), ttl)
        .await?
        .context("held")?;
    let end = Event::Ended(Ending::Succeeded);
    let stale = store
        .append(id(1), at(60_001), &end, Guard::Lease(&old))
        .await;
    assert!(matches!(stale, Err(StoreError::LeaseLost(lost)) if lost == live));
    let test = key("shop/test")?;
    let other = store
        .acquire(&test, "b", at(0), ttl)
        .await?
        .context("held")?;
    let wrong = store
        .append(id(1), at(60_002), &end, Guard::Lease(&other))
        .await;
    assert!(matches!(wrong, Err(StoreError::LeaseLost(_))));

    store
        .append(id(1), at(60_003), &end, Guard::Lease(&new))
        .await?;
    let stale = store
        .append(id(1), at(60_004), &end, Guard::Lease(&old))
        .await;
    assert!(matches!(stale, Err(StoreError::LeaseLost(_))));
    assert_eq!(store.journal(id(1), 0, 10).await?.len(), 3);
    Ok(())
}

pub async fn writers_at_once_leave_no_gap(store: &impl Store) -> Result<()> {
    settle(store, &["shop/live"]).await?;
    deploy(store, 1, "shop/live").await?;
    let cancel = Event::CancelRequested { by: "me".into() };
    let writers = (0..20).map(|n| store.append(id(1), at(n), &cancel, Guard::Open));
    let mut numbers: Vec<u64> = futures::future::try_join_all(writers)
        .await?
        .iter()
        .map(|entry| entry.sequence)
        .collect();
    numbers.sort_unstable();
    assert_eq!(numbers, (2..=21).collect::<Vec<u64>>());
    Ok(())
}

pub async fn a_writer_who_is_not_up_to_date_writes_nothing(store: &impl Store) -> Result<()> {
    settle(store, &["shop/live"]).await?;
    let first = deploy(store, 1, "shop/live").await?;
    let guard = Guard::After(first.sequence);
    store
        .append(id(1), at(3), &started(Step::Services), guard)
        .await?;
    let end = Event::Ended(Ending::Superseded { by: id(2) });
    let late = store.append(id(1), at(4), &end, guard).await;
    assert!(matches!(late, Err(StoreError::Outdated(_))), "{late:?}");
    assert_eq!(store.journal(id(1), 0, 10).await?.len(), 2);
    Ok(())
}
