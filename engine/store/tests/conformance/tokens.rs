use anyhow::{Context, Result};
use shipway_core::name::Digest;
use shipway_core::ports::store::{Store, StoreError};
use shipway_core::token::{Scope, Token};

use crate::sample::at;

fn digest(letter: char) -> Result<Digest> {
    Ok(letter.to_string().repeat(64).parse()?)
}

fn token(name: &str, letter: char) -> Result<Token> {
    Ok(Token {
        name: name.into(),
        digest: digest(letter)?,
        scope: Scope::Deploy,
        apps: vec!["shop".parse()?],
        created_at: at(0),
        last_used_at: None,
        expires_at: None,
    })
}

pub async fn tokens_are_found_by_digest(store: &impl Store) -> Result<()> {
    store.create_token(&token("ci", 'a')?).await?;
    store.create_token(&token("admin", 'b')?).await?;
    let found = store.token_by_digest(&digest('a')?).await?;
    assert_eq!(found, Some(token("ci", 'a')?));
    assert_eq!(store.token_by_digest(&digest('c')?).await?, None);
    assert_eq!(
        store.tokens().await?,
        vec![token("admin", 'b')?, token("ci", 'a')?]
    );
    let twice = store.create_token(&token("ci", 'c')?).await;
    assert!(matches!(
        twice,
        Err(StoreError::Exists { what: "token", .. })
    ));
    Ok(())
}

pub async fn a_use_is_noted_to_the_minute(store: &impl Store) -> Result<()> {
    store.create_token(&token("ci", 'a')?).await?;
    let digest = digest('a')?;
    for (used, kept) in [(1_000, 1_000), (60_999, 1_000), (61_000, 61_000)] {
        store.note_token_use(&digest, at(used)).await?;
        let token = store.token_by_digest(&digest).await?.context("no token")?;
        assert_eq!(token.last_used_at, Some(at(kept)));
    }
    Ok(())
}

pub async fn tokens_are_deleted(store: &impl Store) -> Result<()> {
    store.create_token(&token("ci", 'a')?).await?;
    store.delete_token("ci").await?;
    assert!(store.tokens().await?.is_empty());
    assert!(matches!(
        store.delete_token("ci").await,
        Err(StoreError::NotFound { .. })
    ));
    Ok(())
}
