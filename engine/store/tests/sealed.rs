//! Secrets in the files of a store: not to be read there, whatever was before.

#[path = "conformance/sample.rs"]
#[expect(dead_code, reason = "shared with the conformance suite")]
mod sample;

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use shipway_core::ports::store::{Apps, StoreError, Webhooks};
use shipway_store::{Keyring, SqliteStore};
use sqlx::{ConnectOptions, Connection};
use tempfile::TempDir;

/// The password of the sample's repository.
const SECRET: &str = "swordfish";
const NONE: [PathBuf; 0] = [];

struct Place {
    folder: TempDir,
    database: PathBuf,
    keys: PathBuf,
}

#[tokio::test]
async fn secrets_are_not_in_the_files() -> Result<()> {
    let place = Place::new()?;
    let store = SqliteStore::open(&place.database).await?;
    sample::settle(&store, &["shop/live"]).await?;
    let webhook = sample::webhook('a', "shop")?;
    store.create_webhook(&webhook).await?;
    assert_eq!(store.webhook(&webhook.id).await?, Some(webhook));
    for secret in [SECRET, sample::WEBHOOK_SECRET] {
        assert_eq!(place.files_with(secret)?, NONE);
    }
    store.close().await;
    for secret in [SECRET, sample::WEBHOOK_SECRET] {
        assert_eq!(place.files_with(secret)?, NONE);
    }
    place.opens().await
}

#[tokio::test]
async fn what_was_readable_before_there_were_keys_is_sealed() -> Result<()> {
    let place = Place::settled().await?;
    write_plainly(&place.database).await?;
    assert_ne!(place.files_with(SECRET)?, NONE);
    place.opens().await?;
    assert_eq!(place.files_with(SECRET)?, NONE);
    Ok(())
}

#[tokio::test]
async fn after_a_rotation_everything_is_sealed_anew() -> Result<()> {
    let place = Place::settled().await?;
    Keyring::rotate(&place.keys)?;
    place.opens().await?;
    // The old line may go.
    let newest: String = fs::read_to_string(&place.keys)?.lines().take(1).collect();
    fs::write(&place.keys, newest)?;
    place.opens().await
}

#[tokio::test]
async fn a_store_whose_keys_were_lost_says_so() -> Result<()> {
    let place = Place::settled().await?;
    fs::remove_file(&place.keys)?;
    let said = place.refuses().await?;
    assert!(said.contains("secrets.key is not there"), "{said}");
    assert!(!place.keys.exists(), "no new key stands in its place");

    Keyring::make(&place.keys)?;
    let said = place.refuses().await?;
    assert!(said.contains("not in the key file"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_row_that_was_moved_opens_no_more() -> Result<()> {
    let place = Place::settled().await?;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&place.database);
    let mut database = options.connect().await?;
    sqlx::query("INSERT INTO apps (name, body) SELECT 'other', body FROM apps")
        .execute(&mut database)
        .await?;
    database.close().await?;
    let store = SqliteStore::open(&place.database).await?;
    let read = store.app(&"other".parse()?).await;
    let said = chain(read.err().context("it was read")?);
    assert!(said.contains("moved from elsewhere"), "{said}");
    store.close().await;
    Ok(())
}

impl Place {
    fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        Ok(Self {
            database: folder.path().join("shipway.db"),
            keys: folder.path().join("secrets.key"),
            folder,
        })
    }

    async fn settled() -> Result<Self> {
        let place = Self::new()?;
        let store = SqliteStore::open(&place.database).await?;
        sample::settle(&store, &["shop/live"]).await?;
        store.close().await;
        Ok(place)
    }

    /// With all that was stored.
    async fn opens(&self) -> Result<()> {
        let store = SqliteStore::open(&self.database).await?;
        let app = store.app(&"shop".parse()?).await?;
        assert_eq!(app, Some(sample::app("shop")?));
        let live = store.environment(&sample::key("shop/live")?).await?;
        assert_eq!(live, Some(sample::environment("shop/live")?));
        store.close().await;
        Ok(())
    }

    async fn refuses(&self) -> Result<String> {
        let opened = SqliteStore::open(&self.database).await;
        Ok(chain(opened.err().context("it was opened")?))
    }

    fn files_with(&self, text: &str) -> Result<Vec<PathBuf>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(self.folder.path())? {
            let path = entry?.path();
            let bytes = fs::read(&path)?;
            if bytes
                .windows(text.len())
                .any(|part| part == text.as_bytes())
            {
                found.push(path);
            }
        }
        Ok(found)
    }
}

/// As an engine wrote it that had no keys.
async fn write_plainly(path: &Path) -> Result<()> {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let mut database = options.connect().await?;
    sqlx::query("UPDATE apps SET body = $1")
        .bind(serde_json::to_string(&sample::app("shop")?)?)
        .execute(&mut database)
        .await?;
    Ok(database.close().await?)
}

/// The whole of an error, as a person sees it.
fn chain(error: StoreError) -> String {
    format!("{:#}", anyhow::Error::from(error))
}
