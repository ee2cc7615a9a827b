//! Pieces of pages that several pages have.

pub mod chart;
pub mod form;
pub mod log;
pub mod plan;
pub mod rows;
pub mod serving;
pub mod steps;
pub mod words;

use maud::{Markup, html};
use shipway_core::environment::EnvironmentKey;
use shipway_core::token::Scope;
use url::form_urlencoded;

use super::session::Visitor;

/// The path of a page of an environment.
pub fn at(key: &EnvironmentKey, rest: &str) -> String {
    let EnvironmentKey { app, environment } = key;
    format!("/apps/{app}/environments/{environment}{rest}")
}

/// A path with a query.
pub fn with_query(path: &str, pairs: &[(&str, &str)]) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    query.extend_pairs(pairs);
    format!("{path}?{}", query.finish())
}

/// Whether to offer what the caller would be refused.
pub fn may(visitor: &Visitor, scope: Scope, key: &EnvironmentKey) -> bool {
    visitor.caller.may(scope, &key.app).is_ok()
}

/// The pages of an environment.
pub fn tabs(key: &EnvironmentKey, current: &str) -> Markup {
    let pages = [
        ("", "Overview"),
        ("/release-commands", "Release commands"),
        ("/variables", "Variables"),
        ("/plugins", "Plugins"),
        ("/settings", "Settings"),
    ];
    html! {
        nav.tabs aria-label={ "Pages of " (key) } {
            @for (path, name) in pages {
                a href=(at(key, path)) aria-current=[(path == current).then_some("page")] { (name) }
            }
        }
    }
}
