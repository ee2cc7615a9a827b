//! The log of a deployment: its newest part, to which the script adds.

use maud::{Markup, html};
use shipway_core::name::DeploymentId;
use shipway_core::ports::Stream;
use shipway_core::ports::store::LogLine;

use crate::problem::Problem;
use crate::state::ApiState;

/// How much of a log a page has; all of it is a link away.
const LINES: u64 = 400;
const BYTES: usize = 32 * 1024;
const LONGEST_LINE: usize = 2_000;

/// The end of a log.
#[derive(Debug)]
pub struct Log {
    pub lines: Vec<LogLine>,
    /// Whether there are older lines.
    pub cut: bool,
    /// The number of the newest line.
    pub last: u64,
}

impl Log {
    pub async fn read(state: &ApiState, id: DeploymentId) -> Result<Self, Problem> {
        let newest = state.store.last_number(id).await?;
        let after = newest.saturating_sub(LINES);
        let limit = u32::try_from(LINES).unwrap_or(u32::MAX);
        let mut lines = state.store.log(id, after, limit).await?;
        let (mut bytes, mut keep) = (0, 0);
        for line in lines.iter().rev() {
            bytes += line.text.len().min(LONGEST_LINE);
            if bytes > BYTES {
                break;
            }
            keep += 1;
        }
        let dropped = lines.len() - keep;
        lines.drain(..dropped);
        let last = lines.last().map_or(newest, |line| line.number);
        Ok(Self {
            cut: lines.first().is_some_and(|line| line.number > 1),
            lines,
            last,
        })
    }

    pub fn section(&self, id: DeploymentId) -> Markup {
        let path = format!("/deployments/{id}/log");
        html! {
            section aria-labelledby="log-title" {
                div.head {
                    h2 #log-title { "Log" }
                    p { a href=(path) { "Whole log as text" } }
                }
                @if self.cut {
                    p.note { "The newest lines. " a href=(path) { "Earlier ones are in the whole log" } "." }
                }
                div #log.log role="log" aria-labelledby="log-title" tabindex="0" {
                    @for line in &self.lines { (shown(line)) }
                }
                @if self.lines.is_empty() { p #no-log.nothing { "Nothing yet." } }
            }
        }
    }
}

fn shown(line: &LogLine) -> Markup {
    let text: String = line.text.chars().take(LONGEST_LINE).collect();
    let class = match line.stream {
        _ if line.text.starts_with("===== ") => "heading",
        Stream::Stderr => "stderr",
        Stream::Engine => "engine",
        Stream::Stdout => "stdout",
    };
    html! { div class=(class) { (text) } }
}
