//! `…/release-commands`: the settings' commands in their order.

use std::num::NonZeroUsize;

use axum::Json;
use axum::extract::State;
use axum::response::Redirect;
use maud::{Markup, html};
use shipway_core::environment::EnvironmentKey;
use shipway_core::name::Label;
use shipway_core::release::{CancelPolicy, DEFAULT_TIMEOUT_SECONDS, SettingsCommand};
use shipway_core::token::Scope;

use super::{Done, Page, Question, back, below};
use crate::access::{Admin, Read};
use crate::console::fields::{Fields, Posted};
use crate::console::part::words::{limit, phase, run, when};
use crate::console::part::{at, may, tabs, with_query};
use crate::console::session::{Signed, Visitor};
use crate::console::shell::form_token;
use crate::extract::{Body, PathOf};
use crate::route::release_command::{self, OneCommand};
use crate::state::ApiState;
use crate::wire::release_command::Move;

pub async fn show(
    State(state): State<ApiState>,
    signed: Signed<Read>,
    PathOf(key): PathOf<EnvironmentKey>,
    query: Fields,
) -> Page {
    let (here, place) = (State(state), PathOf(key.clone()));
    let Json(found) =
        release_command::list_release_commands(here, signed.may.clone(), place).await?;
    let list = List {
        visitor: &signed.visitor,
        key: &key,
        may_change: may(&signed.visitor, Scope::Admin, &key),
        of: found.items.len(),
        moved: query.parse_given("to").ok().flatten(),
        up: query.text("by") == "up",
    };
    let body = html! {
        h1 { (key) }
        (tabs(&key, "/release-commands"))
        h2 { "Release commands" }
        p.note { "They run once per deployment, in this order within their phase, before what the commit and its release sources add." }
        @if found.items.is_empty() { p.nothing { "None in the settings." } }
        ol.ordered data-sortable[list.may_change] {
            @for (index, command) in found.items.iter().enumerate() { (list.row(index + 1, command)) }
        }
        @if list.may_change {
            p { a.button href=(at(&key, "/release-commands/new")) { "Add a command" } }
        }
    };
    let title = format!("Release commands of {key}");
    Ok(below(&signed.visitor, &key, &title)
        .telling(&query)
        .page(&body))
}

struct List<'a> {
    visitor: &'a Visitor,
    key: &'a EnvironmentKey,
    may_change: bool,
    of: usize,
    /// The place of the one that was just moved: the focus goes with it.
    moved: Option<usize>,
    up: bool,
}

impl List<'_> {
    fn row(&self, place: usize, command: &SettingsCommand) -> Markup {
        html! {
            li data-place=(place) {
                div.what {
                    strong { (command.label) }
                    pre { (run(&command.run)) }
                    p.note { (remarks(command)) }
                    @if let Some(undo) = &command.undo { p.note { "Undone by" } pre { (run(undo)) } }
                }
                @if self.may_change { (self.controls(place, &command.label)) }
            }
        }
    }

    fn controls(&self, place: usize, label: &Label) -> Markup {
        let pairs = [("label", label.as_str())];
        let edit = with_query(&at(self.key, "/release-commands/edit"), &pairs);
        let remove = with_query(&at(self.key, "/release-commands/remove"), &pairs);
        html! {
            div.controls {
                form.move method="post" action=(at(self.key, "/release-commands/move")) {
                    (form_token(self.visitor))
                    input type="hidden" name="label" value=(label);
                    (self.button(place, place.saturating_sub(1), label))
                    (self.button(place, place + 1, label))
                }
                a.button.plain href=(edit) aria-label={ "Edit " (label) } { "Edit" }
                a.button.plain href=(remove) aria-label={ "Remove " (label) } { "Remove" }
            }
        }
    }

    fn button(&self, place: usize, to: usize, label: &Label) -> Markup {
        let up = to < place;
        let possible = |to: usize| (1..=self.of).contains(&to);
        // At an end of the list the other button is the one that is left.
        let other = if up {
            place + 1
        } else {
            place.saturating_sub(1)
        };
        let focus =
            self.moved == Some(place) && possible(to) && (self.up == up || !possible(other));
        let name = if up { "up" } else { "down" };
        html! {
            button.plain.(name) type="submit" name="position" value=(to) disabled[!possible(to)]
                autofocus[focus] aria-label={ "Move " (label) " " (name) } {
                span aria-hidden="true" { @if up { "↑" } @else { "↓" } }
            }
        }
    }
}

fn remarks(command: &SettingsCommand) -> String {
    let seconds = command.timeout_seconds.unwrap_or(DEFAULT_TIMEOUT_SECONDS);
    let mut text = format!("{}; limit {}", phase(command.phase), limit(seconds));
    if let Some(when) = when(command.when) {
        text = format!("{text}; {when}");
    }
    if command.cancel == CancelPolicy::Never {
        text.push_str("; never stopped when its deployment is cancelled");
    }
    text
}

pub async fn shift(
    State(state): State<ApiState>,
    PathOf(key): PathOf<EnvironmentKey>,
    Posted { signed, fields }: Posted<Admin>,
) -> Done {
    let label: Label = fields.parse("label")?;
    let position: NonZeroUsize = fields.parse("position")?;
    let environment = state.environment(&key).await?;
    let commands = environment.release_commands.iter();
    let before = commands.take_while(|command| command.label != label);
    let by = if position.get() <= before.count() {
        "up"
    } else {
        "down"
    };
    let (here, place) = (State(state), PathOf(one(&key, label)));
    let _ = release_command::move_release_command(here, signed.may, place, Body(Move { position }))
        .await?;
    let path = at(&key, "/release-commands");
    let pairs = [("told", "moved"), ("to", &position.to_string()), ("by", by)];
    Ok(Redirect::to(&with_query(&path, &pairs)))
}

pub async fn ask_to_remove(
    PathOf(key): PathOf<EnvironmentKey>,
    signed: Signed<Admin>,
    query: Fields,
) -> Page {
    let label: Label = query.parse("label")?;
    let no = at(&key, "/release-commands");
    let action = at(&key, "/release-commands/remove");
    let question = Question {
        action: &action,
        yes: "Remove",
        no: &no,
        fields: html! { input type="hidden" name="label" value=(label); },
    };
    let body = html! {
        h1 { "Remove " (label) }
        p { "Deployments of " (key) " that have not made their plan yet will not run it. What it has done stays done." }
        (question.form(&signed.visitor))
    };
    let title = format!("Remove {label}");
    let shell = below(&signed.visitor, &key, &title).below("Release commands", &no);
    Ok(shell.page(&body))
}

pub async fn remove(
    State(state): State<ApiState>,
    PathOf(key): PathOf<EnvironmentKey>,
    Posted { signed, fields }: Posted<Admin>,
) -> Done {
    let place = PathOf(one(&key, fields.parse("label")?));
    release_command::remove_release_command(State(state), signed.may, place).await?;
    Ok(back(&at(&key, "/release-commands"), "removed"))
}

pub(super) fn one(key: &EnvironmentKey, label: Label) -> OneCommand {
    let EnvironmentKey { app, environment } = key.clone();
    OneCommand {
        app,
        environment,
        label,
    }
}
