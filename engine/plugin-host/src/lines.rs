//! The lines that a plugin writes, on their way into the deployment's log:
//! without control characters and secrets, and not more than the limits.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use shipway_core::name::PluginName;
use shipway_core::ports::plugins::{Level, PluginLog};
use shipway_core::redact::Redactor;

use crate::config::Limits;
use crate::secrets::Secrets;

/// A longer line is cut.
const LONGEST_LINE: usize = 4096;
/// Lines of standard error that an error repeats: a panic has two.
const LAST_WORDS: usize = 2;
/// What the host itself says of one call.
const MOST_HOST_LINES: u32 = 50;

#[derive(Debug)]
pub(crate) struct Lines {
    /// None while a component is inspected: it has no name yet, and no log.
    sink: Option<(PluginName, Arc<dyn PluginLog>)>,
    secrets: Arc<Secrets>,
    /// Made for the first line: many a call writes none.
    redactor: OnceLock<Redactor>,
    bytes: usize,
    per_second: u32,
    budget: Mutex<Budget>,
}

#[derive(Debug)]
struct Budget {
    bytes_left: usize,
    second: Instant,
    lines_in_second: u32,
    host_lines: u32,
    dropped: bool,
    /// What the guest wrote last to its standard error, oldest first.
    last_words: VecDeque<String>,
}

/// Whether a line may still be written.
enum Room {
    Yes,
    /// The first line that may not.
    JustFull,
    No,
}

impl Lines {
    pub(crate) fn new(
        sink: Option<(PluginName, Arc<dyn PluginLog>)>,
        secrets: Arc<Secrets>,
        limits: &Limits,
    ) -> Self {
        Self {
            sink,
            secrets,
            redactor: OnceLock::new(),
            bytes: limits.output_bytes,
            per_second: limits.lines_per_second,
            budget: Mutex::new(Budget {
                bytes_left: limits.output_bytes,
                second: Instant::now(),
                lines_in_second: 0,
                host_lines: 0,
                dropped: false,
                last_words: VecDeque::new(),
            }),
        }
    }

    /// What the guest logs; several lines become several.
    pub(crate) fn guest(&self, level: Level, text: &str) {
        for line in text.lines() {
            let line = self.clean(line);
            match self.room(line.len()) {
                Room::Yes => self.write(level, &line),
                Room::JustFull => self.write(Level::Warn, &self.full()),
                Room::No => return,
            }
        }
    }

    /// What the guest writes to its standard error: mostly its last words.
    pub(crate) fn guest_error(&self, line: &str) {
        let words = self.clean(line.trim());
        if !words.is_empty() && !words.starts_with("note: run with") {
            self.with(|budget| {
                budget.last_words.push_back(shortened(words, 200));
                if budget.last_words.len() > LAST_WORDS {
                    budget.last_words.pop_front();
                }
            });
        }
        self.guest(Level::Info, line);
    }

    /// What the host says about the plugin.
    pub(crate) fn host(&self, level: Level, text: &str) {
        let written = self.with(|budget| {
            budget.host_lines += 1;
            budget.host_lines
        });
        if written <= MOST_HOST_LINES {
            self.write(level, &self.clean(text));
        }
    }

    /// The text as people may see it: one line, no control characters, no secret.
    pub(crate) fn clean(&self, text: &str) -> String {
        let redactor = self.redactor.get_or_init(|| self.secrets.redactor());
        shortened(redactor.line(&printable(text)), LONGEST_LINE)
    }

    pub(crate) fn last_words(&self) -> Option<String> {
        let words = self.with(|budget| Vec::from(budget.last_words.clone()));
        (!words.is_empty()).then(|| words.join(" "))
    }

    fn room(&self, bytes: usize) -> Room {
        let per_second = self.per_second;
        self.with(|budget| {
            if budget.second.elapsed() >= Duration::from_secs(1) {
                budget.second = Instant::now();
                budget.lines_in_second = 0;
            }
            if bytes <= budget.bytes_left && budget.lines_in_second < per_second {
                budget.bytes_left -= bytes;
                budget.lines_in_second += 1;
                return Room::Yes;
            }
            match std::mem::replace(&mut budget.dropped, true) {
                false => Room::JustFull,
                true => Room::No,
            }
        })
    }

    fn full(&self) -> String {
        format!(
            "lines were dropped: a plugin may write {} KiB a call and {} lines a second",
            self.bytes >> 10,
            self.per_second
        )
    }

    fn write(&self, level: Level, line: &str) {
        match &self.sink {
            Some((plugin, log)) => log.line(plugin, level, line),
            None => tracing::debug!(line, "a component wrote while it was inspected"),
        }
    }

    fn with<T>(&self, act: impl FnOnce(&mut Budget) -> T) -> T {
        act(&mut self.budget.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Without what a terminal would obey, or show in another order.
pub(crate) fn printable(text: &str) -> String {
    let text = text.replace('\t', " ");
    text.chars().filter(|c| !is_control(*c)).collect()
}

fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2028}' | '\u{2029}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// At most so many bytes, with an ellipsis when something is cut.
pub(crate) fn shortened(mut text: String, bytes: usize) -> String {
    if text.len() <= bytes {
        return text;
    }
    let mut end = bytes.saturating_sub('…'.len_utf8());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text.push('…');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default)]
    struct Kept(Mutex<Vec<String>>);

    impl PluginLog for Kept {
        fn line(&self, _: &PluginName, _: Level, message: &str) {
            self.0.lock().unwrap().push(message.to_owned());
        }
    }

    fn lines(limits: &Limits) -> (Lines, Arc<Kept>) {
        let kept = Arc::new(Kept::default());
        let mut secrets = Secrets::default();
        secrets.hold("token", "hunter22");
        let name = "p".parse().unwrap();
        let sink: Arc<dyn PluginLog> = kept.clone();
        (
            Lines::new(Some((name, sink)), Arc::new(secrets), limits),
            kept,
        )
    }

    #[test]
    fn control_characters_and_secrets_do_not_pass() {
        let (lines, kept) = lines(&Limits::default());
        lines.guest(Level::Info, "a\u{1b}[31mred\u{7}\r\nwith hunter22\u{202e}x");
        assert_eq!(*kept.0.lock().unwrap(), ["a[31mred", "with [secret]x"]);
    }

    #[test]
    fn what_passes_the_limit_is_dropped_and_that_is_said_once() {
        let limits = Limits {
            lines_per_second: 3,
            ..Limits::default()
        };
        let (lines, kept) = lines(&limits);
        for n in 0..100 {
            lines.guest(Level::Info, &format!("line {n}"));
        }
        let kept = kept.0.lock().unwrap();
        assert_eq!(kept.len(), 4, "{kept:?}");
        assert!(kept[3].starts_with("lines were dropped"), "{kept:?}");
    }

    #[test]
    fn a_cut_never_splits_a_character() {
        assert_eq!(shortened("äöü".into(), 5), "ä…");
        assert_eq!(shortened("abc".into(), 3), "abc");
    }
}
