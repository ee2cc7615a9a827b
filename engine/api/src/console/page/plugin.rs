//! `/plugins/{plugin}`: what it asks for, what it is granted, its settings.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::State;
use maud::{Markup, html};
use shipway_core::grant::{Addresses, Grants};
use shipway_core::name::PluginName;
use shipway_core::plugin::{Description, Enabled, Request, SettingDescription};
use shipway_core::token::Scope;

use super::plugins::{roles, state as state_of};
use super::{Done, Page, back};
use crate::access::{Admin, Read};
use crate::console::fields::{Fields, Posted};
use crate::console::session::{Signed, Visitor};
use crate::console::shell::{Place, Shell, form_token};
use crate::extract::{Body, PathOf};
use crate::route::{plugin, plugin_settings};
use crate::state::ApiState;
use crate::wire::plugin::{Plugin, PluginPatch};
use crate::wire::variable::{Value, Variable, Visibility};

pub async fn show(
    State(state): State<ApiState>,
    signed: Signed<Read>,
    PathOf(name): PathOf<PluginName>,
    query: Fields,
) -> Page {
    let (here, place) = (State(state), PathOf(name.clone()));
    let Json(found) = plugin::get_plugin(here, signed.may.clone(), place).await?;
    let visitor = &signed.visitor;
    let may_change = visitor.caller.may_everywhere(Scope::Admin).is_ok();
    let about = &found.description;
    let body = html! {
        h1 { (about.name) }
        p { (about.summary) }
        (facts(&found))
        @if may_change { (switch(&found, visitor)) }
        (grants(&found, visitor, may_change))
        h2 { "Settings for every environment" }
        (setting_forms(&about.settings, &found.settings, &format!("/plugins/{name}/settings"), may_change.then_some(visitor)))
    };
    let shell = Shell::new(visitor, Place::Plugins, name.as_str()).below("Plugins", "/plugins");
    Ok(shell.telling(&query).page(&body))
}

fn facts(plugin: &Plugin) -> Markup {
    let about = &plugin.description;
    html! {
        dl.facts {
            dt { "State" }
            dd { (state_of(plugin)) }
            dt { "Version" }
            dd { (about.version) }
            dt { "Roles" }
            dd { (roles(&about.roles)) }
            dt { "Digest" }
            dd { code { (about.digest) } }
            @if let Some(source) = &plugin.origin.source {
                dt { "From" }
                dd { (source) }
            }
            dt { "Signed by" }
            dd { @match &plugin.origin.signer { Some(signer) => (signer), None => "nobody" } }
        }
    }
}

fn switch(plugin: &Plugin, visitor: &Visitor) -> Markup {
    let (word, text) = match plugin.enabled {
        Enabled::Yes => ("no", "Disable everywhere"),
        Enabled::No => ("yes", "Enable"),
    };
    html! {
        form method="post" action={ "/plugins/" (plugin.description.name) "/enabled" } {
            (form_token(visitor))
            input type="hidden" name="enabled" value=(word);
            p.buttons { button.plain type="submit" { (text) } }
        }
    }
}

/// Each request with its reason, ticked when it is granted.
fn grants(plugin: &Plugin, visitor: &Visitor, may_change: bool) -> Markup {
    let requests = &plugin.description.requests;
    html! {
        h2 { "What it asks for" }
        @if requests.is_empty() { p.nothing { "Nothing: it works on what it is told." } }
        @if !requests.is_empty() {
            form.card method="post" action={ "/plugins/" (plugin.description.name) "/grants" } {
                @if may_change { (form_token(visitor)) }
                ul.requests {
                    @for (index, request) in requests.iter().enumerate() {
                        (request_row(plugin, index, request, may_change))
                    }
                }
                @if may_change {
                    p.check {
                        input #private type="checkbox" name="private" value="yes" checked[reaches_private(&plugin.grants)];
                        label for="private" { "Hosts may be at private addresses too" }
                    }
                    p.buttons { button type="submit" { "Grant what is ticked, and nothing else" } }
                }
            }
        }
    }
}

fn request_row(plugin: &Plugin, index: usize, request: &Request, may_change: bool) -> Markup {
    let granted = !plugin.lacks.contains(request);
    let id = format!("request-{index}");
    html! {
        li {
            input id=(id) type="checkbox" name="request" value=(index) checked[granted] disabled[!may_change];
            label for=(id) {
                strong { (request.capability) }
                @for target in &request.targets { " " code { (target) } }
                span.note { (request.reason) }
                @if !granted { span.note { "Not granted." } }
            }
        }
    }
}

fn reaches_private(grants: &Grants) -> bool {
    grants
        .http
        .iter()
        .any(|one| one.addresses == Addresses::Any)
}

pub async fn enable(
    State(state): State<ApiState>,
    PathOf(name): PathOf<PluginName>,
    Posted { signed, fields }: Posted<Admin>,
) -> Done {
    let enabled: Enabled = fields.word("enabled")?;
    let patch = PluginPatch {
        enabled: Some(enabled),
        limits: None,
    };
    let place = PathOf(name.clone());
    let _ = plugin::update_plugin(State(state), signed.may, place, Body(patch)).await?;
    let told = match enabled {
        Enabled::Yes => "enabled",
        Enabled::No => "disabled",
    };
    Ok(back(&format!("/plugins/{name}"), told))
}

pub async fn grant(
    State(state): State<ApiState>,
    PathOf(name): PathOf<PluginName>,
    Posted { signed, fields }: Posted<Admin>,
) -> Done {
    let installed = plugin::find(&state, &name).await?;
    let ticked: Vec<&str> = fields.all("request").collect();
    let requests = installed.description.requests.iter().enumerate();
    let chosen = requests.filter(|(index, _)| ticked.contains(&index.to_string().as_str()));
    let chosen = Description {
        requests: chosen.map(|(_, request)| request.clone()).collect(),
        ..installed.description.clone()
    };
    let wanted = Grants::requested(&chosen, &installed.settings);
    let addresses = match fields.is_on("private") {
        true => Addresses::Any,
        false => Addresses::Public,
    };
    let grants = as_before(wanted, &installed.grants, addresses);
    let place = PathOf(name.clone());
    let _ = plugin::set_grants(State(state), signed.may, place, Body(grants)).await?;
    Ok(back(&format!("/plugins/{name}"), "saved"))
}

/// Which secrets may be sent to an origin is said on the command line, and
/// stays as it was said.
fn as_before(mut wanted: Grants, before: &Grants, addresses: Addresses) -> Grants {
    for grant in &mut wanted.http {
        let known = before.http.iter().find(|one| one.origin == grant.origin);
        if let Some(known) = known {
            grant.secrets.clone_from(&known.secrets);
        }
        grant.addresses = addresses;
    }
    wanted
}

pub async fn set(
    State(state): State<ApiState>,
    PathOf(name): PathOf<PluginName>,
    Posted { signed, fields }: Posted<Admin>,
) -> Done {
    let (place, changes) = (PathOf(name.clone()), Body(change(&fields)));
    let _ =
        plugin_settings::update_plugin_settings(State(state), signed.may, place, changes).await?;
    Ok(back(&format!("/plugins/{name}"), told(&fields)))
}

/// One setting that is set or unset.
pub(super) fn change(fields: &Fields) -> BTreeMap<String, Option<Value>> {
    let value = Value {
        value: fields.secret("value"),
        visibility: fields.is_on("secret").then_some(Visibility::Secret),
    };
    let value = (fields.text("do") != "unset").then_some(value);
    BTreeMap::from([(fields.text("name").to_owned(), value)])
}

pub(super) fn told(fields: &Fields) -> &'static str {
    match fields.text("do") {
        "unset" => "unset",
        _ => "set",
    }
}

/// A small form for each setting; a secret shows no value. Without a visitor
/// it is only shown.
pub(super) fn setting_forms(
    known: &[SettingDescription],
    values: &[Variable],
    action: &str,
    visitor: Option<&Visitor>,
) -> Markup {
    html! {
        @if known.is_empty() { p.nothing { "It has no settings." } }
        ul.settings {
            @for setting in known {
                @let value = values.iter().find(|one| one.name == setting.name);
                li {
                    code.name { (setting.name) }
                    span.note { (setting.summary) @if setting.required { " Required." } }
                    @if visitor.is_none() || value.is_none_or(|one| one.value.is_none()) { (current(value)) }
                    @if let Some(visitor) = visitor { (setting_form(setting, value, action, visitor)) }
                }
            }
        }
    }
}

fn current(value: Option<&Variable>) -> Markup {
    html! {
        @match value.map(|one| &one.value) {
            None => span.nothing { "not set" },
            Some(None) => span.secret { "set, secret, never shown" },
            Some(Some(value)) => pre.value { (value) },
        }
    }
}

fn setting_form(
    setting: &SettingDescription,
    value: Option<&Variable>,
    action: &str,
    visitor: &Visitor,
) -> Markup {
    let id = format!(
        "{}-{}",
        action.replace('/', "-").trim_start_matches('-'),
        setting.name
    );
    let secret = setting.secret || value.is_some_and(|one| one.visibility == Visibility::Secret);
    let kind = if secret { "password" } else { "text" };
    let shown = value.and_then(|one| one.value.as_deref());
    html! {
        form.inline method="post" action=(action) {
            (form_token(visitor))
            input type="hidden" name="name" value=(setting.name);
            @if setting.secret { input type="hidden" name="secret" value="yes"; }
            label.hidden for=(id) { "Value of " (setting.name) }
            input id=(id) type=(kind) name="value" value=[shown] autocomplete="off" spellcheck="false";
            button.plain type="submit" name="do" value="set" aria-label={ "Set " (setting.name) } { "Set" }
            @if value.is_some() {
                button.plain type="submit" name="do" value="unset" aria-label={ "Unset " (setting.name) } { "Unset" }
            }
        }
    }
}
