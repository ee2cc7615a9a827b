//! Floods of lines, and lines that are more than text.

use anyhow::{Result, ensure};
use shipway_core::ports::plugins::PluginErrorKind;

use crate::attack::{Attack, Seen, brings, fails};
use crate::bench::Bench;
use crate::world::World;

const CLASS: &str = "output";
/// Lines of a call at most: 200 a second, and a slow machine may spread a
/// flood over several.
const MOST_LINES: usize = 3_000;
/// Bytes of a call at most, with what the host says itself.
const MOST_BYTES: usize = 80 << 10;

pub fn attacks() -> Vec<Attack> {
    let floods = |act: &'static str| {
        move |world: &World| {
            let seen = Bench::new(world, act).go();
            bounded(&seen)?;
            Ok(vec![seen])
        }
    };
    vec![
        brings(CLASS, "a flood of log lines", &[], floods("log-flood")).logs("lines were dropped"),
        brings(
            CLASS,
            "a flood of printed lines",
            &[],
            floods("print-flood"),
        )
        .logs("lines were dropped"),
        brings(
            CLASS,
            "4 MiB printed without an end of line",
            &[],
            floods("long-line"),
        )
        .logs("lines were dropped"),
        fails(
            CLASS,
            "a log line of 8 MiB",
            (
                PluginErrorKind::Nonsense,
                "it may hand over 4 MiB in one call",
            ),
            floods("long-log"),
        ),
        brings(CLASS, "terminal escapes in the log", &[], floods("escapes"))
            .logs("]52;c;ZXZpbA==")
            .logs("overwritten"),
        fails(
            CLASS,
            "terminal escapes in an error",
            (PluginErrorKind::Failure, "failed (broken): ]0;title2J gone"),
            |world| {
                let act = "fail \u{1b}]0;title\u{7}\u{9b}2J\r\n gone\u{202e}";
                Ok(vec![Bench::new(world, act).go()])
            },
        ),
    ]
}

fn bounded(seen: &Seen) -> Result<()> {
    let (lines, bytes) = (seen.log.lines().count(), seen.log.len());
    ensure!(lines < MOST_LINES, "{lines} lines");
    ensure!(bytes < MOST_BYTES, "{bytes} bytes");
    let dropped = seen.log.matches("lines were dropped").count();
    ensure!(
        dropped <= 1,
        "that lines were dropped is said {dropped} times"
    );
    Ok(())
}
