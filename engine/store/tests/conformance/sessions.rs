use anyhow::Result;
use shipway_core::name::Digest;
use shipway_core::ports::store::Store;
use shipway_core::session::{Session, Who};

use crate::sample::at;

fn digest(letter: char) -> Result<Digest> {
    Ok(letter.to_string().repeat(64).parse()?)
}

fn session(letter: char, from: i64, to: i64) -> Result<Session> {
    Ok(Session {
        digest: digest(letter)?,
        who: Who::Person {
            name: "ada@example.com".into(),
            rule: "deploy@shop:email=ada@example.com".into(),
        },
        created_at: at(from),
        expires_at: at(to),
    })
}

pub async fn a_session_is_found_by_its_digest_until_it_is_deleted(
    store: &impl Store,
) -> Result<()> {
    let mut by_token = session('b', 0, 1000)?;
    by_token.who = Who::Token {
        digest: digest('f')?,
    };
    store.create_session(&session('a', 0, 1000)?).await?;
    store.create_session(&by_token).await?;
    let found = store.session(&digest('a')?).await?;
    assert_eq!(found, Some(session('a', 0, 1000)?));
    assert_eq!(store.session(&digest('b')?).await?, Some(by_token));
    assert_eq!(store.session(&digest('c')?).await?, None);
    store.delete_session(&digest('a')?).await?;
    store.delete_session(&digest('a')?).await?;
    assert_eq!(store.session(&digest('a')?).await?, None);
    Ok(())
}

pub async fn sessions_that_are_over_go_when_another_begins(store: &impl Store) -> Result<()> {
    store.create_session(&session('a', 0, 1000)?).await?;
    store.create_session(&session('b', 0, 1001)?).await?;
    store.create_session(&session('c', 1000, 9000)?).await?;
    assert_eq!(store.session(&digest('a')?).await?, None);
    assert!(store.session(&digest('b')?).await?.is_some());
    Ok(())
}
