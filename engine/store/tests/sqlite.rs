//! What only a store in a file can do: be private, last, be refused, be full,
//! and stay quick when it has much to keep.

#[path = "conformance/sample.rs"]
#[expect(dead_code, reason = "shared with the conformance suite")]
mod sample;

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use shipway_core::ending::Ending;
use shipway_core::journal::Event;
use shipway_core::pipeline::Step;
use shipway_core::ports::Stream;
use shipway_core::ports::store::{
    Apps, DeploymentFilter, Deployments, Guard, LogPolicy, Logs, NewLine, StoreError,
};
use shipway_store::SqliteStore;

use sample::{at, deploy, id, key, settle};

/// The whole of an error, as a person sees it.
fn chain(error: StoreError) -> String {
    format!("{:#}", anyhow::Error::from(error))
}

async fn sql(path: &Path, statement: &'static str) -> Result<()> {
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let pool = sqlx::SqlitePool::connect_with(options).await?;
    sqlx::query(statement).execute(&pool).await?;
    pool.close().await;
    Ok(())
}

#[tokio::test]
async fn it_is_private_and_it_lasts() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("shipway.db");
    let store = SqliteStore::open(&path).await?;
    settle(&store, &["shop/live"]).await?;
    for file in std::fs::read_dir(folder.path())? {
        let file = file?;
        let mode = file.metadata()?.permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.path().display());
    }
    store.close().await;
    let left = std::fs::read_dir(folder.path())?.count();
    assert_eq!(
        left, 2,
        "closing folds the WAL into the file; beside it are the keys"
    );

    let store = SqliteStore::open(&path).await?;
    assert!(store.environment(&key("shop/live")?).await?.is_some());
    store.close().await;
    assert!(store.apps().await.is_err());
    Ok(())
}

#[tokio::test]
async fn a_file_that_is_no_database_is_said() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("shipway.db");
    std::fs::write(&path, "this is a letter, not a database\n".repeat(100))?;
    let said = chain(SqliteStore::open(&path).await.err().context("opened")?);
    ensure!(said.contains("shipway.db"), "{said}");
    ensure!(said.contains("is no SQLite database"), "{said}");
    let missing = folder.path().join("nowhere/shipway.db");
    let said = chain(SqliteStore::open(&missing).await.err().context("opened")?);
    ensure!(said.contains("check that its directory exists"), "{said}");
    Ok(())
}

#[tokio::test]
async fn a_store_of_a_newer_version_is_left_alone() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("shipway.db");
    SqliteStore::open(&path).await?.close().await;
    let statement = "INSERT INTO _sqlx_migrations \
                     (version, description, success, checksum, execution_time) \
                     VALUES (9999, 'later', TRUE, x'00', 0)";
    sql(&path, statement).await?;
    let said = chain(SqliteStore::open(&path).await.err().context("opened")?);
    ensure!(said.contains("newer Shipway (schema 9999"), "{said}");
    Ok(())
}

#[tokio::test]
async fn two_stores_on_one_file_agree() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("shipway.db");
    let one = SqliteStore::open(&path).await?;
    let two = SqliteStore::open(&path).await?;
    settle(&one, &["shop/live"]).await?;
    deploy(&two, 1, "shop/live").await?;
    let step = Step::Services;
    let event = Event::StepStarted { step };
    let writes = (0..20).flat_map(|n| {
        [
            one.append(id(1), at(n), &event, Guard::Open),
            two.append(id(1), at(n), &event, Guard::Open),
        ]
    });
    futures::future::try_join_all(writes).await?;
    assert_eq!(one.journal(id(1), 0, 100).await?.len(), 41);
    Ok(())
}

#[tokio::test]
async fn a_full_disk_is_said_and_nothing_is_half_written() -> Result<()> {
    let Some(disk) = SmallDisk::mount()? else {
        println!("not run: a full disk needs root, to mount a small one");
        ensure!(std::env::var_os("SHIPWAY_REQUIRE_PARTS").is_none());
        return Ok(());
    };
    let store = SqliteStore::open(&disk.path().join("shipway.db")).await?;
    settle(&store, &["shop/live"]).await?;
    deploy(&store, 1, "shop/live").await?;
    let line = NewLine {
        at: at(0),
        stream: Stream::Stdout,
        text: "x".repeat(16 * 1024),
    };
    let mut full = None;
    for _ in 0..1000 {
        if let Err(error) = store
            .append_log(id(1), std::slice::from_ref(&line), None)
            .await
        {
            full = Some(error);
            break;
        }
    }
    assert!(matches!(full, Some(StoreError::DiskFull)), "{full:?}");
    let again = store
        .append_log(id(1), std::slice::from_ref(&line), None)
        .await;
    assert!(matches!(again, Err(StoreError::DiskFull)), "{again:?}");
    let log = store.log(id(1), 0, u32::MAX).await?;
    assert_eq!(log.last().map(|line| line.number), Some(log.len() as u64));
    store.close().await;
    Ok(())
}

fn lines(count: usize, width: usize) -> Vec<NewLine> {
    let line = NewLine {
        at: at(0),
        stream: Stream::Stdout,
        text: "x".repeat(width),
    };
    vec![line; count]
}

#[tokio::test]
async fn it_goes_on_when_there_is_room_again() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let store = SqliteStore::open(&folder.path().join("shipway.db")).await?;
    settle(&store, &["shop/live"]).await?;
    deploy(&store, 1, "shop/live").await?;
    store.limit_size(1 << 20).await?;
    let many = lines(100, 1000);
    let mut full = None;
    for _ in 0..100 {
        if let Err(error) = store.append_log(id(1), &many, None).await {
            full = Some(error);
            break;
        }
    }
    assert!(matches!(full, Some(StoreError::DiskFull)), "{full:?}");
    let before = store.last_number(id(1)).await?;
    assert_eq!(before % 100, 0, "nothing is half written");
    while store.append_log(id(1), &lines(1, 1000), None).await.is_ok() {}
    let event = Event::CancelRequested {
        by: "x".repeat(9000),
    };
    let journal = store.append(id(1), at(0), &event, Guard::Open).await;
    assert!(matches!(journal, Err(StoreError::DiskFull)), "{journal:?}");

    let before = store.last_number(id(1)).await?;
    store.limit_size(1 << 30).await?;
    store.append_log(id(1), &many, None).await?;
    store.append(id(1), at(0), &event, Guard::Open).await?;
    assert_eq!(store.last_number(id(1)).await?, before + 100);
    store.close().await;
    Ok(())
}

#[tokio::test]
async fn the_file_shrinks_when_logs_are_pruned() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("shipway.db");
    let store = SqliteStore::open(&path).await?;
    settle(&store, &["shop/live"]).await?;
    for number in 1..=2 {
        deploy(&store, number, "shop/live").await?;
        for _ in 0..20 {
            store
                .append_log(id(number), &lines(500, 1000), None)
                .await?;
        }
        let ending = Event::Ended(Ending::Superseded { by: id(number) });
        store
            .append(id(number), at(0), &ending, Guard::Open)
            .await?;
    }
    let policy = LogPolicy {
        age: Duration::ZERO,
        bytes: 0,
        newest: 1,
    };
    let pruned = store.prune_logs(at(1), &policy).await?;
    ensure!(pruned.bytes > 9 << 20, "{pruned:?}");
    store.close().await;
    let size = std::fs::metadata(&path)?.len();
    ensure!(size < 20 << 20, "{size} bytes for 10 MB of log");
    Ok(())
}

#[tokio::test]
async fn logs_of_an_older_version_are_taken_over_and_their_file_can_shrink() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("shipway.db");
    for statement in [
        include_str!("../migrations/0001_first.sql"),
        "CREATE TABLE _sqlx_migrations (version BIGINT PRIMARY KEY, description TEXT NOT NULL, \
         installed_on TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, success BOOLEAN NOT NULL, \
         checksum BLOB NOT NULL, execution_time BIGINT NOT NULL)",
        "INSERT INTO apps VALUES ('shop', '{}')",
        "INSERT INTO environments VALUES ('shop', 'live', '{}')",
        "INSERT INTO deployments VALUES \
         ('00000000-0000-0000-0000-000000000001', 'shop', 'live', NULL, NULL, '{}')",
        "INSERT INTO log VALUES \
         ('00000000-0000-0000-0000-000000000001', 1, 5, 'stdout', 'é'), \
         ('00000000-0000-0000-0000-000000000001', 2, 6, 'engine', 'done')",
    ] {
        sql_here(&path, statement).await?;
    }
    first_is_done(&path).await?;
    let store = SqliteStore::open(&path).await?;
    let log = store.log(id(1), 0, 10).await?;
    let texts: Vec<&str> = log.iter().map(|line| line.text.as_str()).collect();
    assert_eq!(texts, ["é", "done"]);
    let size = store.log_size(id(1)).await?;
    assert_eq!((size.last, size.bytes), (2, 2 + 4 + 64));
    assert_eq!((size.stdout, size.stderr), (1, 0));
    store.close().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(&path);
    let pool = sqlx::SqlitePool::connect_with(options).await?;
    let mode: i64 = sqlx::query_scalar("PRAGMA auto_vacuum")
        .fetch_one(&pool)
        .await?;
    assert_eq!(mode, 2);
    Ok(())
}

/// Several statements, without the WAL that a store makes of a file.
async fn sql_here(path: &Path, statements: &'static str) -> Result<()> {
    let options = sqlx::sqlite::SqliteConnectOptions::new()
        .filename(path)
        .create_if_missing(true);
    let pool = sqlx::SqlitePool::connect_with(options).await?;
    sqlx::raw_sql(statements).execute(&pool).await?;
    pool.close().await;
    Ok(())
}

/// Notes the first migration as done, with the checksum that a new store has.
async fn first_is_done(path: &Path) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let other = folder.path().join("other.db");
    SqliteStore::open(&other).await?.close().await;
    let options = sqlx::sqlite::SqliteConnectOptions::new().filename(path);
    let pool = sqlx::SqlitePool::connect_with(options.pragma("busy_timeout", "1000")).await?;
    let mut connection = pool.acquire().await?;
    sqlx::query("ATTACH DATABASE $1 AS other")
        .bind(other.to_string_lossy().into_owned())
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "INSERT INTO _sqlx_migrations SELECT * FROM other._sqlx_migrations WHERE version = 1",
    )
    .execute(&mut *connection)
    .await?;
    drop(connection);
    pool.close().await;
    Ok(())
}

#[tokio::test]
async fn a_chatty_log_is_written_in_reasonable_time_and_holds_nobody_up() -> Result<()> {
    const LINES: usize = 100_000;
    let folder = tempfile::tempdir()?;
    let store = SqliteStore::open(&folder.path().join("shipway.db")).await?;
    settle(&store, &["shop/live"]).await?;
    deploy(&store, 1, "shop/live").await?;
    deploy(&store, 2, "shop/live").await?;
    let batch = lines(1000, 80);
    let start = Instant::now();
    let chatty = async {
        for _ in 0..LINES / batch.len() {
            store.append_log(id(1), &batch, None).await?;
        }
        anyhow::Ok(start.elapsed())
    };
    let event = Event::CancelRequested { by: "me".into() };
    let other = median(async |n| {
        let entry = store.append(id(2), at(n), &event, Guard::Open).await?;
        Ok(entry.sequence)
    });
    let (chatty, other) = futures::try_join!(chatty, other)?;
    println!(
        "{:.0} lines a second; an entry of another journal meanwhile {other:?}",
        LINES as f64 / chatty.as_secs_f64()
    );
    // Far above what they take.
    ensure!(chatty < Duration::from_secs(60) && other < Duration::from_secs(1));
    Ok(())
}

/// A file system of 2 MiB in memory, gone when it is dropped.
struct SmallDisk(tempfile::TempDir);

impl SmallDisk {
    fn mount() -> Result<Option<Self>> {
        let folder = tempfile::tempdir()?;
        let done = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=2m", "tmpfs"])
            .arg(folder.path())
            .output();
        let mounted = done.is_ok_and(|output| output.status.success());
        Ok(mounted.then_some(Self(folder)))
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = std::process::Command::new("umount")
            .arg("-l")
            .arg(self.path())
            .status();
    }
}

#[tokio::test]
async fn a_thousand_apps_stay_quick() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let store = SqliteStore::open(&folder.path().join("shipway.db")).await?;
    for number in 0..1000 {
        let name = format!("app-{number}/live");
        settle(&store, &[&name]).await?;
        deploy(&store, number + 1, &name).await?;
    }
    let event = Event::CancelRequested { by: "me".into() };
    let append = median(async |n| {
        let entry = store.append(id(500), at(n), &event, Guard::Open).await?;
        Ok(entry.sequence)
    })
    .await?;
    let filter = DeploymentFilter {
        environment: Some(key("app-500/live")?),
        limit: 20,
        ..DeploymentFilter::default()
    };
    let list = median(async |_| Ok(store.deployments(&filter).await?.len())).await?;
    let apps = median(async |_| Ok(store.apps().await?.len())).await?;
    println!("with 1,000 apps: append {append:?}, history {list:?}, all apps {apps:?}");
    // Far above what they take, far below what a missing index costs.
    let bound = Duration::from_millis(250);
    ensure!(append < bound && list < bound && apps < bound);
    Ok(())
}

async fn median<T>(work: impl AsyncFn(i64) -> Result<T>) -> Result<Duration> {
    let mut times = Vec::new();
    for n in 0..51 {
        let start = Instant::now();
        work(n).await?;
        times.push(start.elapsed());
    }
    times.sort();
    times.get(25).copied().context("no times")
}
