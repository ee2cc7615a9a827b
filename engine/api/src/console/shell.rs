//! What stands around every page: head, navigation, what was just done.

use maud::{DOCTYPE, Markup, html};
use shipway_core::token::Scope;

use super::asset::{ICON, SCRIPT, STYLE};
use super::fields::Fields;
use super::session::{FORM_TOKEN, Visitor};
use crate::problem::{Kind, Problem};

/// Where in the console a page belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    Apps,
    Deployments,
    Plugins,
    Tokens,
    /// Nowhere: what was looked for is not there, or not allowed.
    None,
}

/// A page for somebody who is signed in.
#[derive(Debug)]
pub struct Shell<'a> {
    pub visitor: &'a Visitor,
    pub place: Place,
    pub title: &'a str,
    /// The way here: names and where they lead.
    pub way: Vec<(String, String)>,
    /// What was just done, by a word in the query.
    pub told: Option<String>,
}

impl<'a> Shell<'a> {
    pub fn new(visitor: &'a Visitor, place: Place, title: &'a str) -> Self {
        Self {
            visitor,
            place,
            title,
            way: Vec::new(),
            told: None,
        }
    }

    #[must_use]
    pub fn below(mut self, name: impl Into<String>, path: impl Into<String>) -> Self {
        self.way.push((name.into(), path.into()));
        self
    }

    #[must_use]
    pub fn telling(mut self, query: &Fields) -> Self {
        self.told = told(query);
        self
    }

    pub fn page(&self, body: &Markup) -> Markup {
        let main = html! {
            @if !self.way.is_empty() {
                nav.way aria-label="Way here" {
                    ol { @for (name, path) in &self.way { li { a href=(path) { (name) } } } }
                }
            }
            p #told.told role="status" { @if let Some(told) = &self.told { (told) } }
            (body)
        };
        document(self.title, &self.header(), &main)
    }

    fn header(&self) -> Markup {
        let everywhere = |scope| self.visitor.caller.may_everywhere(scope).is_ok();
        html! {
            nav.places aria-label="Console" {
                (self.link(Place::Apps, "/", "Apps"))
                (self.link(Place::Deployments, "/deployments", "Deployments"))
                @if everywhere(Scope::Read) { (self.link(Place::Plugins, "/plugins", "Plugins")) }
                @if everywhere(Scope::Admin) { (self.link(Place::Tokens, "/tokens", "Tokens")) }
            }
            form.out method="post" action="/sign-out" {
                (form_token(self.visitor))
                span.who title={ "Signed in with scope " (self.visitor.caller.scope()) } {
                    (self.visitor.caller.name())
                }
                button.plain type="submit" { "Sign out" }
            }
        }
    }

    fn link(&self, place: Place, path: &str, name: &str) -> Markup {
        let current = (place == self.place).then_some("true");
        html! { a href=(path) aria-current=[current] { (name) } }
    }
}

/// A page for whoever comes.
pub fn open(title: &str, body: &Markup) -> Markup {
    document(title, &html! {}, body)
}

/// What was refused: a heading, the cause, and what to do.
pub fn refusal(problem: &Problem, visitor: Option<&Visitor>) -> (http::StatusCode, Markup) {
    let title = match problem.kind {
        Kind::UnknownRoute => "There is no such page",
        kind => kind.title(),
    };
    let body = html! {
        section.narrow {
            h1 { (title) }
            div.problem role="alert" {
                p { (problem.detail) "." }
                @if let Some(hint) = &problem.hint {
                    h2 { "What to do" }
                    p { (hint) "." }
                }
                @if let Some(failure) = &problem.failure {
                    @if !failure.last_lines.is_empty() {
                        pre { @for line in &failure.last_lines { (line) "\n" } }
                    }
                }
            }
            p { a href="/" { "All apps" } }
        }
    };
    let page = match visitor {
        Some(visitor) => Shell::new(visitor, Place::None, title).page(&body),
        None => open(title, &body),
    };
    (problem.kind.status(), page)
}

/// What goes with every form.
pub fn form_token(visitor: &Visitor) -> Markup {
    html! { input type="hidden" name=(FORM_TOKEN) value=(visitor.form_token()); }
}

fn document(title: &str, header: &Markup, main: &Markup) -> Markup {
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                title { (title) " · Shipway" }
                link rel="icon" type="image/svg+xml" href=(ICON.path);
                link rel="stylesheet" href=(STYLE.path);
                script src=(SCRIPT.path) defer {}
            }
            body {
                a.skip href="#main" { "Skip to the content" }
                header.top { a.brand href="/" { "Shipway" } (header) }
                main #main tabindex="-1" { (main) }
            }
        }
    }
}

/// The words that a page may be asked to say; nobody else's text is shown.
fn told(query: &Fields) -> Option<String> {
    let text = match query.text("told") {
        "added" => "Added.",
        "made" => "Made.",
        "deleted" => "Deleted.",
        "removed" => "Removed.",
        "saved" => "Saved.",
        "set" => "Set. It counts from the next deployment on.",
        "unset" => "Unset. It counts from the next deployment on.",
        "cancelling" => "Asked to stop.",
        "enabled" => "Enabled.",
        "disabled" => "Disabled everywhere.",
        "moved" => {
            let place: usize = query.text("to").parse().ok()?;
            return Some(format!("Moved to place {place}."));
        }
        _ => return None,
    };
    Some(text.to_owned())
}
