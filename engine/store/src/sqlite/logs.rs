//! Logs: many small lines, written in bulk, taken out in steps.

use async_trait::async_trait;
use shipway_core::name::{DeploymentId, Timestamp};
use shipway_core::ports::Stream;
use shipway_core::ports::store::{
    Gap, Lease, LogLine, LogPolicy, LogSize, Logs, NewLine, Pruned, StoreError,
};
use sqlx::sqlite::SqliteRow;
use sqlx::{QueryBuilder, Row, SqliteConnection};

use super::row::{Fault, nanos, signed, timestamp, unsigned};
use super::{Durability, SqliteStore, attempt, leases, prune};
use crate::rules::{self, not_found};

/// Lines written by one statement: most of the time goes into each call.
const AT_ONCE: usize = 500;

/// A log's own row.
pub struct Log {
    pub id: i64,
    pub size: LogSize,
}

#[async_trait]
impl Logs for SqliteStore {
    async fn append_log(
        &self,
        id: DeploymentId,
        lines: &[NewLine],
        lease: Option<&Lease>,
    ) -> Result<(), StoreError> {
        let work = async {
            let mut tx = self.write(Durability::Kill).await?;
            if let Some(lease) = lease {
                let held = leases::held(&mut tx, &lease.key).await?;
                rules::fence(Some(lease), held.as_ref())?;
            }
            let log = find_or_make(&mut tx, id).await?;
            let mut last = log.size.last;
            for some in lines.chunks(AT_ONCE) {
                last = write_lines(&mut tx, log.id, last, some).await?;
            }
            let mut size = log.size;
            for line in lines {
                size.note(line);
            }
            let sql = "UPDATE logs SET last = $2, bytes = $3, stdout = $4, stderr = $5 \
                       WHERE id = $1";
            sqlx::query(sql)
                .bind(log.id)
                .bind(signed(size.last))
                .bind(signed(size.bytes))
                .bind(signed(size.stdout))
                .bind(signed(size.stderr))
                .execute(&mut *tx)
                .await?;
            Ok(tx.commit().await?)
        };
        attempt(work, || format!("write the log of deployment {id}")).await
    }

    async fn log(
        &self,
        id: DeploymentId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<LogLine>, StoreError> {
        let work = async {
            let sql = "SELECT number, at, stream, text FROM log_lines \
                       WHERE log = (SELECT id FROM logs WHERE deployment = $1) AND number > $2 \
                       ORDER BY number LIMIT $3";
            let rows = sqlx::query(sql)
                .bind(id.to_string())
                .bind(signed(after))
                .bind(i64::from(limit))
                .fetch_all(&self.readers)
                .await?;
            rows.iter().map(line).collect()
        };
        attempt(work, || format!("read the log of deployment {id}")).await
    }

    async fn log_size(&self, id: DeploymentId) -> Result<LogSize, StoreError> {
        let work = async {
            let mut reader = self.readers.acquire().await?;
            let log = find(&mut reader, id).await?;
            Ok(log.map(|log| log.size).unwrap_or_default())
        };
        attempt(work, || format!("measure the log of deployment {id}")).await
    }

    async fn leave_out(
        &self,
        id: DeploymentId,
        gap: Gap,
        notice: &NewLine,
    ) -> Result<(), StoreError> {
        let work = async {
            let mut tx = self.write(Durability::Kill).await?;
            let log = find(&mut tx, id).await?;
            let log = log.filter(|log| gap.after < gap.through && gap.through <= log.size.last);
            let log = log.ok_or_else(|| not_found("log line", gap.through))?;
            take_out(&mut tx, log.id, gap, notice).await?;
            Ok(tx.commit().await?)
        };
        attempt(work, || format!("shorten the log of deployment {id}")).await
    }

    async fn prune_logs(&self, now: Timestamp, policy: &LogPolicy) -> Result<Pruned, StoreError> {
        let work = prune::prune(self, now, policy);
        attempt(work, || "prune the logs".to_owned()).await
    }
}

pub async fn find(
    connection: &mut SqliteConnection,
    id: DeploymentId,
) -> Result<Option<Log>, Fault> {
    let sql = "SELECT id, last, bytes, gap_after, gap_through, stdout, stderr FROM logs \
               WHERE deployment = $1";
    let row = sqlx::query(sql)
        .bind(id.to_string())
        .fetch_optional(connection)
        .await?;
    row.as_ref().map(log).transpose()
}

/// From columns that begin with the id.
pub fn log(row: &SqliteRow) -> Result<Log, Fault> {
    let (after, through): (Option<i64>, Option<i64>) = (row.try_get(3)?, row.try_get(4)?);
    let gap = after.zip(through).map(|(after, through)| Gap {
        after: unsigned(after),
        through: unsigned(through),
    });
    Ok(Log {
        id: row.try_get(0)?,
        size: LogSize {
            last: unsigned(row.try_get(1)?),
            bytes: unsigned(row.try_get(2)?),
            gap,
            stdout: unsigned(row.try_get(5)?),
            stderr: unsigned(row.try_get(6)?),
        },
    })
}

/// The log begins with its first line.
async fn find_or_make(tx: &mut SqliteConnection, id: DeploymentId) -> Result<Log, Fault> {
    if let Some(log) = find(tx, id).await? {
        return Ok(log);
    }
    let sql = "INSERT INTO logs (deployment, last, bytes, stdout, stderr) \
               SELECT id, 0, 0, 0, 0 FROM deployments WHERE id = $1 RETURNING id";
    let made = sqlx::query(sql)
        .bind(id.to_string())
        .fetch_optional(tx)
        .await?;
    let made = made.ok_or_else(|| not_found("deployment", id))?;
    Ok(Log {
        id: made.try_get(0)?,
        size: LogSize::default(),
    })
}

/// Gives the number of the last of them.
async fn write_lines(
    tx: &mut SqliteConnection,
    log: i64,
    last: u64,
    lines: &[NewLine],
) -> Result<u64, Fault> {
    let mut insert = QueryBuilder::new("INSERT INTO log_lines (log, number, at, stream, text) ");
    let mut number = last;
    insert.push_values(lines, |mut row, line| {
        number += 1;
        row.push_bind(log)
            .push_bind(signed(number))
            .push_bind(nanos(line.at))
            .push_bind(word(line.stream))
            .push_bind(line.text.as_str());
    });
    // A full statement is the same text each time, and worth being kept.
    let query = insert.build().persistent(lines.len() == AT_ONCE);
    query.execute(tx).await?;
    Ok(number)
}

/// Puts the notice in the place of the lines. Gives what that freed.
pub async fn take_out(
    tx: &mut SqliteConnection,
    log: i64,
    gap: Gap,
    notice: &NewLine,
) -> Result<u64, Fault> {
    let sql = "SELECT COALESCE(SUM(LENGTH(CAST(text AS BLOB)) + $4), 0) FROM log_lines \
               WHERE log = $1 AND number > $2 AND number <= $3";
    let cost: i64 = sqlx::query_scalar(sql)
        .bind(log)
        .bind(signed(gap.after))
        .bind(signed(gap.through))
        .bind(signed(NewLine::OVERHEAD))
        .fetch_one(&mut *tx)
        .await?;
    sqlx::query("DELETE FROM log_lines WHERE log = $1 AND number > $2 AND number <= $3")
        .bind(log)
        .bind(signed(gap.after))
        .bind(signed(gap.through))
        .execute(&mut *tx)
        .await?;
    let before_notice = gap.through.saturating_sub(1);
    write_lines(tx, log, before_notice, std::slice::from_ref(notice)).await?;
    let sql = "UPDATE logs SET bytes = bytes - $2 + $3, gap_after = $4, gap_through = $5 \
               WHERE id = $1";
    sqlx::query(sql)
        .bind(log)
        .bind(cost)
        .bind(signed(notice.cost()))
        .bind(signed(gap.after))
        .bind(signed(gap.through))
        .execute(tx)
        .await?;
    Ok(unsigned(cost))
}

fn line(row: &SqliteRow) -> Result<LogLine, Fault> {
    Ok(LogLine {
        number: unsigned(row.try_get(0)?),
        at: timestamp(row.try_get(1)?),
        stream: stream(row.try_get(2)?),
        text: row.try_get(3)?,
    })
}

fn word(stream: Stream) -> &'static str {
    match stream {
        Stream::Stdout => "stdout",
        Stream::Stderr => "stderr",
        Stream::Engine => "engine",
    }
}

fn stream(word: &str) -> Stream {
    match word {
        "stderr" => Stream::Stderr,
        "engine" => Stream::Engine,
        _ => Stream::Stdout,
    }
}
