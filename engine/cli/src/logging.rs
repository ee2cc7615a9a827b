//! How the two planes log: for people or as JSON, as much as is wished. Shared
//! by both programs.

use std::fmt;
use std::io::IsTerminal;

use anyhow::Context;
use clap::ValueEnum;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing_subscriber::field::RecordFields;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FormatFields, layer};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

/// What these say below `info` may hold the variables of an app.
const DISCREET: [&str; 4] = ["bollard", "hyper", "hyper_util", "reqwest"];

#[derive(Debug, Clone, clap::Args)]
pub struct Logging {
    /// What log lines are written for: people, or programs
    #[arg(
        long,
        env = "SHIPWAY_LOG_FORMAT",
        value_enum,
        default_value = "text",
        value_name = "FORMAT"
    )]
    pub log_format: Format,

    /// How much is logged: a level, or levels by module as in
    /// `info,shipway_executor=debug` [default: RUST_LOG, else info]
    #[arg(long, env = "SHIPWAY_LOG", value_name = "LEVEL")]
    pub log_level: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Text,
    Json,
}

impl Logging {
    /// Begins to log, on standard error; `more` hears of everything too.
    pub fn start<L>(&self, more: Option<L>) -> anyhow::Result<()>
    where
        L: Layer<Registry> + Send + Sync,
    {
        let levels = self.levels()?;
        let lines = layer().with_writer(std::io::stderr);
        let lines = match self.log_format {
            Format::Json => lines
                .json()
                .flatten_event(true)
                .with_span_list(false)
                .with_filter(levels)
                .boxed(),
            Format::Text => lines
                .with_ansi(std::io::stderr().is_terminal())
                .fmt_fields(Plain)
                .with_filter(levels)
                .boxed(),
        };
        tracing_subscriber::registry()
            .with(more)
            .with(lines)
            .try_init()
            .context("could not begin to log")
    }

    fn levels(&self) -> anyhow::Result<Targets> {
        let wish = self.log_level.clone();
        let wish = wish.or_else(|| std::env::var("RUST_LOG").ok());
        let Some(wish) = wish.filter(|wish| !wish.is_empty()) else {
            return Ok(discreet(Targets::new().with_default(LevelFilter::INFO)));
        };
        let levels = wish.parse::<Targets>().with_context(|| {
            format!(
                "the log level {wish:?} is neither error, warn, info, debug or trace nor such \
                 levels by module, as in `info,shipway_executor=debug`"
            )
        })?;
        Ok(discreet(levels))
    }
}

fn discreet(levels: Targets) -> Targets {
    let levels = levels.with_target("sqlx", LevelFilter::WARN);
    DISCREET.iter().fold(levels, |levels, name| {
        levels.with_target(*name, LevelFilter::INFO)
    })
}

/// Fields as people like them: by the last word of their names, and without
/// what is only for traces.
#[derive(Debug)]
struct Plain;

impl<'writer> FormatFields<'writer> for Plain {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'writer>, fields: R) -> fmt::Result {
        let mut line = Line {
            writer,
            gap: "",
            outcome: Ok(()),
        };
        fields.record(&mut line);
        line.outcome
    }
}

struct Line<'writer> {
    writer: Writer<'writer>,
    gap: &'static str,
    outcome: fmt::Result,
}

impl Line<'_> {
    fn put(&mut self, text: fmt::Arguments<'_>) {
        let gap = std::mem::replace(&mut self.gap, " ");
        self.outcome = self
            .outcome
            .and_then(|()| write!(self.writer, "{gap}{text}"));
    }
}

impl Visit for Line<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        match value.contains([' ', '"', '=', '\n']) {
            true => self.record_debug(field, &value),
            // Escaped all the same: a control character is no space.
            false => self.record_debug(field, &format_args!("{}", value.escape_debug())),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        match field.name() {
            "message" => self.put(format_args!("{value:?}")),
            name if name.starts_with("otel.") => {}
            name => {
                let name = name.rsplit('.').next().unwrap_or(name);
                self.put(format_args!("{name}={value:?}"));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn logging(level: &str) -> Logging {
        Logging {
            log_format: Format::Text,
            log_level: Some(level.to_owned()),
        }
    }

    #[test]
    fn a_level_is_a_word_or_words_by_module_and_never_more_of_what_may_hold_secrets() {
        let levels = logging("debug").levels().unwrap();
        assert!(levels.would_enable("shipway_executor", &tracing::Level::DEBUG));
        assert!(!levels.would_enable("bollard::docker", &tracing::Level::DEBUG));
        assert!(!levels.would_enable("sqlx::query", &tracing::Level::INFO));
        let levels = logging("warn,shipway_api=trace").levels().unwrap();
        assert!(levels.would_enable("shipway_api::observe", &tracing::Level::TRACE));
        assert!(!levels.would_enable("shipway_executor", &tracing::Level::INFO));
    }

    #[test]
    fn a_level_that_is_none_is_said() {
        let refused = logging("info,shipway=loud").levels().unwrap_err();
        assert!(refused.to_string().contains("shipway=loud"), "{refused}");
    }
}
