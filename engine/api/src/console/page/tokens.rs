//! `/tokens`: who may do what by a token. The text of one is shown once, on the
//! page that its making answers with.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::StatusCode;
use maud::{Markup, html};
use shipway_core::name::{AppName, Timestamp};

use super::{Done, Page, Question, back};
use crate::access::Admin;
use crate::audit::Note;
use crate::console::fields::{Fields, Posted};
use crate::console::part::form::{choice, line, lines, number, wrong};
use crate::console::part::with_query;
use crate::console::part::words::moment;
use crate::console::session::{Signed, Visitor};
use crate::console::shell::{Place, Shell, form_token};
use crate::extract::{Body, PathOf};
use crate::problem::{Kind, Problem};
use crate::route::token::{self, OneToken};
use crate::state::ApiState;
use crate::wire::token::{CreatedToken, NewToken, Token};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
/// A hundred years.
const LONGEST_LIFE_DAYS: u32 = 36_500;
const SCOPES: [(&str, &str); 3] = [
    ("read", "read: see all but secrets"),
    ("deploy", "deploy: read, trigger, cancel"),
    ("admin", "admin: everything"),
];

/// What the form shows, as text.
#[derive(Debug)]
struct Written {
    name: String,
    scope: String,
    apps: String,
    days: String,
}

impl Default for Written {
    fn default() -> Self {
        Self {
            name: String::new(),
            scope: "deploy".to_owned(),
            apps: String::new(),
            days: String::new(),
        }
    }
}

impl Written {
    fn again(fields: &Fields) -> Self {
        let text = |name: &str| fields.text(name).to_owned();
        Self {
            name: text("name"),
            scope: text("scope"),
            apps: text("apps"),
            days: text("days"),
        }
    }
}

pub async fn show(State(state): State<ApiState>, signed: Signed<Admin>, query: Fields) -> Page {
    let written = Written::default();
    page(&state, &signed, &written, None, &query).await
}

async fn page(
    state: &ApiState,
    signed: &Signed<Admin>,
    written: &Written,
    problem: Option<&Problem>,
    query: &Fields,
) -> Page {
    let here = State(state.clone());
    let Json(found) = token::list_tokens(here, signed.may.clone()).await?;
    let now = state.clock.now();
    let body = html! {
        h1 { "Tokens" }
        p.note { "Programs show a token to the API, people sign in with one." }
        (wrong(problem))
        ul.settings { @for one in &found.items { (row(one, now)) } }
        (form(&signed.visitor, written))
    };
    let shell = Shell::new(&signed.visitor, Place::Tokens, "Tokens");
    Ok(shell.telling(query).page(&body))
}

fn row(token: &Token, now: Timestamp) -> Markup {
    let delete = with_query("/tokens/delete", &[("name", &token.name)]);
    html! {
        li {
            span.name { (token.name) }
            span.value {
                (token.scope) ", " (reach(&token.apps)) "; made " (moment(token.created_at, now))
                @match token.last_used_at {
                    Some(at) => { ", last used " (moment(at, now)) },
                    None => ", never used",
                }
                @match token.expires_at {
                    Some(at) if at <= now => ", expired",
                    Some(at) => { ", expires " time datetime=(at) { (day(at)) } },
                    None => {}
                }
            }
            span.buttons {
                a.button.plain href=(delete) aria-label={ "Delete " (token.name) } { "Delete" }
            }
        }
    }
}

fn reach(apps: &[AppName]) -> String {
    let names: Vec<&str> = apps.iter().map(AppName::as_str).collect();
    match names.as_slice() {
        [] => "every app".to_owned(),
        names => format!("only {}", names.join(", ")),
    }
}

/// `2026-11-22`.
fn day(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}

fn form(visitor: &Visitor, written: &Written) -> Markup {
    html! {
        section.card aria-labelledby="new-title" {
            h2 #new-title { "New token" }
            form method="post" action="/tokens" {
                (form_token(visitor))
                (line("name", "Name", &written.name, "Who uses it, and for what. Deployments and the audit log carry it."))
                (choice("scope", "Scope", &written.scope, &SCOPES))
                (lines("apps", "Apps", &written.apps, "One a line; every app when empty."))
                (number("days", "Days", &written.days, "How long it is good for; until it is deleted when empty."))
                p.buttons { button type="submit" { "Make it" } }
            }
        }
    }
}

pub async fn create(
    State(state): State<ApiState>,
    note: Note,
    Posted { signed, fields }: Posted<Admin>,
) -> Response {
    let made = async {
        let new = asked(&fields, state.clock.now())?;
        note.name(&new.name);
        let here = State(state.clone());
        token::create_token(here, signed.may.clone(), Body(new)).await
    };
    match made.await {
        Ok((status, Json(made))) => (status, shown_once(&signed.visitor, &made)).into_response(),
        Err(problem) => {
            let (written, query) = (Written::again(&fields), Fields::default());
            let page = page(&state, &signed, &written, Some(&problem), &query).await;
            (problem.kind.status(), page).into_response()
        }
    }
}

fn asked(fields: &Fields, now: Timestamp) -> Result<NewToken, Problem> {
    let apps = fields.text("apps").split_whitespace().map(|name| {
        name.parse::<AppName>()
            .map_err(|error| Problem::new(Kind::InvalidSetting, format!("apps: {error}")))
    });
    let days: Option<u32> = fields.parse_given("days")?;
    if days.is_some_and(|days| !(1..=LONGEST_LIFE_DAYS).contains(&days)) {
        let detail = format!("days: a token is good for 1 to {LONGEST_LIFE_DAYS} days");
        return Err(Problem::new(Kind::InvalidSetting, detail));
    }
    Ok(NewToken {
        name: fields.text("name").trim().to_owned(),
        scope: fields.word("scope")?,
        apps: apps.collect::<Result<_, _>>()?,
        expires_at: days.map(|days| now.later(DAY * days)),
    })
}

fn shown_once(visitor: &Visitor, made: &CreatedToken) -> Markup {
    let body = html! {
        section.narrow {
            h1 { "Token " (made.kept.name) }
            p { "Copy it now: it is shown this once, and kept nowhere." }
            pre #made-token { (made.token.reveal()) }
            p { "On the command line:" }
            pre { "shipway login" }
            p.buttons { a.button href="/tokens" { "I have it" } }
        }
    };
    let shell = Shell::new(visitor, Place::Tokens, "New token");
    shell.below("Tokens", "/tokens").page(&body)
}

pub async fn ask_to_delete(signed: Signed<Admin>, query: Fields) -> Page {
    let name = query.text("name");
    let question = Question {
        action: "/tokens/delete",
        yes: "Delete it",
        no: "/tokens",
        fields: html! { input type="hidden" name="name" value=(name); },
    };
    let body = html! {
        h1 { "Delete token " (name) }
        p {
            "Whoever holds it is refused from now on, and whoever signed in with it is signed out."
            @if signed.visitor.caller.name() == name { " That is you." }
        }
        (question.form(&signed.visitor))
    };
    let shell = Shell::new(&signed.visitor, Place::Tokens, "Delete a token");
    Ok(shell.below("Tokens", "/tokens").page(&body))
}

pub async fn delete(
    State(state): State<ApiState>,
    note: Note,
    Posted { signed, fields }: Posted<Admin>,
) -> Done {
    let token = fields.text("name").to_owned();
    note.name(&token);
    let _: StatusCode =
        token::delete_token(State(state), signed.may, PathOf(OneToken { token })).await?;
    Ok(back("/tokens", "deleted"))
}
