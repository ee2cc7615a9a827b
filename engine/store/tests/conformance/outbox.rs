//! What notifiers are still to be told: from the journal, by each one's place.

use anyhow::Result;
use shipway_core::journal::Event;
use shipway_core::name::PluginName;
use shipway_core::ports::store::{Backlog, Created, Due, Guard, Store, Subscription};

use crate::sample::{at, id, settle, trigger};

const ROUND: i64 = 60_000;

fn cancel() -> Event {
    Event::CancelRequested {
        by: "somebody".to_owned(),
    }
}

fn name(text: &str) -> Result<PluginName> {
    Ok(text.parse()?)
}

async fn deploy(store: &impl Store, notifiers: &[&str]) -> Result<()> {
    settle(store, &["shop/live"]).await?;
    let notifiers = notifiers
        .iter()
        .map(|text| name(text))
        .collect::<Result<Vec<_>>>()?;
    let created = store
        .create_deployment(id(1), at(2), &trigger("shop/live")?, &notifiers)
        .await?;
    assert!(matches!(created, Created::New(_)));
    Ok(())
}

async fn due(store: &impl Store, now: i64) -> Result<Vec<Subscription>> {
    Ok(store.take_due(at(now), at(now + ROUND), 10).await?)
}

pub async fn whoever_is_subscribed_is_due_from_the_first_entry(store: &impl Store) -> Result<()> {
    deploy(store, &["herald"]).await?;
    store
        .subscribe(id(1), &[name("herald")?, name("page")?])
        .await?;
    let taken = due(store, 10).await?;
    let places: Vec<_> = taken
        .iter()
        .map(|one| (one.notifier.as_str(), one.delivered, one.attempts))
        .collect();
    assert_eq!(places, [("herald", 0, 0), ("page", 0, 0)]);
    Ok(())
}

pub async fn what_is_taken_is_nobody_elses_until_then(store: &impl Store) -> Result<()> {
    deploy(store, &["herald"]).await?;
    assert_eq!(due(store, 10).await?.len(), 1);
    assert_eq!(due(store, 10 + ROUND - 1).await?.len(), 0);
    assert_eq!(due(store, 10 + ROUND).await?.len(), 1);
    Ok(())
}

pub async fn a_place_moves_on_and_never_back(store: &impl Store) -> Result<()> {
    deploy(store, &["herald"]).await?;
    let mut place = due(store, 10).await?.remove(0);
    place.delivered = 1;
    store.settle(&place, Due::At(at(11))).await?;
    assert_eq!(due(store, 12).await?, [], "nothing is new");

    store.append(id(1), at(20), &cancel(), Guard::Open).await?;
    let newer = due(store, 21).await?;
    assert_eq!(newer, [place.clone()]);
    let ahead = Subscription {
        delivered: 2,
        ..place.clone()
    };
    store.settle(&ahead, Due::At(at(22))).await?;
    store.settle(&place, Due::At(at(22))).await?;
    store.append(id(1), at(23), &cancel(), Guard::Open).await?;
    assert_eq!(due(store, 24).await?, [ahead]);
    Ok(())
}

pub async fn who_is_told_later_keeps_the_count_of_tries(store: &impl Store) -> Result<()> {
    deploy(store, &["herald"]).await?;
    let mut place = due(store, 10).await?.remove(0);
    place.attempts = 3;
    store.settle(&place, Due::At(at(500))).await?;
    assert_eq!(due(store, 499).await?, []);
    assert_eq!(due(store, 500).await?, [place.clone()]);
    store.settle(&place, Due::Never).await?;
    assert_eq!(due(store, 1_000_000).await?, []);
    Ok(())
}

pub async fn the_backlog_is_what_is_still_to_be_told(store: &impl Store) -> Result<()> {
    let backlog = |notifiers, events| Backlog { notifiers, events };
    store.prove_writable().await?;
    assert_eq!(store.backlog().await?, backlog(0, 0));
    deploy(store, &["herald", "page"]).await?;
    store.append(id(1), at(5), &cancel(), Guard::Open).await?;
    assert_eq!(store.backlog().await?, backlog(2, 4));

    let mut taken = due(store, 10).await?;
    assert_eq!(store.backlog().await?, backlog(2, 4), "taken is not told");
    let mut herald = taken.remove(0);
    herald.delivered = 1;
    store.settle(&herald, Due::At(at(11))).await?;
    assert_eq!(store.backlog().await?, backlog(2, 3));
    store.settle(&taken.remove(0), Due::Never).await?;
    assert_eq!(store.backlog().await?, backlog(1, 1));
    herald.delivered = 2;
    store.settle(&herald, Due::At(at(12))).await?;
    assert_eq!(store.backlog().await?, backlog(0, 0));
    Ok(())
}
