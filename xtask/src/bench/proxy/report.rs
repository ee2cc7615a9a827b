//! What was measured, with its ratios, for people and for programs.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::contestant::Kind;
use super::load::Sample;
use crate::bench::measure::median;

/// A body, as people and as JSON call it, and its path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Body {
    pub name: &'static str,
    pub path: &'static str,
    /// What the ratios' names end with.
    suffix: &'static str,
}

pub const BODIES: [Body; 2] = [
    Body {
        name: "12 B",
        path: "/12",
        suffix: "",
    },
    Body {
        name: "16 KiB",
        path: "/16k",
        suffix: "_16k",
    },
];

/// One run of the load against one contestant.
#[derive(Debug)]
pub struct Run {
    pub round: u32,
    pub body: Body,
    pub kind: Kind,
    pub sample: Sample,
    /// Microseconds of processor time that the proxy used for a request.
    pub processor_us: f64,
}

/// A number of a run.
type Of = fn(&Run) -> f64;

#[derive(Debug)]
pub struct Memory {
    pub kind: Kind,
    pub version: String,
    pub rest_mb: f64,
    pub crowded_mb: f64,
}

#[derive(Debug, Default)]
pub struct Report {
    pub runs: Vec<Run>,
    pub memory: Vec<Memory>,
    /// Who was not measured, and why.
    pub missing: Vec<(Kind, String)>,
}

/// Ours divided by theirs: at least, or at most, for an aim.
#[derive(Clone, Copy)]
enum Wish {
    AtLeast(f64),
    AtMost(f64),
}

/// Level means: as good, give or take what a noisy machine does to a median.
const LEVEL: f64 = 0.97;

const AIMS: [(&str, Wish); 6] = [
    ("nginx", Wish::AtLeast(LEVEL)),
    ("haproxy", Wish::AtLeast(1.0)),
    ("caddy", Wish::AtLeast(1.0)),
    ("cpu_nginx", Wish::AtMost(1.0 / LEVEL)),
    ("cpu_haproxy", Wish::AtMost(1.0)),
    ("cpu_caddy", Wish::AtMost(1.0)),
];

impl Report {
    fn median_of(&self, kind: Kind, body: Body, value: Of) -> Option<f64> {
        let runs = self
            .runs
            .iter()
            .filter(|run| run.kind == kind && run.body == body);
        let values: Vec<f64> = runs.map(value).collect();
        (!values.is_empty()).then(|| median(values))
    }

    /// The median over all rounds of ours divided by theirs in the same round.
    fn ratio(&self, peer: Kind, body: Body, value: Of) -> Option<f64> {
        let find = |round: u32, kind: Kind| {
            let mut runs = self.runs.iter();
            runs.find(|run| (run.round, run.kind, run.body) == (round, kind, body))
        };
        let ours = self
            .runs
            .iter()
            .filter(|run| run.kind == Kind::Ours && run.body == body);
        let ratios: Vec<f64> = ours
            .filter_map(|ours| Some(value(ours) / value(find(ours.round, peer)?)))
            .filter(|ratio| ratio.is_finite())
            .collect();
        (!ratios.is_empty()).then(|| median(ratios))
    }

    /// By name: `nginx` for requests a second with 12 bytes, `cpu_nginx_16k`
    /// for processor time a request with 16 KiB, and so on.
    fn ratios(&self) -> Map<String, Value> {
        let mut ratios = Map::new();
        for peer in Kind::PEERS {
            for body in BODIES {
                let values: [(&str, Of); 3] = [
                    ("", |run| run.sample.per_second),
                    ("cpu_", |run| run.processor_us),
                    ("p99_", |run| run.sample.p99_ms),
                ];
                for (prefix, value) in values {
                    let name = format!("{prefix}{}{}", peer.name(), body.suffix);
                    ratios.insert(name, json!(self.ratio(peer, body, value)));
                }
            }
        }
        ratios
    }

    pub fn json(&self) -> Value {
        let mut proxies = Map::new();
        for kind in [Kind::Backend].into_iter().chain(Kind::PROXIES) {
            let mut proxy = Map::new();
            for body in BODIES {
                proxy.insert(
                    body.path.trim_start_matches('/').to_owned(),
                    self.row(kind, body),
                );
            }
            if let Some(memory) = self.memory.iter().find(|memory| memory.kind == kind) {
                proxy.insert("version".to_owned(), json!(memory.version));
                proxy.insert("memory_at_rest_mb".to_owned(), json!(memory.rest_mb));
                proxy.insert("memory_1000_mb".to_owned(), json!(memory.crowded_mb));
            }
            proxies.insert(kind.name().replace(' ', "_"), Value::Object(proxy));
        }
        let ratios = Value::Object(self.ratios());
        let missing = self.missing.iter();
        let missing: Vec<Value> = missing
            .map(|(kind, why)| json!({ "what": kind.name(), "why": why }))
            .collect();
        let aims: Map<String, Value> = AIMS.iter().map(|aim| told(aim, &ratios)).collect();
        json!({
            "load": { "by": "wrk", "connections": super::CONNECTIONS },
            "proxies": proxies,
            "ratios": ratios,
            "aims": aims,
            "missing": missing,
        })
    }

    fn row(&self, kind: Kind, body: Body) -> Value {
        json!({
            "requests_per_second": self.median_of(kind, body, |run| run.sample.per_second),
            "p50_ms": self.median_of(kind, body, |run| run.sample.p50_ms),
            "p99_ms": self.median_of(kind, body, |run| run.sample.p99_ms),
            "cpu_us": self.median_of(kind, body, |run| run.processor_us),
        })
    }

    pub fn table(&self) -> String {
        let json = self.json();
        let mut text = String::new();
        for body in BODIES {
            let _ = writeln!(
                text,
                "{:<18} {:>9} {:>8} {:>8} {:>11} {:>12} {:>10}",
                format!("bodies of {}", body.name),
                "req/s",
                "p50 ms",
                "p99 ms",
                "CPU us/req",
                "ours/theirs",
                "CPU"
            );
            for kind in [Kind::Backend].into_iter().chain(Kind::PROXIES) {
                text += &self.line(kind, body, &json["ratios"]);
            }
            text.push('\n');
        }
        let _ = writeln!(
            text,
            "{:<18} {:>9} {:>20}",
            "memory, MB", "at rest", "1,000 connections"
        );
        for memory in &self.memory {
            let name = format!("{} {}", memory.kind.name(), memory.version);
            let _ = writeln!(
                text,
                "{name:<18} {:>9.1} {:>20.1}",
                memory.rest_mb, memory.crowded_mb
            );
        }
        let _ = writeln!(
            text,
            "\n{:<18} {:>9}  {:<14} met",
            "ours/theirs", "measured", "aim"
        );
        for aim in AIMS {
            text += &aim_line(&aim, &json["ratios"]);
        }
        for (kind, why) in &self.missing {
            let _ = writeln!(text, "not measured: {}: {why}", kind.name());
        }
        text.trim_end().to_owned()
    }

    fn line(&self, kind: Kind, body: Body, ratios: &Value) -> String {
        let row = self.row(kind, body);
        let Some(per_second) = row["requests_per_second"].as_f64() else {
            return String::new();
        };
        let of = |field: &str| row[field].as_f64().unwrap_or_default();
        let ratio = |prefix: &str| {
            let name = format!("{prefix}{}{}", kind.name(), body.suffix);
            let ratio = ratios[name].as_f64();
            ratio.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"))
        };
        format!(
            "{:<18} {per_second:>9.0} {:>8.2} {:>8.2} {:>11.1} {:>12} {:>10}\n",
            kind.name(),
            of("p50_ms"),
            of("p99_ms"),
            of("cpu_us"),
            ratio(""),
            ratio("cpu_")
        )
    }
}

impl Wish {
    fn is_met(self, measured: Option<f64>) -> bool {
        measured.is_some_and(|measured| match self {
            Self::AtLeast(least) => measured >= least,
            Self::AtMost(most) => measured <= most,
        })
    }

    fn words(self) -> String {
        match self {
            Self::AtLeast(least) => format!("at least {least:.2}"),
            Self::AtMost(most) => format!("at most {most:.2}"),
        }
    }
}

fn told((name, wish): &(&str, Wish), ratios: &Value) -> (String, Value) {
    let measured = ratios[*name].as_f64();
    let aim = json!({ "measured": measured, "aim": wish.words(), "met": wish.is_met(measured) });
    ((*name).to_owned(), aim)
}

fn aim_line((name, wish): &(&str, Wish), ratios: &Value) -> String {
    let measured = ratios[*name].as_f64();
    let met = if wish.is_met(measured) { "yes" } else { "no" };
    let measured = measured.map_or_else(|| "-".to_owned(), |value| format!("{value:.2}"));
    format!("{name:<18} {measured:>9}  {:<14} {met}\n", wish.words())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(round: u32, kind: Kind, per_second: f64) -> Run {
        Run {
            round,
            body: BODIES[0],
            kind,
            sample: Sample {
                requests: per_second,
                per_second,
                p50_ms: 1.0,
                p99_ms: 2.0,
                errors: 0.0,
            },
            processor_us: 20.0,
        }
    }

    #[test]
    fn ratios_are_medians_of_pairs() {
        let report = Report {
            runs: vec![
                run(1, Kind::Ours, 100.0),
                run(1, Kind::Nginx, 100.0),
                // A noisy round is noisy for both.
                run(2, Kind::Ours, 50.0),
                run(2, Kind::Nginx, 40.0),
                run(3, Kind::Ours, 120.0),
                run(3, Kind::Nginx, 100.0),
            ],
            missing: vec![(Kind::Caddy, "there is none".to_owned())],
            ..Report::default()
        };
        let json = report.json();
        assert_eq!(json["ratios"]["nginx"], 1.2);
        assert_eq!(json["ratios"]["cpu_nginx"], 1.0);
        assert_eq!(json["ratios"]["caddy"], Value::Null);
        assert_eq!(json["ratios"]["nginx_16k"], Value::Null);
        assert_eq!(json["aims"]["nginx"]["met"], true);
        assert_eq!(json["aims"]["caddy"]["met"], false);
        let table = report.table();
        assert!(
            table.contains("not measured: caddy: there is none"),
            "{table}"
        );
    }
}
