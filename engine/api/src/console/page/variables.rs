//! `…/variables`: what the app is given. A secret goes in and is never shown.

use axum::Json;
use axum::extract::State;
use maud::{Markup, html};
use shipway_core::environment::EnvironmentKey;
use shipway_core::name::VariableName;
use shipway_core::token::Scope;

use super::{Done, Page, Question, back, below};
use crate::access::{Admin, Read};
use crate::console::fields::{Fields, Posted};
use crate::console::part::{at, may, tabs, with_query};
use crate::console::session::{Signed, Visitor};
use crate::console::shell::form_token;
use crate::extract::{Body, PathOf};
use crate::route::variable::{self, OneVariable};
use crate::state::ApiState;
use crate::wire::variable::{Value, Variable, Visibility};

pub async fn show(
    State(state): State<ApiState>,
    signed: Signed<Read>,
    PathOf(key): PathOf<EnvironmentKey>,
    query: Fields,
) -> Page {
    let place = PathOf(key.clone());
    let Json(found) = variable::list_variables(State(state), signed.may.clone(), place).await?;
    let may_change = may(&signed.visitor, Scope::Admin, &key);
    let chosen = found
        .items
        .iter()
        .find(|one| one.name == query.text("name"));
    let body = html! {
        h1 { (key) }
        (tabs(&key, "/variables"))
        h2 { "Variables" }
        p.note { "Instances and release commands are given them from the next deployment on." }
        @if found.items.is_empty() { p.nothing { "No variables yet." } }
        ul.settings { @for one in &found.items { (row(&key, one, may_change)) } }
        @if may_change { (form(&signed.visitor, &key, chosen)) }
    };
    let title = format!("Variables of {key}");
    Ok(below(&signed.visitor, &key, &title)
        .telling(&query)
        .page(&body))
}

fn row(key: &EnvironmentKey, one: &Variable, may_change: bool) -> Markup {
    let pairs = [("name", one.name.as_str())];
    let change = with_query(&at(key, "/variables"), &pairs) + "#set";
    let unset = with_query(&at(key, "/variables/unset"), &pairs);
    html! {
        li {
            code.name { (one.name) }
            @match &one.value {
                Some(value) => pre.value { (value) },
                None => span.secret { "secret, never shown" },
            }
            @if may_change {
                span.buttons {
                    a.button.plain href=(change) aria-label={ "Change " (one.name) } { "Change" }
                    a.button.plain href=(unset) aria-label={ "Unset " (one.name) } { "Unset" }
                }
            }
        }
    }
}

fn form(visitor: &Visitor, key: &EnvironmentKey, chosen: Option<&Variable>) -> Markup {
    let secret = chosen.is_some_and(|one| one.visibility == Visibility::Secret);
    html! {
        section.card #set aria-labelledby="set-title" {
            h2 #set-title { @match chosen { Some(one) => { "Change " (one.name) }, None => "Set a variable" } }
            form method="post" action=(at(key, "/variables")) {
                (form_token(visitor))
                p.field {
                    label for="name" { "Name" }
                    input #name name="name" required maxlength="128" pattern="[A-Za-z_][A-Za-z0-9_]*"
                        title="Letters, digits and underscores, not beginning with a digit"
                        value=[chosen.map(|one| &one.name)] readonly[chosen.is_some()]
                        autocomplete="off" autocapitalize="off" spellcheck="false";
                }
                p.field {
                    label for="value" { "Value" }
                    textarea #value name="value" rows="2" autocomplete="off" spellcheck="false" {
                        "\n" (chosen.and_then(|one| one.value.as_deref()).unwrap_or_default())
                    }
                }
                p.check {
                    input #secret type="checkbox" name="secret" value="yes" checked[secret] disabled[secret];
                    label for="secret" {
                        @if secret { "It is a secret and stays one" }
                        @else { "Secret: nobody may read it again, and it is masked in logs" }
                    }
                }
                p.buttons { button type="submit" { "Set" } }
            }
        }
    }
}

pub async fn set(
    State(state): State<ApiState>,
    PathOf(key): PathOf<EnvironmentKey>,
    Posted { signed, fields }: Posted<Admin>,
) -> Done {
    let place = one(&key, fields.parse("name")?);
    let value = Value {
        value: fields.secret("value"),
        // Not ticked: what is new is plain, and a secret stays one.
        visibility: fields.is_on("secret").then_some(Visibility::Secret),
    };
    let _ = variable::set_variable(State(state), signed.may, PathOf(place), Body(value)).await?;
    Ok(back(&at(&key, "/variables"), "set"))
}

pub async fn ask_to_unset(
    PathOf(key): PathOf<EnvironmentKey>,
    signed: Signed<Admin>,
    query: Fields,
) -> Page {
    let name: VariableName = query.parse("name")?;
    let (action, no) = (at(&key, "/variables/unset"), at(&key, "/variables"));
    let question = Question {
        action: &action,
        yes: "Unset",
        no: &no,
        fields: html! { input type="hidden" name="name" value=(name); },
    };
    let body = html! {
        h1 { "Unset " (name) }
        p { "From the next deployment of " (key) " on, instances and release commands are no longer given it. What serves now keeps it. Its value is forgotten." }
        (question.form(&signed.visitor))
    };
    let title = format!("Unset {name}");
    Ok(below(&signed.visitor, &key, &title).page(&body))
}

pub async fn unset(
    State(state): State<ApiState>,
    PathOf(key): PathOf<EnvironmentKey>,
    Posted { signed, fields }: Posted<Admin>,
) -> Done {
    let place = one(&key, fields.parse("name")?);
    variable::unset_variable(State(state), signed.may, PathOf(place)).await?;
    Ok(back(&at(&key, "/variables"), "unset"))
}

fn one(key: &EnvironmentKey, variable: VariableName) -> OneVariable {
    let EnvironmentKey { app, environment } = key.clone();
    OneVariable {
        app,
        environment,
        variable,
    }
}
