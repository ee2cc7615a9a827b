//! The description of the API for people: a page for each subject, with
//! parameters, bodies, examples that `curl` takes, and every shape they use.
//! Made once from the same description that `/openapi.json` gives to programs,
//! and shown to whoever asks.

mod operation;
mod shape;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use maud::{Markup, html};
use serde_json::Value;

use self::operation::Operation;
use self::shape::Shapes;
use crate::console::shell;
use crate::problem::{Kind, Problem};
use crate::state::ApiState;

/// Where the pages stand.
pub const PATH: &str = "/docs";

/// All pages, by the last part of their path.
#[derive(Debug)]
struct Reference {
    first: Markup,
    pages: BTreeMap<String, Markup>,
}

/// The pages of a whole description.
pub(crate) fn router(description: &Value) -> Router<ApiState> {
    let reference = Arc::new(Reference::of(description));
    let first = reference.clone();
    Router::new()
        .route(PATH, get(move || async move { first.first.clone() }))
        .route(
            &format!("{PATH}/{{subject}}"),
            get(move |Path(subject): Path<String>| async move {
                let page = reference.pages.get(&subject).cloned();
                page.ok_or_else(|| nothing_about(&subject))
            }),
        )
}

fn nothing_about(subject: &str) -> Problem {
    let subject: String = subject.chars().take(40).collect();
    let detail = format!("the API has nothing about {subject:?}");
    Problem::new(Kind::UnknownRoute, detail).with_hint(format!("{PATH} lists its subjects"))
}

impl Reference {
    fn of(description: &Value) -> Self {
        let shapes = Shapes::of(description);
        let subjects = by_subject(description);
        let page = |(subject, operations): (&String, &Vec<Operation<'_>>)| {
            let body = about(subject, operations, &shapes);
            (slug(subject), shell::open(&title(subject), &body))
        };
        Self {
            first: shell::open("API", &contents(&subjects, &shapes)),
            pages: subjects.iter().map(page).collect(),
        }
    }
}

fn by_subject(description: &Value) -> BTreeMap<String, Vec<Operation<'_>>> {
    let mut subjects: BTreeMap<String, Vec<Operation<'_>>> = BTreeMap::new();
    let paths = description["paths"].as_object().into_iter().flatten();
    for (path, item) in paths {
        for (method, told) in item.as_object().into_iter().flatten() {
            let subject = told["tags"][0].as_str().unwrap_or("other").to_owned();
            let operation = Operation::new(method, path, told);
            subjects.entry(subject).or_default().push(operation);
        }
    }
    subjects
}

fn contents(subjects: &BTreeMap<String, Vec<Operation<'_>>>, shapes: &Shapes<'_>) -> Markup {
    let refused = shapes.with("Problem");
    html! {
        h1 { "API" }
        p {
            "Every request, with examples that a test sends to a real engine. Programs read "
            a href="/openapi.json" { "/openapi.json" }
            ", from which clients can be generated."
        }
        p {
            "In the examples, " code { "$SHIPWAY_SERVER" } " is where the engine answers, and "
            code { "$SHIPWAY_TOKEN" } " a token from " code { "shipway token create" }
            ". Whatever is refused is a problem (RFC 9457) with a stable " code { "type" } "."
        }
        @for (subject, operations) in subjects {
            section.card {
                h2 { a href=(path_of(subject)) { (title(subject)) } }
                ul.places {
                    @for operation in operations {
                        li { (operation.line(&path_of(subject))) }
                    }
                }
            }
        }
        h2 { "What is refused" }
        @for name in refused { (shapes.section(name)) }
    }
}

fn about(subject: &str, operations: &[Operation<'_>], shapes: &Shapes<'_>) -> Markup {
    let used = shapes.used_by(operations.iter().map(|operation| operation.told));
    html! {
        nav.way aria-label="Way here" { ol { li { a href=(PATH) { "API" } } } }
        h1 { (title(subject)) }
        ul.places {
            @for operation in operations { li { (operation.line("")) } }
        }
        @for operation in operations { (operation.section(shapes)) }
        @if !used.is_empty() {
            h2 { "Shapes" }
            @for name in used { (shapes.section(name)) }
        }
    }
}

fn title(subject: &str) -> String {
    let mut letters = subject.chars();
    let first = letters.next().map(|first| first.to_ascii_uppercase());
    first.into_iter().chain(letters).collect()
}

fn slug(subject: &str) -> String {
    subject.replace(' ', "-")
}

fn path_of(subject: &str) -> String {
    format!("{PATH}/{}", slug(subject))
}
