use async_trait::async_trait;
use shipway_core::name::DeploymentId;
use shipway_core::ports::Stream;
use shipway_core::ports::store::{LogLine, Logs, NewLine, StoreError};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::row::{Fault, nanos, signed, timestamp, unsigned};
use super::{Durability, SqliteStore, attempt};
use crate::rules::not_found;

#[async_trait]
impl Logs for SqliteStore {
    async fn append_log(&self, id: DeploymentId, lines: &[NewLine]) -> Result<(), StoreError> {
        let work = async {
            let mut tx = self.write(Durability::Kill).await?;
            let first = last_number(&mut tx, id).await? + 1;
            let deployment = id.to_string();
            for (number, line) in (first..).zip(lines) {
                write_line(&mut tx, &deployment, number, line).await?;
            }
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
            let sql = "SELECT number, at, stream, text FROM log \
                       WHERE deployment = $1 AND number > $2 ORDER BY number LIMIT $3";
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
}

/// The number of the newest line, 0 before the first.
async fn last_number(tx: &mut SqliteConnection, id: DeploymentId) -> Result<i64, Fault> {
    let sql = "SELECT (SELECT MAX(number) FROM log WHERE deployment = $1) \
               FROM deployments WHERE id = $1";
    let row = sqlx::query(sql)
        .bind(id.to_string())
        .fetch_optional(tx)
        .await?;
    let row = row.ok_or_else(|| not_found("deployment", id))?;
    Ok(row.try_get::<Option<i64>, _>(0)?.unwrap_or(0))
}

async fn write_line(
    tx: &mut SqliteConnection,
    deployment: &str,
    number: i64,
    line: &NewLine,
) -> Result<(), Fault> {
    let sql = "INSERT INTO log (deployment, number, at, stream, text) VALUES ($1, $2, $3, $4, $5)";
    sqlx::query(sql)
        .bind(deployment)
        .bind(number)
        .bind(nanos(line.at))
        .bind(word(line.stream))
        .bind(line.text.as_str())
        .execute(tx)
        .await?;
    Ok(())
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
