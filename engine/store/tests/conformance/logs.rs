use std::time::Duration;

use anyhow::{Context, Result};
use shipway_core::ending::Ending;
use shipway_core::journal::Event;
use shipway_core::name::Timestamp;
use shipway_core::ports::Stream;
use shipway_core::ports::store::{
    Gap, Guard, LogLine, LogPolicy, LogSize, NewLine, Pruned, Store, StoreError,
};

use crate::sample::{at, deploy, id, key, settle};

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
    store.append_log(id(1), &lines, None).await?;
    store.append_log(id(2), &lines[..1], None).await?;
    store.append_log(id(1), &[], None).await?;
    store.append_log(id(1), &lines[..1], None).await?;

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

pub async fn a_worker_adds_no_lines_once_another_has_its_lease(store: &impl Store) -> Result<()> {
    settle(store, &["shop/live"]).await?;
    deploy(store, 1, "shop/live").await?;
    let (key, ttl) = (key("shop/live")?, Duration::from_secs(30));
    let acquired = store.acquire(&key, "a", at(0), ttl).await?;
    let first = acquired.context("nobody has it")?;
    let lines = [line(Stream::Stdout, "one")];
    store.append_log(id(1), &lines, Some(&first)).await?;
    store.release(&first).await?;
    // Its last lines may come late.
    store.append_log(id(1), &lines, Some(&first)).await?;
    let acquired = store.acquire(&key, "b", at(0), ttl).await?;
    let second = acquired.context("it was given back")?;
    let refused = store.append_log(id(1), &lines, Some(&first)).await;
    assert!(
        matches!(refused, Err(StoreError::LeaseLost(_))),
        "{refused:?}"
    );
    store.append_log(id(1), &lines, Some(&second)).await?;
    // A notifier's line is nobody's.
    store.append_log(id(1), &lines, None).await?;
    assert_eq!(store.log(id(1), 0, 100).await?.len(), 4);
    Ok(())
}

pub async fn a_log_needs_its_deployment(store: &impl Store) -> Result<()> {
    let missing = store
        .append_log(id(1), &[line(Stream::Stdout, "x")], None)
        .await;
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

fn numbers(log: &[LogLine]) -> Vec<u64> {
    log.iter().map(|line| line.number).collect()
}

/// A deployment with some lines, that has ended at that time.
async fn ended(
    store: &impl Store,
    number: u128,
    name: &str,
    lines: usize,
    end: Timestamp,
) -> Result<()> {
    deploy(store, number, name).await?;
    let lines = vec![line(Stream::Stdout, "0123456789"); lines];
    store.append_log(id(number), &lines, None).await?;
    let ending = Event::Ended(Ending::Superseded { by: id(number) });
    store.append(id(number), end, &ending, Guard::Open).await?;
    Ok(())
}

pub async fn a_log_knows_its_size(store: &impl Store) -> Result<()> {
    settle(store, &["shop/live"]).await?;
    deploy(store, 1, "shop/live").await?;
    assert_eq!(store.log_size(id(1)).await?, LogSize::default());
    assert_eq!(store.last_number(id(1)).await?, 0);
    let lines = [
        line(Stream::Stdout, "é"),
        line(Stream::Stderr, ""),
        line(Stream::Engine, ""),
        line(Stream::Stdout, ""),
    ];
    for n in 1..=2 {
        store.append_log(id(1), &lines, None).await?;
        let size = store.log_size(id(1)).await?;
        assert_eq!((size.last, size.bytes), (4 * n, (2 + 4 * 32) * n));
        assert_eq!((size.stdout, size.stderr, size.gap), (2 * n, n, None));
    }
    assert_eq!(store.last_number(id(1)).await?, 8);
    Ok(())
}

pub async fn lines_are_left_out_and_it_is_said(store: &impl Store) -> Result<()> {
    settle(store, &["shop/live"]).await?;
    deploy(store, 1, "shop/live").await?;
    let lines: Vec<NewLine> = (1..=10)
        .map(|n| line(Stream::Stdout, &n.to_string()))
        .collect();
    store.append_log(id(1), &lines, None).await?;
    for through in [5, 8] {
        let gap = Gap { after: 2, through };
        let notice = line(Stream::Engine, &format!("… {} lines left out", through - 2));
        store.leave_out(id(1), gap, &notice).await?;
        assert_eq!(store.log_size(id(1)).await?.gap, Some(gap));
    }
    store.append_log(id(1), &lines[..1], None).await?;

    let log = store.log(id(1), 0, 100).await?;
    assert_eq!(numbers(&log), [1, 2, 8, 9, 10, 11]);
    assert_eq!(log[2].text, "… 6 lines left out");
    assert_eq!(numbers(&store.log(id(1), 4, 100).await?), [8, 9, 10, 11]);
    assert_eq!(numbers(&store.log(id(1), 8, 1).await?), [9]);
    let size = store.log_size(id(1)).await?;
    let cost: usize = log.iter().map(|line| line.text.len() + 32).sum();
    assert_eq!((size.last, size.bytes), (11, cost as u64));

    for gap in [
        Gap {
            after: 2,
            through: 12,
        },
        Gap {
            after: 9,
            through: 9,
        },
    ] {
        let refused = store.leave_out(id(1), gap, &lines[0]).await;
        assert!(matches!(refused, Err(StoreError::NotFound { .. })));
    }
    Ok(())
}

pub async fn old_logs_are_pruned_and_say_so(store: &impl Store) -> Result<()> {
    settle(store, &["shop/live", "shop/test"]).await?;
    for number in 1..=4 {
        ended(store, number, "shop/live", 5, at(number as i64)).await?;
    }
    ended(store, 5, "shop/test", 5, at(1)).await?;
    let policy = LogPolicy {
        age: Duration::from_millis(100),
        bytes: u64::MAX,
        newest: 1,
    };
    assert_eq!(store.prune_logs(at(100), &policy).await?, Pruned::default());
    let pruned = store.prune_logs(at(102), &policy).await?;
    assert_eq!(pruned.logs, 2);
    for number in [1, 2] {
        let log = store.log(id(number), 0, 100).await?;
        assert_eq!(numbers(&log), [5]);
        assert!(
            log[0].text.contains("5 lines were removed on 20"),
            "{}",
            log[0].text
        );
        assert_eq!(store.journal(id(number), 0, 10).await?.len(), 2);
    }
    // Not the environment's newest, however old.
    assert_eq!(store.log(id(5), 0, 100).await?.len(), 5);
    // Nothing twice, and numbers go on.
    assert_eq!(store.prune_logs(at(102), &policy).await?, Pruned::default());
    store
        .append_log(id(1), &[line(Stream::Engine, "late")], None)
        .await?;
    assert_eq!(store.last_number(id(1)).await?, 6);
    assert_eq!(numbers(&store.log(id(1), 0, 100).await?), [5, 6]);
    Ok(())
}

pub async fn too_many_logs_are_pruned_from_the_oldest(store: &impl Store) -> Result<()> {
    settle(store, &["shop/live"]).await?;
    for number in 1..=4 {
        ended(store, number, "shop/live", 100, at(number as i64)).await?;
    }
    deploy(store, 5, "shop/live").await?;
    store
        .append_log(id(5), &[line(Stream::Stdout, "it runs")], None)
        .await?;
    let policy = LogPolicy {
        age: Duration::from_secs(1000),
        bytes: 100 * 42 * 2 + 1000,
        newest: 0,
    };
    let pruned = store.prune_logs(at(10), &policy).await?;
    assert_eq!(pruned.logs, 2);
    let mut kept = Vec::new();
    for number in 1..=5 {
        kept.push(store.log(id(number), 0, 1000).await?.len());
    }
    assert_eq!(kept, [1, 1, 100, 100, 1]);
    assert_eq!(store.log(id(5), 0, 10).await?[0].text, "it runs");
    Ok(())
}
