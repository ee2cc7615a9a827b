//! `…/plugins`: which plugins take part in an environment, and what each gets
//! to read there.

use axum::Json;
use axum::extract::State;
use maud::{Markup, html};
use serde_json::{Map, Value, json};
use shipway_core::environment::{EnvironmentKey, PluginChoice};
use shipway_core::name::PluginName;
use shipway_core::plugin::{Installed, Role};
use shipway_core::token::Scope;

use super::plugin::{change, setting_forms, told};
use super::{Done, Page, back, below};
use crate::access::{Admin, Read};
use crate::console::fields::{Fields, Posted};
use crate::console::part::{at, may, tabs};
use crate::console::session::{Signed, Visitor};
use crate::console::shell::form_token;
use crate::extract::{Body, PathOf};
use crate::patch::Patch;
use crate::problem::Problem;
use crate::route::environment;
use crate::route::plugin_settings::{self, InEnvironment};
use crate::state::ApiState;
use crate::wire::variable::Variable;

/// A role, its word in the settings, and what it is for.
const ROLES: [(Role, &str, &str); 3] = [
    (
        Role::ReleaseSource,
        "release-sources",
        "Which release commands does this app want?",
    ),
    (
        Role::SelfTest,
        "self-tests",
        "Is the new version fit to serve?",
    ),
    (Role::Notifier, "notifiers", "Who must be told?"),
];

pub async fn show(
    State(state): State<ApiState>,
    signed: Signed<Read>,
    PathOf(key): PathOf<EnvironmentKey>,
    query: Fields,
) -> Page {
    let found = state.environment(&key).await?;
    let installed = state.store.plugins().await?;
    let choice = found.plugins.clone().unwrap_or_default();
    let changer = may(&signed.visitor, Scope::Admin, &key).then_some(&signed.visitor);
    let mut settings = Vec::new();
    for plugin in installed.iter().filter(|one| takes_part(one, &choice)) {
        settings.push(of_plugin(&state, &signed, &key, plugin, changer).await?);
    }
    let body = html! {
        h1 { (key) }
        (tabs(&key, "/plugins"))
        h2 { "Which plugins take part" }
        (choices(&key, &installed, &choice, changer))
        @for each in &settings { (each) }
    };
    let title = format!("Plugins of {key}");
    Ok(below(&signed.visitor, &key, &title)
        .telling(&query)
        .page(&body))
}

fn chosen<'a>(choice: &'a PluginChoice, role: &Role) -> Option<&'a [PluginName]> {
    match role {
        Role::ReleaseSource => choice.release_sources.as_deref(),
        Role::SelfTest => choice.self_tests.as_deref(),
        Role::Notifier => choice.notifiers.as_deref(),
    }
}

/// Chosen in some role, or left to the commit to choose.
fn takes_part(plugin: &Installed, choice: &PluginChoice) -> bool {
    ROLES.iter().any(|(role, _, _)| {
        plugin.has(*role)
            && chosen(choice, role).is_none_or(|chosen| chosen.contains(plugin.name()))
    })
}

fn choices(
    key: &EnvironmentKey,
    installed: &[Installed],
    choice: &PluginChoice,
    changer: Option<&Visitor>,
) -> Markup {
    html! {
        form.card method="post" action=(at(key, "/plugins")) {
            @if let Some(visitor) = changer { (form_token(visitor)) }
            @for (role, word, question) in &ROLES {
                (role_choice(word, question, installed.iter().filter(|one| one.has(*role)), chosen(choice, role), changer.is_some()))
            }
            @if changer.is_some() { p.buttons { button type="submit" { "Save" } } }
        }
    }
}

fn role_choice<'a>(
    word: &str,
    question: &str,
    plugins: impl Iterator<Item = &'a Installed>,
    chosen: Option<&[PluginName]>,
    may_change: bool,
) -> Markup {
    let decide = format!("decide-{word}");
    html! {
        fieldset disabled[!may_change] {
            legend { (question) " (" (word) ")" }
            p.check {
                input id=(decide) type="checkbox" name=(decide) value="yes" checked[chosen.is_some()];
                label for=(decide) { "Decided here, not by " code { "shipway.toml" } }
            }
            @for plugin in plugins {
                @let id = format!("{word}-{}", plugin.name());
                @let on = chosen.is_some_and(|chosen| chosen.contains(plugin.name()));
                p.check.inner {
                    input id=(id) type="checkbox" name=(word) value=(plugin.name()) checked[on];
                    label for=(id) { (plugin.name()) span.note { (plugin.description.summary) } }
                }
            }
        }
    }
}

async fn of_plugin(
    state: &ApiState,
    signed: &Signed<Read>,
    key: &EnvironmentKey,
    plugin: &Installed,
    changer: Option<&Visitor>,
) -> Result<Markup, Problem> {
    let name = plugin.name();
    let place = PathOf(in_environment(key, name.clone()));
    let here = State(state.clone());
    let Json(values) =
        plugin_settings::list_environment_plugin_settings(here, signed.may.clone(), place).await?;
    let values: Vec<Variable> = values.items;
    let action = at(key, &format!("/plugins/{name}/settings"));
    Ok(html! {
        section aria-labelledby={ "settings-of-" (name) } {
            h2 id={ "settings-of-" (name) } { "Settings of " (name) " here" }
            (setting_forms(&plugin.description.settings, &values, &action, changer))
        }
    })
}

pub async fn choose(
    State(state): State<ApiState>,
    PathOf(key): PathOf<EnvironmentKey>,
    Posted { signed, fields }: Posted<Admin>,
) -> Done {
    let before = state.environment(&key).await?.plugins.unwrap_or_default();
    let mut plugins = Map::new();
    for (role, word, _) in &ROLES {
        let decided = fields.is_on(&format!("decide-{word}"));
        let names = in_order(fields.all(word).collect(), chosen(&before, role));
        plugins.insert(
            (*word).to_owned(),
            if decided { json!(names) } else { Value::Null },
        );
    }
    let changes = Map::from_iter([("plugins".to_owned(), Value::Object(plugins))]);
    let (here, place) = (State(state), PathOf(key.clone()));
    let _ = environment::update_environment(here, signed.may, place, Body(Patch::from(changes)))
        .await?;
    Ok(back(&at(&key, "/plugins"), "saved"))
}

/// Sources are asked in an order: what was chosen keeps its place, what is new
/// comes after it.
fn in_order<'a>(ticked: Vec<&'a str>, before: Option<&'a [PluginName]>) -> Vec<&'a str> {
    let known = before.unwrap_or_default().iter().map(PluginName::as_str);
    let mut names: Vec<&str> = known.filter(|name| ticked.contains(name)).collect();
    for name in ticked {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

pub async fn set(
    State(state): State<ApiState>,
    PathOf(place): PathOf<InEnvironment>,
    Posted { signed, fields }: Posted<Admin>,
) -> Done {
    let key = EnvironmentKey {
        app: place.app.clone(),
        environment: place.environment.clone(),
    };
    let (here, changes) = (State(state), Body(change(&fields)));
    let _ = plugin_settings::update_environment_plugin_settings(
        here,
        signed.may,
        PathOf(place),
        changes,
    )
    .await?;
    Ok(back(&at(&key, "/plugins"), told(&fields)))
}

fn in_environment(key: &EnvironmentKey, plugin: PluginName) -> InEnvironment {
    let EnvironmentKey { app, environment } = key.clone();
    InEnvironment {
        app,
        environment,
        plugin,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_chosen_keeps_its_order() {
        let before: Vec<PluginName> = ["b", "a", "z"].map(|name| name.parse().unwrap()).into();
        assert_eq!(
            in_order(vec!["a", "b", "c"], Some(&before)),
            ["b", "a", "c"]
        );
        assert_eq!(in_order(vec!["a"], None), ["a"]);
    }
}
