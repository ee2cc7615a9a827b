use anyhow::Result;
use shipway_core::ports::Stream;
use shipway_core::ports::store::{NewLine, Store, StoreError};

use crate::sample::{at, deploy, id, settle};

fn line(stream: Stream, text: &str) -> NewLine {
    NewLine {
        at: at(3),
        stream,
        text: text.into(),
    }
}

pub async fn lines_are_numbered_on(store: &impl Store) -> Result<()> {
    settle(store, &["shop/live"]).await?;
    deploy(store, 1, "shop/live").await?;
    deploy(store, 2, "shop/live").await?;
    let engine = line(Stream::Engine, "===== docker release commands =====");
    let lines = [
        engine,
        line(Stream::Stdout, ""),
        line(Stream::Stderr, "\u{1b}[31mred 💥"),
    ];
    store.append_log(id(1), &lines).await?;
    store.append_log(id(2), &lines[..1]).await?;
    store.append_log(id(1), &[]).await?;
    store.append_log(id(1), &lines[..1]).await?;

    let log = store.log(id(1), 0, 100).await?;
    let numbers: Vec<u64> = log.iter().map(|line| line.number).collect();
    assert_eq!(numbers, [1, 2, 3, 4]);
    for (kept, given) in log.iter().zip(&lines) {
        assert_eq!(
            (kept.at, kept.stream, &kept.text),
            (given.at, given.stream, &given.text)
        );
    }
    assert_eq!(store.log(id(1), 1, 2).await?, log[1..3]);
    Ok(())
}

pub async fn a_log_needs_its_deployment(store: &impl Store) -> Result<()> {
    let missing = store.append_log(id(1), &[line(Stream::Stdout, "x")]).await;
    assert!(matches!(
        missing,
        Err(StoreError::NotFound {
            what: "deployment",
            ..
        })
    ));
    assert!(store.log(id(1), 0, 10).await?.is_empty());
    Ok(())
}
