//! The pages, one file each; a page that asks stands with what it asks about.

pub mod sign_in;

pub mod app;
pub mod app_settings;
pub mod apps;
pub mod environment;
pub mod environment_settings;
pub mod webhooks;

pub mod deploy;
pub mod promote;
pub mod rollback;

pub mod cancel;
pub mod deployment;
pub mod deployments;
pub mod live;

pub mod plugin;
pub mod plugin_choice;
pub mod plugins;
pub mod release_command;
pub mod release_commands;
pub mod variables;

pub mod tokens;

use axum::response::Redirect;
use http::{HeaderMap, HeaderValue};
use maud::{Markup, html};
use shipway_core::environment::EnvironmentKey;

use super::fields::Fields;
use super::part::{at, with_query};
use super::session::Visitor;
use super::shell::{Place, Shell, form_token};
use crate::bearer::new_random;
use crate::problem::{Problem, internal};

/// What a page answers.
pub(crate) type Page = Result<Markup, Problem>;

/// Where a form leads: back to a page, which says what was done.
pub(crate) type Done = Result<Redirect, Problem>;

/// The shell of a page below an environment.
fn below<'a>(visitor: &'a Visitor, key: &EnvironmentKey, title: &'a str) -> Shell<'a> {
    Shell::new(visitor, Place::Apps, title)
        .below("Apps", "/")
        .below(key.app.to_string(), format!("/apps/{}", key.app))
        .below(key.environment.to_string(), at(key, ""))
}

fn back(path: &str, told: &str) -> Redirect {
    Redirect::to(&with_query(path, &[("told", told)]))
}

/// The field that makes of two clicks one deployment.
const ONCE: &str = "once";

fn once() -> Result<Markup, Problem> {
    let (text, _) = new_random().map_err(|error| internal(&error))?;
    let short: String = text.reveal().chars().take(32).collect();
    Ok(html! { input type="hidden" name=(ONCE) value=(short); })
}

/// The same as the header that programs send.
fn once_header(fields: &Fields) -> HeaderMap {
    let mut headers = HeaderMap::new();
    if let Ok(value) = HeaderValue::from_str(fields.text(ONCE)) {
        headers.insert("idempotency-key", value);
    }
    headers
}

/// A question with what will happen above it, and two ways out.
#[derive(Debug)]
struct Question<'a> {
    action: &'a str,
    yes: &'a str,
    /// Where no leads.
    no: &'a str,
    /// What is sent along.
    fields: Markup,
}

impl Question<'_> {
    fn form(&self, visitor: &Visitor) -> Markup {
        html! {
            form.question method="post" action=(self.action) {
                (form_token(visitor))
                (self.fields)
                p.buttons {
                    button type="submit" { (self.yes) }
                    a.button.plain href=(self.no) { "Leave it" }
                }
            }
        }
    }
}
