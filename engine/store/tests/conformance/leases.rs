use std::time::Duration;

use anyhow::{Context, Result};
use shipway_core::ports::store::Store;

use crate::sample::{at, key, settle};

const TTL: Duration = Duration::from_secs(10);

pub async fn one_holder_at_a_time(store: &impl Store) -> Result<()> {
    settle(store, &["shop/live", "shop/test"]).await?;
    let live = key("shop/live")?;
    let first = store
        .acquire(&live, "a", at(0), TTL)
        .await?
        .context("held")?;
    assert_eq!((first.generation, first.holder.as_str()), (1, "a"));
    assert_eq!(store.acquire(&live, "b", at(1), TTL).await?, None);
    let elsewhere = store.acquire(&key("shop/test")?, "b", at(1), TTL).await?;
    assert!(elsewhere.is_some());

    let again = store
        .acquire(&live, "a", at(2), TTL)
        .await?
        .context("held")?;
    assert_eq!(again.generation, 2);
    assert!(!store.renew(&first, at(3), TTL).await?);
    assert!(store.renew(&again, at(3), TTL).await?);
    Ok(())
}

pub async fn an_expired_lease_is_taken_over(store: &impl Store) -> Result<()> {
    settle(store, &["shop/live"]).await?;
    let live = key("shop/live")?;
    let a = store
        .acquire(&live, "a", at(0), TTL)
        .await?
        .context("held")?;
    assert!(store.renew(&a, at(5_000), TTL).await?);
    assert_eq!(store.acquire(&live, "b", at(14_999), TTL).await?, None);
    let b = store
        .acquire(&live, "b", at(15_000), TTL)
        .await?
        .context("held")?;
    assert_eq!(b.generation, 2);
    assert!(!store.renew(&a, at(15_001), TTL).await?);
    Ok(())
}

pub async fn a_lease_given_back_is_free_and_lost(store: &impl Store) -> Result<()> {
    settle(store, &["shop/live"]).await?;
    let live = key("shop/live")?;
    let a = store
        .acquire(&live, "a", at(0), TTL)
        .await?
        .context("held")?;
    store.release(&a).await?;
    store.release(&a).await?;
    assert!(!store.renew(&a, at(1), TTL).await?);
    let b = store
        .acquire(&live, "b", at(1), TTL)
        .await?
        .context("held")?;
    assert_eq!(b.generation, 2);
    store.release(&a).await?;
    assert_eq!(store.acquire(&live, "c", at(2), TTL).await?, None);
    Ok(())
}

pub async fn generations_outlive_the_environment(store: &impl Store) -> Result<()> {
    settle(store, &["shop/live"]).await?;
    let live = key("shop/live")?;
    let before = store
        .acquire(&live, "a", at(0), TTL)
        .await?
        .context("held")?;
    store.delete_app(&live.app).await?;
    settle(store, &["shop/live"]).await?;
    assert!(!store.renew(&before, at(1), TTL).await?);
    let after = store
        .acquire(&live, "b", at(1), TTL)
        .await?
        .context("held")?;
    assert_eq!(after.generation, 2);
    Ok(())
}
