use std::time::Duration;

use anyhow::{Context, Result};
use futures::FutureExt;
use shipway_core::ports::store::LogLine;
use shipway_core::secret::Secret;
use shipway_store::{MemoryStore, SqliteStore};

use super::*;
use crate::fixture::{Still, settled};

/// Far more than anything here takes.
const PATIENCE: Duration = Duration::from_secs(120);

fn open(store: &Arc<dyn Store>, id: DeploymentId, limit: LogLimit) -> Log {
    let redactor = Arc::new(Redactor::new(&[Secret::new("hunter22")]));
    let place = Place {
        deployment: id,
        store: store.clone(),
        bell: Bell::default(),
        clock: Arc::new(Still),
        lease: None,
    };
    Log::open_limited(place, redactor, limit)
}

async fn all(store: &Arc<dyn Store>, id: DeploymentId) -> Result<Vec<LogLine>> {
    Ok(store.log(id, 0, u32::MAX).await?)
}

fn texts(lines: &[LogLine]) -> Vec<&str> {
    lines.iter().map(|line| line.text.as_str()).collect()
}

#[tokio::test]
async fn lines_come_in_order_from_each_output_and_without_secrets() -> Result<()> {
    let (store, id) = settled(MemoryStore::new()).await?;
    let log = open(&store, id, LogLimit::default());
    log.heading("docker release commands");
    log.write(Stream::Stdout, "pw hunter22", LineEnd::Newline)
        .await;
    log.write(Stream::Stderr, "half: hunt", LineEnd::Cut).await;
    log.write(Stream::Stdout, "between", LineEnd::Newline).await;
    log.write(Stream::Stderr, "er22.", LineEnd::Newline).await;
    log.say("two\nlines of hunter22");
    log.flush().await;
    let lines = all(&store, id).await?;
    let of = |stream| {
        let lines = lines.iter().filter(move |line| line.stream == stream);
        lines.map(|line| line.text.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(of(Stream::Stdout), ["pw [secret]", "between"]);
    // As many lines as there were pieces: who takes a command up again counts.
    assert_eq!(of(Stream::Stderr), ["", "half: [secret]."]);
    assert_eq!(
        of(Stream::Engine),
        [
            "===== docker release commands =====",
            "",
            "two",
            "lines of [secret]"
        ]
    );
    Ok(())
}

#[tokio::test]
async fn what_is_held_back_ends_with_the_command() -> Result<()> {
    let (store, id) = settled(MemoryStore::new()).await?;
    let log = open(&store, id, LogLimit::default());
    let shown = log.write(Stream::Stdout, "hunt", LineEnd::Cut).await;
    assert_eq!(shown, "");
    log.flush().await;
    log.print(Stream::Stdout, "er22", LineEnd::Newline);
    log.flush().await;
    assert_eq!(texts(&all(&store, id).await?), ["", "hunt", "er22"]);
    Ok(())
}

#[tokio::test]
async fn a_hundred_thousand_lines_and_one_of_fifty_megabytes_hurt_nobody() -> Result<()> {
    const LINES: usize = 100_000;
    const PIECES: usize = 50 * 64;
    let folder = tempfile::tempdir()?;
    let sqlite = SqliteStore::open(&folder.path().join("shipway.db")).await?;
    let (store, id) = settled(sqlite).await?;
    let log = open(&store, id, LogLimit::default());
    let began = std::time::Instant::now();
    let writing = async {
        for n in 0..LINES {
            let line = format!("line {n} of a command that has much to say about little");
            log.write(Stream::Stdout, &line, LineEnd::Newline).await;
        }
        let piece = "x".repeat(16 << 10);
        for _ in 0..PIECES {
            log.write(Stream::Stderr, &piece, LineEnd::Cut).await;
        }
        log.flush().await;
    };
    tokio::time::timeout(PATIENCE, writing).await?;
    let took = began.elapsed();
    println!("{LINES} lines and 50 MiB in {took:?}");
    let size = store.log_size(id).await?;
    assert!(size.last as usize >= LINES + PIECES, "{size:?}");
    assert_eq!(size.gap, None);
    let first = store.log(id, 0, 3).await?;
    assert!(first[2].text.starts_with("line 2 of"));
    let mut bytes = 0;
    for after in (LINES as u64..).step_by(500) {
        let page = store.log(id, after, 500).await?;
        bytes += page.iter().map(|line| line.text.len()).sum::<usize>();
        if page.is_empty() {
            break;
        }
    }
    assert_eq!(bytes, 50 << 20);
    Ok(())
}

#[tokio::test]
async fn beyond_its_limit_the_middle_is_left_out() -> Result<()> {
    let (store, id) = settled(MemoryStore::new()).await?;
    let limit = LogLimit {
        lines: 10_000,
        bytes: 1 << 30,
        last_lines: 1_000,
        last_bytes: 1 << 20,
    };
    let log = open(&store, id, limit);
    for n in 1..=50_000 {
        log.write(Stream::Stdout, &n.to_string(), LineEnd::Newline)
            .await;
    }
    log.flush().await;
    let lines = all(&store, id).await?;
    assert!(lines.len() <= 11_000, "{}", lines.len());
    let notice = lines.iter().position(|line| line.stream == Stream::Engine);
    let notice = notice.context("no notice")?;
    let gap = lines[notice].number - lines[notice - 1].number;
    let said = format!("… {gap} lines left out: the log's limit of");
    assert!(
        lines[notice].text.starts_with(&said),
        "{}",
        lines[notice].text
    );
    assert_eq!(lines[notice - 1].text, lines[notice - 1].number.to_string());
    let end = &lines[notice + 1..];
    assert!(end.len() >= 1_000);
    assert!(end.iter().all(|line| line.text == line.number.to_string()));
    assert_eq!(end.last().map(|line| line.number), Some(50_000));
    Ok(())
}

/// A log whose lines nobody stores, and the end where they wait.
fn stuck() -> (Log, mpsc::UnboundedReceiver<Message>, watch::Sender<Disk>) {
    let (messages, inbox) = mpsc::unbounded_channel();
    let (found, disk) = watch::channel(Disk::HasRoom);
    let log = Log::new(messages, disk, Arc::new(Still), Arc::default());
    (log, inbox, found)
}

#[tokio::test]
async fn a_command_waits_for_the_disk_and_loses_nothing() -> Result<()> {
    let (log, mut inbox, _found) = stuck();
    let line = "x".repeat(16 << 10);
    let mut written = 0;
    while log
        .write(Stream::Stdout, &line, LineEnd::Newline)
        .now_or_never()
        .is_some()
    {
        written += 1;
    }
    assert!((100..=256).contains(&written), "{written}");
    // One is stored: there is room for one more.
    drop(inbox.recv().await);
    let next = log.write(Stream::Stdout, &line, LineEnd::Newline);
    assert!(next.now_or_never().is_some());
    Ok(())
}

#[tokio::test]
async fn what_cannot_wait_is_counted_and_said() -> Result<()> {
    let (log, mut inbox, found) = stuck();
    let line = "x".repeat(16 << 10);
    for _ in 0..3_000 {
        log.print(Stream::Stdout, &line, LineEnd::Newline);
    }
    let mut kept = 0;
    while let Ok(Message::Line(..)) = inbox.try_recv() {
        kept += 1;
    }
    assert!((1_000..3_000).contains(&kept), "{kept}");
    log.say("and on");
    let Ok(Message::Line(notice, _)) = inbox.try_recv() else {
        anyhow::bail!("no notice")
    };
    let said = format!("… {} lines are missing here", 3_000 - kept);
    assert!(notice.text.starts_with(&said), "{}", notice.text);

    // A full disk holds up nobody.
    found.send_replace(Disk::Full);
    for _ in 0..1_000 {
        let write = log.write(Stream::Stdout, &line, LineEnd::Newline);
        tokio::time::timeout(PATIENCE, write).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_full_disk_is_said_and_nothing_is_lost_when_there_is_room_again() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let sqlite = SqliteStore::open(&folder.path().join("shipway.db")).await?;
    let (store, id) = settled(sqlite.clone()).await?;
    sqlite.limit_size(1 << 20).await?;
    let log = open(&store, id, LogLimit::default());
    let line = "x".repeat(10_000);
    for _ in 0..200 {
        log.write(Stream::Stdout, &line, LineEnd::Newline).await;
    }
    tokio::time::timeout(PATIENCE, log.disk_full()).await?;
    // Nobody waits for a disk that is full.
    tokio::time::timeout(PATIENCE, log.flush()).await?;
    sqlite.limit_size(1 << 30).await?;
    let stored = async {
        while store.last_number(id).await? < 200 {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        anyhow::Ok(())
    };
    tokio::time::timeout(PATIENCE, stored).await??;
    log.say("after");
    log.flush().await;
    let lines = all(&store, id).await?;
    assert_eq!(lines.len(), 201);
    assert!(log.disk_full().now_or_never().is_none());
    Ok(())
}

#[tokio::test]
async fn a_log_that_is_taken_up_goes_on_after_its_last_line() -> Result<()> {
    let (store, id) = settled(MemoryStore::new()).await?;
    for text in ["before", "after"] {
        let log = open(&store, id, LogLimit::default());
        log.say(text);
        log.flush().await;
    }
    let lines = all(&store, id).await?;
    assert_eq!(texts(&lines), ["before", "after"]);
    assert_eq!(store.last_number(id).await?, 2);
    Ok(())
}
