use std::time::Duration;

use anyhow::Result;
use shipway_core::audit::{Act, Actor, Filter, Outcome, Policy, Record};
use shipway_core::ports::store::Store;

use crate::sample::at;

fn act(name: &str, millis: i64) -> Result<Act> {
    Ok(Act {
        at: at(millis),
        actor: Actor::Token { name: name.into() },
        from: Some("192.0.2.7".parse()?),
        action: "create_deployment".into(),
        subject: "/v1/apps/shop/environments/live/deployments".into(),
        app: Some("shop".parse()?),
        outcome: Outcome::Accepted,
        unrecorded: 0,
    })
}

fn refused(millis: i64) -> Result<Act> {
    let reason = "unauthorized".to_owned();
    Ok(Act {
        actor: Actor::Anonymous,
        from: None,
        app: None,
        action: "create_app".into(),
        outcome: Outcome::Refused { reason },
        unrecorded: 3,
        ..act("", millis)?
    })
}

async fn write(store: &impl Store, act: &Act) -> Result<()> {
    Ok(store.record(act, &Policy::default()).await?)
}

fn acts(records: Vec<Record>) -> Vec<Act> {
    records.into_iter().map(|record| record.act).collect()
}

pub async fn acts_are_kept_newest_first_with_a_cursor(store: &impl Store) -> Result<()> {
    let all = [act("ci", 1)?, refused(2)?, act("ann", 3)?];
    for act in &all {
        write(store, act).await?;
    }
    let page = Filter {
        limit: 2,
        ..Filter::default()
    };
    let first = store.audit(&page).await?;
    let before = first.last().map(|record| record.number);
    let rest = store.audit(&Filter { before, ..page }).await?;
    let found = acts(first.into_iter().chain(rest).collect());
    let [one, two, three] = all;
    assert_eq!(found, [three, two, one]);
    Ok(())
}

pub async fn a_filter_finds_by_actor_action_app_and_time(store: &impl Store) -> Result<()> {
    write(store, &act("ci", 1)?).await?;
    write(store, &refused(2)?).await?;
    write(store, &act("ann", 3)?).await?;
    let some = Filter::default();
    let by = |text: &str| Some(text.to_owned());
    let cases = [
        (
            Filter {
                actor: by("ann"),
                ..some.clone()
            },
            vec![act("ann", 3)?],
        ),
        (
            Filter {
                actor: by("anonymous"),
                ..some.clone()
            },
            vec![refused(2)?],
        ),
        (
            Filter {
                action: by("create_app"),
                ..some.clone()
            },
            vec![refused(2)?],
        ),
        (
            Filter {
                app: Some("shop".parse()?),
                ..some.clone()
            },
            vec![act("ann", 3)?, act("ci", 1)?],
        ),
        (
            Filter {
                app: Some("blog".parse()?),
                ..some.clone()
            },
            vec![],
        ),
        (
            Filter {
                since: Some(at(2)),
                ..some.clone()
            },
            vec![act("ann", 3)?, refused(2)?],
        ),
    ];
    for (filter, expected) in cases {
        assert_eq!(acts(store.audit(&filter).await?), expected, "{filter:?}");
    }
    Ok(())
}

pub async fn what_is_refused_never_pushes_out_what_was_done(store: &impl Store) -> Result<()> {
    let policy = Policy {
        refused: 10,
        ..Policy::default()
    };
    store.record(&act("ci", 0)?, &policy).await?;
    for millis in 1..500 {
        store.record(&refused(millis)?, &policy).await?;
    }
    let all = store
        .audit(&Filter {
            limit: 1000,
            ..Filter::default()
        })
        .await?;
    assert!(all.len() < 10 + 64 + 1, "{} are kept", all.len());
    assert_eq!(all.first().map(|record| &record.act), Some(&refused(499)?));
    assert_eq!(all.last().map(|record| &record.act), Some(&act("ci", 0)?));
    Ok(())
}

pub async fn what_is_too_old_goes(store: &impl Store) -> Result<()> {
    let policy = Policy {
        age: Duration::from_millis(100),
        ..Policy::default()
    };
    for millis in 0..200 {
        store.record(&act("ci", millis)?, &policy).await?;
    }
    let all = store
        .audit(&Filter {
            limit: 1000,
            ..Filter::default()
        })
        .await?;
    let oldest = all.last().map(|record| record.act.at);
    assert!(oldest > Some(at(50)), "{oldest:?} is still there");
    assert_eq!(all.first().map(|record| record.act.at), Some(at(199)));
    Ok(())
}
