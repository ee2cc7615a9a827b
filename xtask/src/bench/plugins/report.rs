//! What was measured, with its ratios, for people and for programs.

use std::fmt::Write;

use serde_json::{Value, json};

const RUST_VS_BARE: f64 = 1.5;
const SH_VS_RUST: f64 = 30.0;
const EXTISM_VS_RUST: f64 = 4.0;
/// On two cores.
const CALLS_PER_SECOND: f64 = 35_000.0;
const IDLE_BYTES: f64 = 100_000.0;

/// An aim: its name, what was measured, what is wished for.
struct Aim {
    name: &'static str,
    measured: Option<f64>,
    wish: Wish,
}

#[derive(Clone, Copy)]
enum Wish {
    AtLeast(f64),
    AtMost(f64),
}

/// One object: what was measured, the ratios, the aims, what is missing.
pub fn of(mut measured: Value, missing: Vec<Value>) -> Value {
    let median = |name: &str| measured["calls"][name]["median_us"].as_f64();
    let times = |one: &str, other: &str| Some(median(one)? / median(other)?);
    let ratios = json!({
        "rust_vs_bare": times("rust", "bare"),
        "sh_vs_rust": times("sh", "rust"),
        "python3_vs_rust": times("python3", "rust"),
        "extism_vs_rust": times("extism", "rust"),
    });
    measured["ratios"] = ratios;
    measured["missing"] = missing.into();
    let aims = aims(&measured);
    measured["aims"] = aims.iter().map(|aim| (aim.name, aim.told())).collect();
    measured
}

fn aims(report: &Value) -> [Aim; 5] {
    let ratio = |name: &str| report["ratios"][name].as_f64();
    [
        Aim {
            name: "rust_vs_bare",
            measured: ratio("rust_vs_bare"),
            wish: Wish::AtMost(RUST_VS_BARE),
        },
        Aim {
            name: "sh_vs_rust",
            measured: ratio("sh_vs_rust"),
            wish: Wish::AtLeast(SH_VS_RUST),
        },
        Aim {
            name: "extism_vs_rust",
            measured: ratio("extism_vs_rust"),
            wish: Wish::AtLeast(EXTISM_VS_RUST),
        },
        Aim {
            name: "calls_per_second",
            measured: report["throughput"]["calls_per_second"].as_f64(),
            wish: Wish::AtLeast(CALLS_PER_SECOND),
        },
        Aim {
            name: "idle_plugin_bytes",
            measured: report["memory"]["own_bytes_each"].as_f64(),
            wish: Wish::AtMost(IDLE_BYTES),
        },
    ]
}

impl Aim {
    fn is_met(&self) -> bool {
        self.measured.is_some_and(|measured| match self.wish {
            Wish::AtLeast(least) => measured >= least,
            Wish::AtMost(most) => measured <= most,
        })
    }

    fn told(&self) -> Value {
        let aim = match self.wish {
            Wish::AtLeast(least) => json!({ "at_least": least }),
            Wish::AtMost(most) => json!({ "at_most": most }),
        };
        json!({ "measured": self.measured, "aim": aim, "met": self.is_met() })
    }

    fn line(&self) -> String {
        let measured = self.measured.map_or("-".to_owned(), number);
        let wish = match self.wish {
            Wish::AtLeast(least) => format!("at least {}", number(least)),
            Wish::AtMost(most) => format!("at most {}", number(most)),
        };
        let met = if self.is_met() { "yes" } else { "no" };
        format!("{:<20} {measured:>10}  {wish:<18} {met}", self.name)
    }
}

pub fn table(report: &Value) -> String {
    let mut text = format!(
        "{:<20} {:>10} {:>10} {:>8}\n",
        "one call, fresh", "median µs", "p90 µs", "calls"
    );
    for (name, call) in report["calls"].as_object().into_iter().flatten() {
        let of = |field: &str| number(call[field].as_f64().unwrap_or_default());
        let _ = writeln!(
            text,
            "{name:<20} {:>10} {:>10} {:>8}",
            of("median_us"),
            of("p90_us"),
            call["calls"]
        );
    }
    let _ = writeln!(
        text,
        "\n{:<20} {:>10} {:>10} {:>8}",
        "add to first call", "ms", "compiling", "MiB"
    );
    for (name, first) in report["first_call_ms"].as_object().into_iter().flatten() {
        let of = |field: &str| first[field].as_f64().unwrap_or_default();
        let _ = writeln!(
            text,
            "{name:<20} {:>10} {:>10} {:>8.2}",
            number(of("whole")),
            number(of("compiling")),
            of("component_bytes") / f64::from(1 << 20)
        );
    }
    text += &memory(&report["memory"]);
    let _ = writeln!(
        text,
        "\n{:<20} {:>10}  {:<18} met",
        "aims", "measured", "aim"
    );
    for aim in aims(report) {
        let _ = writeln!(text, "{}", aim.line());
    }
    for missing in report["missing"].as_array().into_iter().flatten() {
        let of = |field: &str| missing[field].as_str().unwrap_or_default();
        let _ = writeln!(text, "not measured: {}: {}", of("what"), of("why"));
    }
    text.trim_end().to_owned()
}

fn memory(memory: &Value) -> String {
    let Some(plugins) = memory["plugins"].as_u64() else {
        return String::new();
    };
    let of = |field: &str| number(memory[field].as_f64().unwrap_or_default() / 1e3);
    format!(
        "\nmemory: {} KB with the host and one plugin; each of {plugins} more: {} KB, {} KB of it \
         in no file\n",
        of("host_and_one_plugin_bytes"),
        of("resident_bytes_each"),
        of("own_bytes_each")
    )
}

/// Three digits that say something.
fn number(value: f64) -> String {
    match value {
        ..10.0 => format!("{value:.2}"),
        10.0..100.0 => format!("{value:.1}"),
        _ => format!("{value:.0}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured() -> Value {
        json!({
            "calls": {
                "rust": { "median_us": 30.0, "p90_us": 40.0, "calls": 5000 },
                "bare": { "median_us": 20.0, "p90_us": 25.0, "calls": 5000 },
                "sh": { "median_us": 600.0, "p90_us": 700.0, "calls": 250 },
            },
            "throughput": { "calls_per_second": 40_000.0 },
            "memory": { "plugins": 1000, "own_bytes_each": 120_000 },
        })
    }

    #[test]
    fn ratios_are_of_medians_and_an_aim_without_a_number_is_not_met() {
        let report = of(measured(), Vec::new());
        assert_eq!(report["ratios"]["rust_vs_bare"], 1.5);
        assert_eq!(report["ratios"]["sh_vs_rust"], 20.0);
        assert_eq!(report["ratios"]["extism_vs_rust"], Value::Null);
        let met = |name: &str| report["aims"][name]["met"].as_bool();
        assert_eq!(met("rust_vs_bare"), Some(true));
        assert_eq!(met("sh_vs_rust"), Some(false));
        assert_eq!(met("extism_vs_rust"), Some(false));
        assert_eq!(met("idle_plugin_bytes"), Some(false));
    }

    #[test]
    fn the_table_says_what_is_missing() {
        let missing = vec![json!({ "what": "go", "why": "there is no go" })];
        let table = table(&of(measured(), missing));
        assert!(
            table.contains("not measured: go: there is no go"),
            "{table}"
        );
        assert!(table.contains("calls_per_second"), "{table}");
    }
}
