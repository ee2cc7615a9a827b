//! `/deployments/{deployment}`: steps, log, plan, self-tests, events.

use axum::extract::State;
use maud::{Markup, html};
use shipway_core::ending::{Aftermath, Ending, Failure};
use shipway_core::journal::{Entry, Event, Serving};
use shipway_core::name::{DeploymentId, Label, Timestamp};
use shipway_core::plan::Plan;
use shipway_core::token::Scope;

use super::Page;
use crate::console::fields::Fields;
use crate::console::part::log::Log;
use crate::console::part::words::{badge, duration, goes_on, moment, short, subject};
use crate::console::part::{at, may, plan, steps, with_query};
use crate::console::session::Visitor;
use crate::console::shell::{Place, Shell};
use crate::extract::PathOf;
use crate::problem::Problem;
use crate::route::deployment::{find, frozen};
use crate::state::ApiState;
use crate::wire::deployment::{Deployment, Status};
use crate::words::took;

/// Entries read at once, and how often: far more than a plan may make.
const BATCH: u32 = 1000;
const BATCHES: usize = 10;
/// Events on the page; the API has all.
const SHOWN: usize = 200;

/// What is known of a deployment at one moment.
struct Seen {
    deployment: Deployment,
    journal: Vec<Entry>,
    serving: Option<Serving>,
    now: Timestamp,
}

pub async fn show(
    State(state): State<ApiState>,
    visitor: Visitor,
    PathOf(id): PathOf<DeploymentId>,
    query: Fields,
) -> Page {
    let seen = look(&state, &visitor, id).await?;
    let log = Log::read(&state, id).await?;
    let deployment = &seen.deployment;
    let key = seen.key();
    let live = format!(
        "/deployments/{id}/live?events={}&lines={}",
        seen.journal.last().map_or(0, |entry| entry.sequence),
        log.last
    );
    let live = deployment.ending.is_none().then_some(live);
    let body = html! {
        h1 { "Deployment of " (subject(deployment)) " to " (key) }
        div #live data-live=[live] data-now={ "/deployments/" (id) "/now" } {}
        (now_part(&seen, &visitor))
        p #said.hidden role="status" {}
        (log.section(id))
        (more(&seen))
    };
    let title = format!("Deployment {} of {key}", short(&id));
    let shell = Shell::new(&visitor, Place::Deployments, &title)
        .below(key.app.to_string(), format!("/apps/{}", key.app))
        .below(key.environment.to_string(), at(&key, ""))
        .telling(&query);
    Ok(shell.page(&body))
}

/// What changes while a deployment goes on. The script puts each part in its
/// place that has changed, so that nobody's click goes into what is just gone.
pub async fn now(
    State(state): State<ApiState>,
    visitor: Visitor,
    PathOf(id): PathOf<DeploymentId>,
) -> Page {
    let seen = look(&state, &visitor, id).await?;
    Ok(html! { (now_part(&seen, &visitor)) (more(&seen)) })
}

async fn look(state: &ApiState, visitor: &Visitor, id: DeploymentId) -> Result<Seen, Problem> {
    let found = find(state, &visitor.caller, id, Scope::Read).await?;
    let redactor = state.redactor(&found.trigger.key).await?;
    let serving = state.store.serving(&found.trigger.key).await?;
    let mut journal: Vec<Entry> = Vec::new();
    for _ in 0..BATCHES {
        let after = journal.last().map_or(0, |entry| entry.sequence);
        let more = state.store.journal(id, after, BATCH).await?;
        if more.is_empty() {
            break;
        }
        journal.extend(more.into_iter().map(|entry| entry.shown(&redactor)));
    }
    Ok(Seen {
        deployment: found.into(),
        journal,
        serving,
        now: state.clock.now(),
    })
}

impl Seen {
    fn key(&self) -> shipway_core::environment::EnvironmentKey {
        shipway_core::environment::EnvironmentKey {
            app: self.deployment.app.clone(),
            environment: self.deployment.environment.clone(),
        }
    }

    fn serves(&self) -> bool {
        let serving = self.serving.as_ref();
        serving.is_some_and(|serving| serving.deployment == self.deployment.id)
    }

    fn plan(&self) -> Option<Plan> {
        let events = self.journal.iter();
        events.map(|entry| entry.event.clone()).find_map(frozen)
    }
}

fn now_part(seen: &Seen, visitor: &Visitor) -> Markup {
    let deployment = &seen.deployment;
    html! {
        div #facts data-part data-said=(said(deployment)) { (facts(seen)) }
        div #actions data-part { (actions(seen, visitor)) }
        div #ending data-part { @if let Some(ending) = &deployment.ending { (ended(ending)) } }
        section #steps data-part aria-labelledby="steps-title" {
            h2 #steps-title { "Steps" }
            (steps::steps(&seen.journal, seen.now))
        }
        div #checks data-part { (checks(&seen.journal)) }
    }
}

/// What a screen reader is told when it changes.
fn said(deployment: &Deployment) -> String {
    match deployment.step {
        Some(step) => format!("{}: {step}", deployment.status),
        None => deployment.status.to_string(),
    }
}

fn facts(seen: &Seen) -> Markup {
    let deployment = &seen.deployment;
    html! {
        dl.facts {
            dt { "State" }
            dd { (badge(deployment)) @if seen.serves() { " " span.badge.serving { "serving" } } }
            @if let Some(commit) = &deployment.commit {
                dt { "Commit" }
                dd { code { (commit.id.short()) } " " (commit.subject) " (" (commit.author) ")" }
            }
            dt { "Asked" }
            dd { "by " (deployment.by) ", " (moment(deployment.created_at, seen.now)) }
            @if let Some(millis) = duration(deployment) {
                dt { "Took" }
                dd { (took(millis)) }
            }
            dt { "Id" }
            dd { code { (deployment.id) } }
        }
    }
}

fn actions(seen: &Seen, visitor: &Visitor) -> Markup {
    let (key, id) = (seen.key(), seen.deployment.id);
    let status = seen.deployment.status;
    let back = with_query(&at(&key, "/rollback"), &[("to", &id.to_string())]);
    html! {
        @if may(visitor, Scope::Deploy, &key) {
            p.buttons {
                @if goes_on(status) {
                    a #cancel.button.danger href={ "/deployments/" (id) "/cancel" } { "Cancel" }
                }
                @if status == Status::Succeeded && !seen.serves() {
                    a #back.button.plain href=(back) { "Roll back to this" }
                }
                @if matches!(status, Status::Failed | Status::Cancelled) {
                    a #again.button.plain href=(at(&key, "/deploy")) { "Deploy again" }
                }
            }
        }
    }
}

fn ended(ending: &Ending) -> Markup {
    html! {
        @match ending {
            Ending::Succeeded => {}
            Ending::Superseded { by } => p.note {
                "A newer deployment took its place in the queue: "
                a href={ "/deployments/" (by) } { (short(by)) }
            },
            Ending::Failed(failed) => div.problem {
                (why(&failed.failure))
                (left(&failed.aftermath))
            },
            Ending::Cancelled(aftermath) => div.note { (left(aftermath)) },
        }
    }
}

fn why(failure: &Failure) -> Markup {
    html! {
        h2 { "Failed at " (failure.step) }
        p { (failure.message) }
        @if let Some(command) = &failure.command { p { "Command: " strong { (command) } } }
        @if let Some(plugin) = &failure.plugin { p { "Plugin: " strong { (plugin) } } }
        @if !failure.last_lines.is_empty() {
            pre { @for line in &failure.last_lines { (line) "\n" } }
        }
        @if let Some(hint) = &failure.hint { p { strong { "What to do: " } (hint) } }
    }
}

fn left(aftermath: &Aftermath) -> Markup {
    html! {
        @if !aftermath.release_commands_ran.is_empty() {
            p { "The data may be ahead of the code. Release commands that ran: " (labels(&aftermath.release_commands_ran)) "." }
        }
        @if !aftermath.undone.is_empty() {
            p { "Undone: " (labels(&aftermath.undone)) "." }
        }
        @if !aftermath.undo_failed.is_empty() {
            p { strong { "Somebody has to look: " } "these could not be undone: " (labels(&aftermath.undo_failed)) "." }
        }
        p {
            @match aftermath.serving {
                Some(id) => { "What served before goes on serving: " a href={ "/deployments/" (id) } { (short(&id)) } },
                None => "Nothing serves this environment.",
            }
        }
    }
}

fn labels(labels: &[Label]) -> String {
    let labels: Vec<&str> = labels.iter().map(Label::as_str).collect();
    labels.join(", ")
}

fn checks(journal: &[Entry]) -> Markup {
    let reported = || {
        journal
            .iter()
            .filter(|entry| matches!(entry.event, Event::CheckReported { .. }))
    };
    html! {
        @if reported().next().is_some() {
            section aria-labelledby="checks-title" {
                h2 #checks-title { "Self-tests" }
                ul.checks { @for entry in reported() { (check(&entry.event)) } }
            }
        }
    }
}

fn check(event: &Event) -> Markup {
    html! {
        @if let Event::CheckReported { plugin, name, outcome, message, millis } = event {
            li {
                span class={ "badge " (outcome) } { (outcome) }
                span { strong { (name) } " " (message) }
                span.note { "by " (plugin) ", " (took(*millis)) }
            }
        }
    }
}

/// Plan and events, for who wants to know.
fn more(seen: &Seen) -> Markup {
    let older = seen.journal.len().saturating_sub(SHOWN);
    html! {
        div #more data-part {
            @if let Some(frozen) = seen.plan() {
                details #plan { summary { h2 { "Plan" } } (plan::whole(&frozen)) }
            }
            details #events {
                summary { h2 { (seen.journal.len()) " events" } }
                @if older > 0 { p.note { "The newest " (SHOWN) "; the API has all." } }
                ol.events {
                    @for entry in seen.journal.iter().skip(older) {
                        li {
                            span.number { (entry.sequence) }
                            time datetime=(entry.at) { (clock_time(entry.at)) }
                            span { (entry.event.summary()) }
                        }
                    }
                }
            }
        }
    }
}

/// The time of day, in UTC.
fn clock_time(at: Timestamp) -> String {
    let text = at.to_string();
    text.get(11..19).unwrap_or(&text).to_owned()
}
