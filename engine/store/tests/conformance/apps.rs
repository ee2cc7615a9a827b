use anyhow::{Context, Result};

use shipway_core::ports::store::{DeploymentFilter, NewLine, Store, StoreError};

use crate::sample::{app, at, deploy, environment, id, key, settle};

pub async fn an_app_is_kept_and_changed(store: &impl Store) -> Result<()> {
    let mut shop = app("shop")?;
    store.create_app(&shop).await?;
    store.create_app(&app("blog")?).await?;
    assert_eq!(store.app(&shop.name).await?.as_ref(), Some(&shop));
    shop.repository.default_reference = "stable".into();
    store.update_app(&shop).await?;
    assert_eq!(store.apps().await?, vec![app("blog")?, shop]);
    Ok(())
}

pub async fn names_are_unique_and_missing_ones_are_said(store: &impl Store) -> Result<()> {
    let shop = app("shop")?;
    let missing = store
        .update_app(&shop)
        .await
        .err()
        .context("no error")?
        .to_string();
    assert_eq!(missing, "there is no app \"shop\"");
    let missing = store
        .delete_app(&shop.name)
        .await
        .err()
        .context("no error")?;
    assert!(matches!(missing, StoreError::NotFound { what: "app", .. }));
    let live = environment("shop/live")?;
    let missing = store
        .create_environment(&live)
        .await
        .err()
        .context("no error")?;
    assert!(matches!(missing, StoreError::NotFound { what: "app", .. }));

    store.create_app(&shop).await?;
    let twice = store
        .create_app(&shop)
        .await
        .err()
        .context("no error")?
        .to_string();
    assert_eq!(twice, "app \"shop\" exists already");
    let missing = store
        .update_environment(&live)
        .await
        .err()
        .context("no error")?;
    assert_eq!(missing.to_string(), "there is no environment \"shop/live\"");
    store.create_environment(&live).await?;
    let twice = store
        .create_environment(&live)
        .await
        .err()
        .context("no error")?;
    assert_eq!(
        twice.to_string(),
        "environment \"shop/live\" exists already"
    );
    Ok(())
}

pub async fn environments_are_kept_and_changed(store: &impl Store) -> Result<()> {
    settle(store, &["shop/test", "shop/live", "blog/live"]).await?;
    let mut live = environment("shop/live")?;
    live.drain_seconds = 5;
    live.domains = vec!["shop.example.com".parse()?, "shop.example.com".parse()?];
    store.update_environment(&live).await?;
    assert_eq!(store.environment(&live.key).await?.as_ref(), Some(&live));
    let all = store.environments(&live.key.app).await?;
    assert_eq!(all, vec![live, environment("shop/test")?]);
    assert_eq!(store.environment(&key("shop/old")?).await?, None);
    Ok(())
}

pub async fn a_domain_belongs_to_one_environment(store: &impl Store) -> Result<()> {
    settle(store, &["shop/live", "blog/live"]).await?;
    let mut shop = environment("shop/live")?;
    shop.domains = vec!["example.com".parse()?, "www.example.com".parse()?];
    store.update_environment(&shop).await?;
    store.update_environment(&shop).await?;

    let mut blog = environment("blog/live")?;
    blog.domains = vec!["blog.example.com".parse()?, "www.example.com".parse()?];
    let taken = store
        .update_environment(&blog)
        .await
        .err()
        .context("no error")?;
    assert_eq!(
        taken.to_string(),
        "domain www.example.com belongs to shop/live already"
    );
    let unchanged = store.environment(&blog.key).await?;
    assert_eq!(unchanged, Some(environment("blog/live")?));

    shop.domains.pop();
    store.update_environment(&shop).await?;
    store.update_environment(&blog).await?;
    let mut third = environment("blog/test")?;
    third.domains = vec!["blog.example.com".parse()?];
    let taken = store
        .create_environment(&third)
        .await
        .err()
        .context("no error")?;
    assert!(matches!(taken, StoreError::DomainTaken { owner, .. } if owner == blog.key));
    assert_eq!(store.environment(&third.key).await?, None);
    store.delete_environment(&blog.key).await?;
    Ok(store.create_environment(&third).await?)
}

pub async fn deleting_an_app_takes_everything_with_it(store: &impl Store) -> Result<()> {
    settle(store, &["shop/live", "blog/live"]).await?;
    deploy(store, 1, "shop/live").await?;
    deploy(store, 2, "blog/live").await?;
    store.append_log(id(1), &[line("one")], None).await?;
    store.delete_app(&"shop".parse()?).await?;

    assert_eq!(store.environment(&key("shop/live")?).await?, None);
    assert_eq!(store.deployment(id(1)).await?, None);
    assert!(store.journal(id(1), 0, 10).await?.is_empty());
    assert!(store.log(id(1), 0, 10).await?.is_empty());
    let left = store.deployments(&DeploymentFilter::default()).await?;
    assert_eq!(left.len(), 1);
    Ok(())
}

pub async fn deleting_an_environment_leaves_the_others(store: &impl Store) -> Result<()> {
    settle(store, &["shop/live", "shop/test"]).await?;
    deploy(store, 1, "shop/live").await?;
    deploy(store, 2, "shop/test").await?;
    store.delete_environment(&key("shop/test")?).await?;
    assert_eq!(store.deployment(id(2)).await?, None);
    assert!(store.deployment(id(1)).await?.is_some());
    let missing = store.delete_environment(&key("shop/test")?).await;
    assert!(matches!(missing, Err(StoreError::NotFound { .. })));
    Ok(())
}

fn line(text: &str) -> NewLine {
    NewLine {
        at: at(3),
        stream: shipway_core::ports::Stream::Stdout,
        text: text.into(),
    }
}
