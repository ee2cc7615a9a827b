use std::collections::BTreeMap;

use anyhow::Result;
use shipway_core::ending::Ending;
use shipway_core::environment::Variable;
use shipway_core::grant::Grants;
use shipway_core::journal::Event;
use shipway_core::name::Digest;
use shipway_core::plugin::{Description, Enabled, Installed, Role};
use shipway_core::ports::store::{Guard, Store, StoreError};
use shipway_core::secret::Secret;

use crate::sample::{at, deploy, id, settle};

fn digest(letter: char) -> Result<Digest> {
    Ok(letter.to_string().repeat(64).parse()?)
}

fn plugin(name: &str, letter: char) -> Result<Installed> {
    let secret = Variable::Secret(Secret::new("hook"));
    Ok(Installed {
        description: Description {
            name: name.parse()?,
            version: "1.0.0".into(),
            summary: "Says it".into(),
            digest: digest(letter)?,
            size: 3,
            roles: vec![Role::Notifier],
            settings: Vec::new(),
            requests: Vec::new(),
        },
        grants: Grants::default(),
        settings: BTreeMap::from([("url".to_owned(), secret)]),
        enabled: Enabled::Yes,
        limits: Default::default(),
        origin: Default::default(),
        installed_at: at(0),
    })
}

pub async fn a_plugin_and_its_component_are_kept(store: &impl Store) -> Result<()> {
    let mut slack = plugin("slack", 'a')?;
    store.put_plugin(&slack, Some(&[0, 97, 115])).await?;
    store
        .put_plugin(&plugin("aldryn", 'b')?, Some(b"b"))
        .await?;
    slack.enabled = Enabled::No;
    store.put_plugin(&slack, None).await?;
    assert_eq!(store.plugin(slack.name()).await?.as_ref(), Some(&slack));
    assert_eq!(
        store.plugins().await?,
        vec![plugin("aldryn", 'b')?, slack.clone()]
    );
    assert_eq!(
        store.component(&digest('a')?).await?,
        Some(vec![0, 97, 115])
    );

    store.delete_plugin(slack.name()).await?;
    assert_eq!(store.plugin(slack.name()).await?, None);
    assert_eq!(store.component(&digest('a')?).await?, None);
    let missing = store.delete_plugin(slack.name()).await;
    assert!(matches!(
        missing,
        Err(StoreError::NotFound { what: "plugin", .. })
    ));
    Ok(())
}

pub async fn a_component_must_be_there(store: &impl Store) -> Result<()> {
    let missing = store.put_plugin(&plugin("slack", 'a')?, None).await;
    assert!(matches!(
        missing,
        Err(StoreError::NotFound {
            what: "component",
            ..
        })
    ));
    assert!(store.plugins().await?.is_empty());
    Ok(())
}

pub async fn a_component_stays_while_a_deployment_runs(store: &impl Store) -> Result<()> {
    settle(store, &["shop/live"]).await?;
    store.put_plugin(&plugin("slack", 'a')?, Some(b"a")).await?;
    deploy(store, 1, "shop/live").await?;
    store.put_plugin(&plugin("slack", 'b')?, Some(b"b")).await?;
    assert!(store.component(&digest('a')?).await?.is_some());

    let end = Event::Ended(Ending::Succeeded);
    store.append(id(1), at(5), &end, Guard::Open).await?;
    store.put_plugin(&plugin("slack", 'c')?, Some(b"c")).await?;
    assert_eq!(store.component(&digest('a')?).await?, None);
    assert_eq!(store.component(&digest('c')?).await?, Some(b"c".to_vec()));
    Ok(())
}
