use anyhow::Result;
use shipway_core::ports::store::{Delivery, Seen, Store, StoreError};

use crate::sample::{app, at, webhook, webhook_id as id};

fn delivery(webhook: char, id_of: &str, digest: char) -> Result<Delivery> {
    Ok(Delivery {
        webhook: id(webhook)?,
        id: id_of.into(),
        digest: digest.to_string().repeat(64).parse()?,
        at: at(6),
    })
}

pub async fn webhooks_are_kept_by_app(store: &impl Store) -> Result<()> {
    store.create_app(&app("shop")?).await?;
    store.create_app(&app("blog")?).await?;
    for (digit, app) in [('b', "shop"), ('a', "shop"), ('c', "blog")] {
        store.create_webhook(&webhook(digit, app)?).await?;
    }
    let shop = "shop".parse()?;
    let of_shop = store.webhooks(&shop).await?;
    assert_eq!(of_shop, [webhook('a', "shop")?, webhook('b', "shop")?]);
    assert_eq!(store.webhook(&id('c')?).await?, Some(webhook('c', "blog")?));
    assert_eq!(store.webhook(&id('d')?).await?, None);

    let twice = store.create_webhook(&webhook('a', "blog")?).await;
    assert!(matches!(
        twice,
        Err(StoreError::Exists {
            what: "webhook",
            ..
        })
    ));
    let nobodys = store.create_webhook(&webhook('d', "none")?).await;
    assert!(matches!(
        nobodys,
        Err(StoreError::NotFound { what: "app", .. })
    ));
    Ok(())
}

pub async fn webhooks_go_alone_and_with_their_app(store: &impl Store) -> Result<()> {
    store.create_app(&app("shop")?).await?;
    store.create_webhook(&webhook('a', "shop")?).await?;
    store.create_webhook(&webhook('b', "shop")?).await?;
    let of_another = store.delete_webhook(&"blog".parse()?, &id('a')?).await;
    assert!(matches!(
        of_another,
        Err(StoreError::NotFound {
            what: "webhook",
            ..
        })
    ));
    store.delete_webhook(&"shop".parse()?, &id('a')?).await?;
    assert_eq!(store.webhook(&id('a')?).await?, None);
    store.delete_app(&"shop".parse()?).await?;
    assert_eq!(store.webhook(&id('b')?).await?, None);
    Ok(())
}

pub async fn a_delivery_is_new_once(store: &impl Store) -> Result<()> {
    store.create_app(&app("shop")?).await?;
    store.create_webhook(&webhook('a', "shop")?).await?;
    store.create_webhook(&webhook('b', "shop")?).await?;
    let note = async |delivery: Delivery| store.note_delivery(&delivery).await;
    assert_eq!(note(delivery('a', "one", '1')?).await?, Seen::New);
    assert_eq!(note(delivery('a', "one", '1')?).await?, Seen::Again);
    assert_eq!(note(delivery('a', "one", '2')?).await?, Seen::OtherBody);
    assert_eq!(
        note(delivery('a', "two", '1')?).await?,
        Seen::OtherId("one".into())
    );
    assert_eq!(note(delivery('a', "two", '2')?).await?, Seen::New);
    assert_eq!(note(delivery('b', "one", '1')?).await?, Seen::New);
    Ok(())
}
