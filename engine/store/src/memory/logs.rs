use async_trait::async_trait;
use shipway_core::name::{DeploymentId, Timestamp};
use shipway_core::ports::store::{
    Gap, Lease, LogLine, LogPolicy, LogSize, Logs, NewLine, Pruned, StoreError,
};

use super::{MemoryStore, State};
use crate::rules::{self, not_found};

#[derive(Debug, Default)]
pub struct Log {
    /// In the order of their numbers.
    lines: Vec<LogLine>,
    size: LogSize,
}

impl Log {
    fn append(&mut self, line: &NewLine) {
        self.size.note(line);
        self.lines.push(numbered(self.size.last, line));
    }

    /// Where the lines after a number begin.
    fn place(&self, after: u64) -> usize {
        self.lines.partition_point(|line| line.number <= after)
    }

    /// Puts the notice in the place of the lines. Gives what that freed.
    fn take_out(&mut self, gap: Gap, notice: &NewLine) -> u64 {
        let out = self.place(gap.after)..self.place(gap.through);
        let notice_line = numbered(gap.through, notice);
        let cost =
            |line: &LogLine| u64::try_from(line.text.len()).unwrap_or(u64::MAX) + NewLine::OVERHEAD;
        let freed: u64 = self
            .lines
            .splice(out, [notice_line])
            .map(|line| cost(&line))
            .sum();
        self.size.bytes = self.size.bytes.saturating_sub(freed) + notice.cost();
        self.size.gap = Some(gap);
        freed.saturating_sub(notice.cost())
    }

    fn is_pruned(&self) -> bool {
        let all = Gap {
            after: 0,
            through: self.size.last,
        };
        self.size.last == 0 || self.size.gap == Some(all)
    }
}

fn numbered(number: u64, line: &NewLine) -> LogLine {
    LogLine {
        number,
        at: line.at,
        stream: line.stream,
        text: line.text.clone(),
    }
}

#[async_trait]
impl Logs for MemoryStore {
    async fn append_log(
        &self,
        id: DeploymentId,
        lines: &[NewLine],
        lease: Option<&Lease>,
    ) -> Result<(), StoreError> {
        let mut state = self.state();
        let held = lease.and_then(|lease| state.leases.get(&lease.key));
        rules::fence(lease, held)?;
        let log = &mut state.record(id)?.log;
        for line in lines {
            log.append(line);
        }
        Ok(())
    }

    async fn log(
        &self,
        id: DeploymentId,
        after: u64,
        limit: u32,
    ) -> Result<Vec<LogLine>, StoreError> {
        let state = self.state();
        let Some(record) = state.deployments.get(&id) else {
            return Ok(Vec::new());
        };
        let limit = usize::try_from(limit).unwrap_or(usize::MAX);
        let from = record.log.place(after);
        let lines = record.log.lines.iter().skip(from).take(limit);
        Ok(lines.cloned().collect())
    }

    async fn log_size(&self, id: DeploymentId) -> Result<LogSize, StoreError> {
        let state = self.state();
        let record = state.deployments.get(&id);
        Ok(record.map(|record| record.log.size).unwrap_or_default())
    }

    async fn leave_out(
        &self,
        id: DeploymentId,
        gap: Gap,
        notice: &NewLine,
    ) -> Result<(), StoreError> {
        let mut state = self.state();
        let Ok(record) = state.record(id) else {
            return Err(not_found("log line", gap.through));
        };
        if gap.after >= gap.through || gap.through > record.log.size.last {
            return Err(not_found("log line", gap.through));
        }
        record.log.take_out(gap, notice);
        Ok(())
    }

    async fn prune_logs(&self, now: Timestamp, policy: &LogPolicy) -> Result<Pruned, StoreError> {
        let mut state = self.state();
        let records = state.deployments.values();
        let mut total: u64 = records.map(|record| record.log.size.bytes).sum();
        let mut pruned = Pruned::default();
        for (ended_at, id) in ended(&state, policy) {
            if !rules::is_due(ended_at, total, now, policy) {
                break;
            }
            let log = &mut state.record(id)?.log;
            let through = log.size.last;
            let notice = rules::pruned(now, through, policy);
            let freed = log.take_out(Gap { after: 0, through }, &notice);
            total = total.saturating_sub(freed);
            pruned.logs += 1;
            pruned.bytes += freed;
        }
        Ok(pruned)
    }
}

/// The logs that the policy does not keep anyhow, oldest first.
fn ended(state: &State, policy: &LogPolicy) -> Vec<(Timestamp, DeploymentId)> {
    let newest = usize::try_from(policy.newest).unwrap_or(usize::MAX);
    let is_kept = |id: &DeploymentId| {
        let Some(record) = state.deployments.get(id) else {
            return true;
        };
        let key = &record.deployment.trigger.key;
        let later = state.deployments.range(id..).skip(1);
        let later = later.filter(|(_, other)| other.deployment.trigger.key == *key);
        later.take(newest).count() < newest
    };
    let mut ended: Vec<(Timestamp, DeploymentId)> = state
        .deployments
        .iter()
        .filter(|(id, record)| !record.log.is_pruned() && !is_kept(id))
        .filter_map(|(id, record)| Some((record.deployment.ended_at?, *id)))
        .collect();
    ended.sort();
    ended
}
