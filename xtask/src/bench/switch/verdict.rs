//! What the visitors saw, held against the moments of the deployments.

use serde_json::{Map, Value, json};

use super::crowd::{Seen, Visit};
use super::scene::Moments;
use super::visit::Kind;
use crate::bench::measure::at;

/// Before and after a switch, in microseconds: its window.
const WINDOW: u64 = 250_000;

/// What came of it.
#[derive(Debug)]
pub struct Verdict {
    pub wanted: u32,
    pub deployments: usize,
    pub requests: u64,
    pub failed: u64,
    /// Begun after a switch was confirmed, and answered by an earlier version.
    pub stale: u64,
    /// Answered by a version before its switch began.
    pub early: u64,
    /// What the engine says it cut off.
    pub cut_off: u64,
    pub failures: Vec<String>,
    /// Seconds of a deployment, sorted: to the switch, and to its end.
    to_switch: Vec<f64>,
    to_end: Vec<f64>,
    rows: Vec<Row>,
    kinds: Vec<(Kind, u64)>,
}

/// When a quick request was under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Rest,
    Deploying,
    Switching,
}

/// The quick requests of a phase, their milliseconds sorted.
#[derive(Debug)]
struct Row {
    phase: Phase,
    millis: Vec<f64>,
}

impl Verdict {
    pub fn of(seen: Seen, all: &[Moments], wanted: u32) -> Self {
        let requests = seen.requests();
        let is = |wrong: fn(&Visit, &[Moments]) -> bool| {
            seen.visits.iter().filter(|one| wrong(one, all)).count() as u64
        };
        let rows = [Phase::Rest, Phase::Deploying, Phase::Switching];
        let kinds = Kind::ALL.map(|kind| {
            let visits = seen.visits.iter().filter(|visit| visit.kind == kind);
            (kind, visits.count() as u64)
        });
        Self {
            wanted,
            deployments: all.len(),
            requests,
            failed: seen.failed,
            stale: is(is_stale),
            early: is(is_early),
            cut_off: all.iter().map(|moments| moments.cut_off).sum(),
            to_switch: seconds(all, |one| one.switched),
            to_end: seconds(all, |one| one.ended),
            rows: rows.map(|phase| row(phase, &seen.visits, all)).into(),
            kinds: kinds.into(),
            failures: seen.failures,
        }
    }

    pub fn is_ok(&self) -> bool {
        let whole = self.deployments == self.wanted as usize && self.requests > 0;
        whole && self.failed + self.stale + self.early + self.cut_off == 0
    }

    /// The last line.
    pub fn line(&self) -> String {
        let word = if self.is_ok() { "ok" } else { "FAILED" };
        let mut line = format!(
            "switch: {word}, {} deployments, {} requests, {} failed",
            self.deployments, self.requests, self.failed
        );
        for (count, what) in [
            (self.stale, "answered by a retired version"),
            (self.early, "answered by a version before its switch"),
            (self.cut_off, "cut off"),
        ] {
            if count > 0 {
                line += &format!(", {count} {what}");
            }
        }
        line
    }

    pub fn table(&self) -> String {
        let mut text = format!(
            "{:<22} {:>9} {:>8} {:>8} {:>8}\n",
            "quick, kept alive", "requests", "p50 ms", "p99 ms", "most ms"
        );
        for row in &self.rows {
            text += &format!(
                "{:<22} {:>9} {:>8.2} {:>8.2} {:>8.2}\n",
                row.phase.name(),
                row.millis.len(),
                at(&row.millis, 50),
                at(&row.millis, 99),
                at(&row.millis, 100),
            );
        }
        text += &format!("\n{:<22} {:>9}\n", "answered", "requests");
        for (kind, count) in &self.kinds {
            text += &format!("{:<22} {count:>9}\n", kind.name());
        }
        text + &format!(
            "\na deployment: {:.2} s to the switch, {:.2} s until the old version had drained and \
             stopped (medians)",
            at(&self.to_switch, 50),
            at(&self.to_end, 50)
        )
    }

    pub fn json(&self) -> Value {
        let phases: Map<String, Value> = self.rows.iter().map(Row::json).collect();
        let kinds: Map<String, Value> = self
            .kinds
            .iter()
            .map(|(kind, count)| (kind.key().to_owned(), json!(count)))
            .collect();
        json!({
            "ok": self.is_ok(),
            "deployments": self.deployments,
            "requests": self.requests,
            "failed": self.failed,
            "stale": self.stale,
            "early": self.early,
            "cut_off": self.cut_off,
            "failures": self.failures,
            "latency_ms": phases,
            "answered": kinds,
            "ratios": { "p50_switching": self.switching(50), "p99_switching": self.switching(99) },
            "deployment_s": { "to_switch": at(&self.to_switch, 50), "to_end": at(&self.to_end, 50) },
        })
    }

    /// A percentile while switching by the same at rest.
    fn switching(&self, percent: usize) -> Option<f64> {
        let of = |phase: Phase| {
            let row = self.rows.iter().find(|row| row.phase == phase)?;
            Some(at(&row.millis, percent))
        };
        let rest = of(Phase::Rest).filter(|millis| *millis > 0.0)?;
        Some(of(Phase::Switching)? / rest)
    }
}

impl Row {
    fn json(&self) -> (String, Value) {
        let row = json!({
            "requests": self.millis.len(),
            "p50": at(&self.millis, 50),
            "p99": at(&self.millis, 99),
            "max": at(&self.millis, 100),
        });
        (self.phase.key().to_owned(), row)
    }
}

impl Phase {
    fn name(self) -> &'static str {
        match self {
            Self::Rest => "at rest",
            Self::Deploying => "while deploying",
            Self::Switching => "switching (250 ms +-)",
        }
    }

    fn key(self) -> &'static str {
        match self {
            Self::Rest => "rest",
            Self::Deploying => "deploying",
            Self::Switching => "switching",
        }
    }

    /// Deployments are in order and apart.
    fn of(visit: &Visit, all: &[Moments]) -> Self {
        let touches = |from: u64, to: u64| visit.began <= to && visit.ended() >= from;
        let next = all.partition_point(|one| one.ended + WINDOW < visit.began);
        let near = all.iter().skip(next).take(2);
        let mut phase = Self::Rest;
        for moments in near {
            let [before, after] = [moments.switched - WINDOW, moments.switched + WINDOW];
            if touches(before, after) {
                return Self::Switching;
            }
            if touches(moments.triggered, moments.ended) {
                phase = Self::Deploying;
            }
        }
        phase
    }
}

fn row(phase: Phase, visits: &[Visit], all: &[Moments]) -> Row {
    let mut millis: Vec<f64> = visits
        .iter()
        .filter(|visit| visit.kind == Kind::Quick && Phase::of(visit, all) == phase)
        .map(|visit| f64::from(visit.took) / 1000.0)
        .collect();
    millis.sort_by(f64::total_cmp);
    Row { phase, millis }
}

fn is_stale(visit: &Visit, all: &[Moments]) -> bool {
    let confirmed = all.partition_point(|one| one.switched < visit.began);
    let newest = confirmed.checked_sub(1).and_then(|index| all.get(index));
    newest.is_some_and(|newest| visit.by < newest.deployment)
}

fn is_early(visit: &Visit, all: &[Moments]) -> bool {
    let by = all.iter().find(|one| one.deployment == visit.by);
    by.is_some_and(|by| visit.ended() < by.switching)
}

/// From each trigger to a moment, sorted.
fn seconds(all: &[Moments], until: fn(&Moments) -> u64) -> Vec<f64> {
    let micros = all.iter().map(|one| until(one) - one.triggered);
    let mut seconds: Vec<f64> = micros.map(|micros| micros as f64 / 1e6).collect();
    seconds.sort_by(f64::total_cmp);
    seconds
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Deployments 1 and 2, ten seconds apart: triggered at 10 s and 20 s,
    /// switched after one, ended after three.
    fn deployments() -> Vec<Moments> {
        let moments = |deployment: u128| {
            let triggered = 10_000_000 * deployment as u64;
            Moments {
                deployment,
                triggered,
                switching: triggered + 990_000,
                switched: triggered + 1_000_000,
                ended: triggered + 3_000_000,
                cut_off: 0,
            }
        };
        vec![moments(1), moments(2)]
    }

    fn visit(began: u64, took: u32, by: u128) -> Visit {
        let kind = Kind::Quick;
        Visit {
            kind,
            began,
            took,
            by,
        }
    }

    #[test]
    fn a_visit_belongs_to_the_phase_it_touches() {
        let all = deployments();
        let phase = |began: u64, took: u32| Phase::of(&visit(began, took, 1), &all);
        assert_eq!(phase(5_000_000, 1_000), Phase::Rest);
        assert_eq!(phase(10_100_000, 1_000), Phase::Deploying);
        assert_eq!(phase(10_700_000, 60_000), Phase::Switching);
        assert_eq!(phase(11_250_000, 1_000), Phase::Switching);
        assert_eq!(phase(12_500_000, 1_000), Phase::Deploying);
        assert_eq!(phase(15_000_000, 1_000), Phase::Rest);
        assert_eq!(phase(21_000_000, 1_000), Phase::Switching);
        assert_eq!(phase(29_000_000, 1_000), Phase::Rest);
    }

    #[test]
    fn who_answers_too_late_or_too_early_is_found() {
        let all = deployments();
        let stale = |began: u64, by: u128| is_stale(&visit(began, 1_000, by), &all);
        assert!(!stale(10_999_999, 0));
        assert!(!stale(11_000_000, 0));
        assert!(stale(11_000_001, 0));
        assert!(!stale(11_000_001, 1));
        assert!(stale(25_000_000, 1));
        let early = |began: u64, by: u128| is_early(&visit(began, 1_000, by), &all);
        assert!(early(10_500_000, 1));
        assert!(!early(10_989_500, 1));
        assert!(early(12_000_000, 2));
    }

    #[test]
    fn one_wrong_answer_fails_the_whole() {
        let verdict = |visits: Vec<Visit>, failed: u64| {
            let failures = Vec::new();
            let seen = Seen {
                visits,
                failed,
                failures,
            };
            Verdict::of(seen, &deployments(), 2)
        };
        let good = verdict(vec![visit(12_000_000, 1_000, 1)], 0);
        assert_eq!(
            good.line(),
            "switch: ok, 2 deployments, 1 requests, 0 failed"
        );
        assert!(!verdict(Vec::new(), 0).is_ok());
        assert!(!verdict(vec![visit(12_000_000, 1_000, 1)], 1).is_ok());
        let stale = verdict(vec![visit(12_000_000, 1_000, 0)], 0);
        assert_eq!(
            stale.line(),
            "switch: FAILED, 2 deployments, 1 requests, 0 failed, 1 answered by a retired version"
        );
    }
}
