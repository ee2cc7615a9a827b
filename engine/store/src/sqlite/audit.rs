use async_trait::async_trait;
use shipway_core::audit::{Act, Actor, Filter, Policy, Record, Share};
use shipway_core::ports::store::{Audit, StoreError};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::row::{Fault, body, encode, nanos, signed, unsigned};
use super::{Durability, SqliteStore, attempt};
use crate::rules;

#[async_trait]
impl Audit for SqliteStore {
    async fn record(&self, act: &Act, policy: &Policy) -> Result<(), StoreError> {
        let work = async {
            // What strangers try is not worth a disk flush each.
            let durability = match act.actor {
                Actor::Anonymous => Durability::Kill,
                _ => Durability::PowerCut,
            };
            let mut tx = self.write(durability).await?;
            let number = insert(&mut tx, act).await?;
            if rules::cuts_back(number) {
                cut_back(&mut tx, act, policy).await?;
            }
            Ok(tx.commit().await?)
        };
        attempt(work, || "write the audit log".to_owned()).await
    }

    async fn audit(&self, filter: &Filter) -> Result<Vec<Record>, StoreError> {
        let work = async {
            let sql = "SELECT body, number FROM audit \
                       WHERE number < $1 AND ($2 IS NULL OR actor = $2) \
                         AND ($3 IS NULL OR action = $3) AND ($4 IS NULL OR app = $4) \
                         AND at >= $5 \
                       ORDER BY number DESC LIMIT $6";
            let rows = sqlx::query(sql)
                .bind(filter.before.map_or(i64::MAX, signed))
                .bind(filter.actor.as_deref())
                .bind(filter.action.as_deref())
                .bind(filter.app.as_ref().map(|app| app.as_str()))
                .bind(filter.since.map_or(i64::MIN, nanos))
                .bind(i64::from(rules::page(filter.limit)))
                .fetch_all(&self.readers)
                .await?;
            rows.iter().map(record).collect()
        };
        attempt(work, || "read the audit log".to_owned()).await
    }
}

async fn insert(tx: &mut SqliteConnection, act: &Act) -> Result<u64, Fault> {
    let sql = "INSERT INTO audit (at, actor, action, app, refused, body) \
               VALUES ($1, $2, $3, $4, $5, $6) RETURNING number";
    let number: i64 = sqlx::query_scalar(sql)
        .bind(nanos(act.at))
        .bind(act.actor.name())
        .bind(act.action.as_str())
        .bind(act.app.as_ref().map(|app| app.as_str()))
        .bind(act.share() == Share::Refused)
        .bind(encode(act)?)
        .fetch_one(tx)
        .await?;
    Ok(unsigned(number))
}

async fn cut_back(tx: &mut SqliteConnection, act: &Act, policy: &Policy) -> Result<(), Fault> {
    let age = i64::try_from(policy.age.as_nanos()).unwrap_or(i64::MAX);
    sqlx::query("DELETE FROM audit WHERE at < $1")
        .bind(nanos(act.at).saturating_sub(age))
        .execute(&mut *tx)
        .await?;
    for share in [Share::Done, Share::Refused] {
        let sql = "DELETE FROM audit WHERE refused = $1 AND number <= \
                   (SELECT number FROM audit WHERE refused = $1 \
                    ORDER BY number DESC LIMIT 1 OFFSET $2)";
        sqlx::query(sql)
            .bind(share == Share::Refused)
            .bind(i64::from(policy.newest_of(share)))
            .execute(&mut *tx)
            .await?;
    }
    Ok(())
}

fn record(row: &SqliteRow) -> Result<Record, Fault> {
    Ok(Record {
        number: unsigned(row.try_get(1)?),
        act: body(row)?,
    })
}
