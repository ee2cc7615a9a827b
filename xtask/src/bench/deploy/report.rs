//! What was measured, with its ratios, for people and for programs.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::scene::{Size, Took};
use super::way::Way;
use crate::bench::measure::median;

/// Everything of one size.
#[derive(Debug)]
pub struct Cell {
    pub size: Size,
    pub runs: Vec<Run>,
}

#[derive(Debug)]
pub struct Run {
    pub round: u32,
    pub way: Way,
    pub took: Took,
}

#[derive(Debug, Default)]
pub struct Report {
    pub cells: Vec<Cell>,
    /// What was not measured, and why.
    pub missing: Vec<(Way, String)>,
}

impl Cell {
    /// `INSTANCESxCOMMANDS`, as in the ratios' names.
    fn name(&self) -> String {
        format!("{}x{}", self.size.instances, self.size.commands)
    }

    fn median_of(&self, way: Way, value: fn(&Took) -> f64) -> Option<f64> {
        let runs = self.runs.iter().filter(|run| run.way == way);
        let values: Vec<f64> = runs.map(|run| value(&run.took)).collect();
        (!values.is_empty()).then(|| median(values))
    }

    /// The median over all rounds of theirs divided by ours in the same round.
    fn ratio(&self, way: Way, value: fn(&Took) -> f64) -> Option<f64> {
        let of = |way: Way| self.runs.iter().filter(move |run| run.way == way);
        let ratios: Vec<f64> = of(Way::Shipway)
            .filter_map(|ours| {
                let theirs = of(way).find(|theirs| theirs.round == ours.round)?;
                Some(value(&theirs.took) / value(&ours.took))
            })
            .collect();
        (!ratios.is_empty()).then(|| median(ratios))
    }

    /// The median milliseconds of each step of Shipway's.
    fn steps(&self) -> Vec<(String, f64)> {
        let ours = || self.runs.iter().filter(|run| run.way == Way::Shipway);
        let Some(first) = ours().next() else {
            return Vec::new();
        };
        let millis = |step: &str| {
            let all = ours().flat_map(|run| &run.took.steps);
            let these = all.filter(|(name, _)| name == step);
            median(these.map(|(_, millis)| *millis as f64).collect())
        };
        let names = first.took.steps.iter().map(|(name, _)| name);
        names.map(|name| (name.clone(), millis(name))).collect()
    }
}

impl Report {
    /// `script_vs_shipway_1x10`: theirs divided by ours, with 1 instance and 10
    /// release commands. `serving_…` is the same until the new version answers.
    fn ratios(&self) -> Map<String, Value> {
        let mut ratios = Map::new();
        for cell in &self.cells {
            for way in Way::OTHERS {
                let name = format!("{}_vs_shipway_{}", way.name(), cell.name());
                ratios.insert(name.clone(), json!(cell.ratio(way, |took| took.whole)));
                let serving = cell.ratio(way, |took| took.serving);
                ratios.insert(format!("serving_{name}"), json!(serving));
            }
        }
        ratios
    }

    pub fn json(&self) -> Value {
        let cells: Map<String, Value> = self
            .cells
            .iter()
            .map(|cell| (cell.name(), seconds(cell)))
            .collect();
        let missing = self.missing.iter();
        let missing: Vec<Value> = missing
            .map(|(way, why)| json!({ "what": way.name(), "why": why }))
            .collect();
        json!({ "seconds": cells, "ratios": self.ratios(), "missing": missing })
    }

    pub fn table(&self) -> String {
        let mut text = format!(
            "{:<22} {:>8} {:>16} {:>16} {:>16}\n",
            "seconds (theirs/ours)", "shipway", "script", "tuned script", "compose"
        );
        for cell in &self.cells {
            text += &line(cell);
        }
        text += "\nsteps of shipway, ms\n";
        for cell in &self.cells {
            let steps = cell.steps();
            let steps: Vec<String> = steps
                .iter()
                .map(|(name, millis)| format!("{name} {millis:.0}"))
                .collect();
            let _ = writeln!(text, "{:<22} {}", cell.name(), steps.join(", "));
        }
        for (way, why) in &self.missing {
            let _ = writeln!(text, "not measured: {}: {why}", way.name());
        }
        text + "instances x release commands; until the command returned; medians"
    }
}

fn seconds(cell: &Cell) -> Value {
    let of = |way: Way| {
        json!({
            "whole": cell.median_of(way, |took| took.whole),
            "serving": cell.median_of(way, |took| took.serving),
        })
    };
    let mut all: Map<String, Value> = Way::ALL
        .iter()
        .map(|way| (way.name().to_owned(), of(*way)))
        .collect();
    let steps: Map<String, Value> = cell
        .steps()
        .into_iter()
        .map(|(name, millis)| (name, json!(millis)))
        .collect();
    all.insert("steps_ms".to_owned(), Value::Object(steps));
    Value::Object(all)
}

fn line(cell: &Cell) -> String {
    let whole = |way: Way| cell.median_of(way, |took| took.whole);
    let number = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |it| format!("{it:.2}"));
    let mut text = format!("{:<22} {:>8}", cell.name(), number(whole(Way::Shipway)));
    for way in Way::OTHERS {
        let theirs = match cell.ratio(way, |took| took.whole) {
            Some(ratio) => format!("{} ({ratio:.2})", number(whole(way))),
            None => "-".to_owned(),
        };
        let _ = write!(text, " {theirs:>16}");
    }
    text + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(round: u32, way: Way, whole: f64) -> Run {
        let took = Took {
            whole,
            serving: whole / 2.0,
            steps: vec![("build".to_owned(), 300 + u64::from(round))],
        };
        Run { round, way, took }
    }

    #[test]
    fn ratios_are_theirs_by_ours_in_pairs() {
        let size = Size {
            instances: 4,
            commands: 10,
        };
        let report = Report {
            cells: vec![Cell {
                size,
                runs: vec![
                    run(1, Way::Shipway, 1.0),
                    run(1, Way::Script, 3.0),
                    run(2, Way::Shipway, 4.0),
                    run(2, Way::Script, 8.0),
                    run(3, Way::Shipway, 1.0),
                    run(3, Way::Script, 2.5),
                ],
            }],
            missing: vec![(Way::Compose, "there is none".to_owned())],
        };
        let json = report.json();
        assert_eq!(json["ratios"]["script_vs_shipway_4x10"], 2.5);
        assert_eq!(json["ratios"]["compose_vs_shipway_4x10"], Value::Null);
        assert_eq!(json["seconds"]["4x10"]["steps_ms"]["build"], 302.0);
        let table = report.table();
        assert!(table.contains("3.00 (2.50)"), "{table}");
        assert!(
            table.contains("not measured: compose: there is none"),
            "{table}"
        );
    }
}
