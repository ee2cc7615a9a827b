//! Fields of forms, and what was wrong with them.

use maud::{Markup, html};
use serde::Serialize;

use crate::problem::Problem;

/// What a form that does not fit shows above its fields.
pub fn wrong(problem: Option<&Problem>) -> Markup {
    html! {
        @if let Some(problem) = problem {
            div.problem role="alert" {
                p { (problem.detail) "." }
                @if let Some(hint) = &problem.hint { p { (hint) "." } }
            }
        }
    }
}

/// One of several words.
pub fn choice(name: &str, label: &str, chosen: &str, options: &[(&str, &str)]) -> Markup {
    html! {
        p.field {
            label for=(name) { (label) }
            select id=(name) name=(name) {
                @for (value, text) in options {
                    option value=(value) selected[*value == chosen] { (text) }
                }
            }
        }
    }
}

/// One line of text; `about` says what to write.
pub fn line(name: &str, label: &str, value: &str, about: &str) -> Markup {
    html! {
        p.field {
            label for=(name) { (label) }
            input id=(name) name=(name) value=(value) autocomplete="off" autocapitalize="off"
                spellcheck="false" aria-describedby=[(!about.is_empty()).then(|| described(name))];
            @if !about.is_empty() { span.note id=(described(name)) { (about) } }
        }
    }
}

/// A whole number, or nothing.
pub fn number(name: &str, label: &str, value: &str, about: &str) -> Markup {
    html! {
        p.field {
            label for=(name) { (label) }
            input id=(name) name=(name) type="number" min="0" value=(value) inputmode="numeric"
                aria-describedby=[(!about.is_empty()).then(|| described(name))];
            @if !about.is_empty() { span.note id=(described(name)) { (about) } }
        }
    }
}

/// Several things, one a line.
pub fn lines(name: &str, label: &str, value: &str, about: &str) -> Markup {
    html! {
        p.field {
            label for=(name) { (label) }
            textarea id=(name) name=(name) rows="3" autocomplete="off" autocapitalize="off"
                spellcheck="false" aria-describedby=(described(name)) { "\n" (value) }
            span.note id=(described(name)) { (about) }
        }
    }
}

fn described(name: &str) -> String {
    format!("{name}-about")
}

/// The word that a value has in JSON.
pub fn word(value: impl Serialize) -> String {
    let json = serde_json::to_value(value).unwrap_or_default();
    json.as_str().unwrap_or_default().to_owned()
}
