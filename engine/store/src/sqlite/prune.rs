//! Old logs are taken out in small steps, and the file shrinks.

use shipway_core::name::Timestamp;
use shipway_core::ports::store::{Gap, LogPolicy, Pruned};
use sqlx::Row;

use super::logs::{self, Log};
use super::row::{Fault, timestamp, unsigned};
use super::{Durability, SqliteStore};
use crate::rules;

/// Lines taken out in one transaction: others wait for no more than that.
const STEP: u64 = 2_000;
/// Pages given back to the disk in one transaction.
const PAGES: i64 = 500;
/// Free pages that are kept for the next lines.
const SPARE_PAGES: i64 = 500;

pub async fn prune(
    store: &SqliteStore,
    now: Timestamp,
    policy: &LogPolicy,
) -> Result<Pruned, Fault> {
    let mut total = total(store).await?;
    let mut pruned = Pruned::default();
    for (ended_at, log) in ended(store, policy).await? {
        if !rules::is_due(ended_at, total, now, policy) {
            break;
        }
        let freed = empty(store, &log, now, policy).await?;
        total = total.saturating_sub(freed);
        pruned.logs += 1;
        pruned.bytes += freed;
    }
    shrink(store).await?;
    Ok(pruned)
}

async fn total(store: &SqliteStore) -> Result<u64, Fault> {
    let sum: i64 = sqlx::query_scalar("SELECT COALESCE(SUM(bytes), 0) FROM logs")
        .fetch_one(&store.readers)
        .await?;
    Ok(unsigned(sum))
}

/// The logs of ended deployments that the policy does not keep anyhow and that
/// hold more than the notice of having been pruned, oldest first.
async fn ended(store: &SqliteStore, policy: &LogPolicy) -> Result<Vec<(Timestamp, Log)>, Fault> {
    let sql = "SELECT l.id, l.last, l.bytes, l.gap_after, l.gap_through, \
                      l.stdout, l.stderr, d.ended_at \
               FROM logs l JOIN deployments d ON d.id = l.deployment \
               WHERE d.ended_at IS NOT NULL \
                 AND NOT (COALESCE(l.gap_after, 1) = 0 AND COALESCE(l.gap_through, 0) = l.last) \
                 AND (SELECT COUNT(*) FROM (SELECT 1 FROM deployments n \
                      WHERE n.app = d.app AND n.environment = d.environment AND n.id > d.id \
                      LIMIT $1)) >= $1 \
               ORDER BY d.ended_at, d.id";
    let rows = sqlx::query(sql)
        .bind(i64::from(policy.newest))
        .fetch_all(&store.readers)
        .await?;
    rows.iter()
        .map(|row| Ok((timestamp(row.try_get(7)?), logs::log(row)?)))
        .collect()
}

/// Takes the lines of one log out, the oldest first: whatever stops it half-way,
/// the log says how far it got.
async fn empty(
    store: &SqliteStore,
    log: &Log,
    now: Timestamp,
    policy: &LogPolicy,
) -> Result<u64, Fault> {
    let mut through = 0;
    let mut freed = 0;
    while through < log.size.last {
        through = (through + STEP).min(log.size.last);
        let gap = Gap { after: 0, through };
        let notice = rules::pruned(now, through, policy);
        let mut tx = store.write(Durability::Kill).await?;
        freed += logs::take_out(&mut tx, log.id, gap, &notice).await?;
        freed = freed.saturating_sub(notice.cost());
        tx.commit().await?;
    }
    Ok(freed)
}

/// Gives free pages back to the disk, some at a time.
async fn shrink(store: &SqliteStore) -> Result<(), Fault> {
    loop {
        let mut writer = store.writer.acquire().await?;
        let free: i64 = sqlx::query_scalar("PRAGMA freelist_count")
            .fetch_one(&mut *writer)
            .await?;
        if free < SPARE_PAGES + PAGES {
            return Ok(());
        }
        // As many as PAGES; a pragma takes no parameter.
        sqlx::query("PRAGMA incremental_vacuum(500)")
            .fetch_all(&mut *writer)
            .await?;
        let after: i64 = sqlx::query_scalar("PRAGMA freelist_count")
            .fetch_one(&mut *writer)
            .await?;
        // A file that cannot shrink yet is not asked for ever.
        if after >= free {
            return Ok(());
        }
    }
}
