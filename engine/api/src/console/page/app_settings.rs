//! `/new-app`, and `/apps/{app}/settings`: where an app comes from.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use shipway_core::app::PUSHED;
use shipway_core::name::AppName;

use super::{Done, Page, Question, back};
use crate::access::Admin;
use crate::console::fields::{Fields, Posted};
use crate::console::part::form::{line, wrong};
use crate::console::session::{Signed, Visitor};
use crate::console::shell::{Place, Shell, form_token};
use crate::extract::{Body, PathOf};
use crate::problem::Problem;
use crate::route::app;
use crate::state::ApiState;
use crate::wire::app::{AppPatch, NewApp};

/// What the form shows, as text.
#[derive(Debug, Default)]
struct Written {
    name: String,
    repository: String,
    reference: String,
}

impl Written {
    fn again(fields: &Fields) -> Self {
        let text = |name: &str| fields.text(name).to_owned();
        Self {
            name: text("name"),
            repository: text("repository"),
            reference: text("reference"),
        }
    }
}

pub async fn fresh(signed: Signed<Admin>) -> Page {
    Ok(new_page(&signed.visitor, &Written::default(), None))
}

pub async fn create(
    State(state): State<ApiState>,
    Posted { signed, fields }: Posted<Admin>,
) -> Response {
    let done = async {
        let name: AppName = fields.parse("name")?;
        let new = NewApp {
            name: name.clone(),
            repository: fields.given("repository").unwrap_or(PUSHED).to_owned(),
            default_reference: fields.given("reference").map(str::to_owned),
            credentials: None,
            mirror_of: None,
        };
        let _ = app::create_app(State(state), signed.may, Body(new)).await?;
        Ok::<_, Problem>(name)
    };
    match done.await {
        Ok(name) => back(&format!("/apps/{name}"), "made").into_response(),
        Err(problem) => {
            let page = new_page(&signed.visitor, &Written::again(&fields), Some(&problem));
            (problem.kind.status(), page).into_response()
        }
    }
}

fn new_page(visitor: &Visitor, written: &Written, problem: Option<&Problem>) -> Markup {
    let body = html! {
        section.narrow {
            h1 { "New app" }
            (wrong(problem))
            form method="post" action="/new-app" {
                (form_token(visitor))
                p.field {
                    label for="name" { "Name" }
                    input #name name="name" required maxlength="40" value=(written.name)
                        autocomplete="off" autocapitalize="off" spellcheck="false";
                }
                (fields_of(written))
                p.note {
                    "A repository that asks for a password or a key is given it with "
                    code { "shipway app set" } "."
                }
                p.buttons {
                    button type="submit" { "Make it" }
                    a.button.plain href="/" { "Leave it" }
                }
            }
        }
    };
    let shell = Shell::new(visitor, Place::Apps, "New app");
    shell.below("Apps", "/").page(&body)
}

fn fields_of(written: &Written) -> Markup {
    html! {
        (line("repository", "Repository", &written.repository,
            "https://…, ssh://…, user@host:path or a path of this machine; when empty, the app is pushed to this engine."))
        (line("reference", "Deploys", &written.reference, "A branch, tag or commit; main when empty."))
    }
}

pub async fn show(
    State(state): State<ApiState>,
    signed: Signed<Admin>,
    PathOf(name): PathOf<AppName>,
    query: Fields,
) -> Page {
    let app = state.app(&name).await?;
    let written = Written {
        name: name.to_string(),
        repository: app.repository.url,
        reference: app.repository.default_reference,
    };
    Ok(page(&signed.visitor, &name, &written, None, &query))
}

pub async fn change(
    State(state): State<ApiState>,
    PathOf(name): PathOf<AppName>,
    Posted { signed, fields }: Posted<Admin>,
) -> Response {
    let patch = AppPatch {
        repository: fields.given("repository").map(str::to_owned),
        default_reference: fields.given("reference").map(str::to_owned),
        ..AppPatch::default()
    };
    let place = PathOf(name.clone());
    match app::update_app(State(state), signed.may, place, Body(patch)).await {
        Ok(Json(_)) => back(&format!("/apps/{name}/settings"), "saved").into_response(),
        Err(problem) => {
            let written = Written::again(&fields);
            let query = Fields::default();
            let page = page(&signed.visitor, &name, &written, Some(&problem), &query);
            (problem.kind.status(), page).into_response()
        }
    }
}

fn page(
    visitor: &Visitor,
    name: &AppName,
    written: &Written,
    problem: Option<&Problem>,
    query: &Fields,
) -> Markup {
    let body = html! {
        section.narrow {
            h1 { "Settings of " (name) }
            (wrong(problem))
            form method="post" action={ "/apps/" (name) "/settings" } {
                (form_token(visitor))
                (fields_of(written))
                p.buttons { button type="submit" { "Save" } }
            }
            p { a.button.plain href={ "/apps/" (name) "/delete" } { "Delete this app" } }
        }
    };
    let title = format!("Settings of {name}");
    let shell = below(visitor, name, &title);
    shell.telling(query).page(&body)
}

pub async fn ask_to_delete(signed: Signed<Admin>, PathOf(name): PathOf<AppName>) -> Page {
    let (action, no) = (
        format!("/apps/{name}/delete"),
        format!("/apps/{name}/settings"),
    );
    let question = Question {
        action: &action,
        yes: "Delete it",
        no: &no,
        fields: html! {},
    };
    let body = html! {
        h1 { "Delete " (name) }
        p {
            "Everything that runs of " (name) " is stopped, in all of its environments, and nobody
            answers at their domains any more. Its settings, deployments and logs are deleted, and
            what was pushed to this engine. A repository elsewhere stays as it is."
        }
        (question.form(&signed.visitor))
    };
    let title = format!("Delete {name}");
    Ok(below(&signed.visitor, &name, &title).page(&body))
}

pub async fn delete(
    State(state): State<ApiState>,
    PathOf(name): PathOf<AppName>,
    Posted { signed, .. }: Posted<Admin>,
) -> Done {
    app::delete_app(State(state), signed.may, PathOf(name)).await?;
    Ok(back("/", "deleted"))
}

fn below<'a>(visitor: &'a Visitor, name: &AppName, title: &'a str) -> Shell<'a> {
    let shell = Shell::new(visitor, Place::Apps, title).below("Apps", "/");
    shell.below(name.to_string(), format!("/apps/{name}"))
}
