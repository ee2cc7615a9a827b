//! `/apps/{app}/webhooks`: which pushes to a Git host deploy.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use http::header::HOST;
use http::{HeaderMap, StatusCode};
use maud::{Markup, html};
use shipway_core::name::{AppName, WebhookId};
use shipway_core::token::Scope;
use shipway_core::webhook::{ReferenceKind, Rule};

use super::{Done, Page, Question, back};
use crate::access::{Admin, Read};
use crate::audit::Note;
use crate::console::fields::{Fields, Posted};
use crate::console::part::form::{choice, line, lines, wrong};
use crate::console::part::with_query;
use crate::console::part::words::moment;
use crate::console::session::{Signed, Visitor, is_secure};
use crate::console::shell::{Place, Shell, form_token};
use crate::extract::{Body, PathOf};
use crate::problem::{Kind, Problem};
use crate::route::webhook::{self, OneWebhook};
use crate::state::ApiState;
use crate::wire::webhook::{CreatedWebhook, NewWebhook, Webhook};
use crate::words::where_to_enter;

const PROVIDERS: [(&str, &str); 5] = [
    ("github", "GitHub"),
    ("gitlab", "GitLab"),
    ("gitea", "Gitea or Forgejo"),
    ("bitbucket", "Bitbucket"),
    ("plain", "Anything that signs as Standard Webhooks says"),
];

/// What the form shows, as text.
#[derive(Debug, Default)]
struct Written {
    provider: String,
    branches: String,
    tags: String,
    repository: String,
}

impl Written {
    fn again(fields: &Fields) -> Self {
        let text = |name: &str| fields.text(name).to_owned();
        Self {
            provider: text("provider"),
            branches: text("branches"),
            tags: text("tags"),
            repository: text("repository"),
        }
    }
}

pub async fn show(
    State(state): State<ApiState>,
    signed: Signed<Read>,
    PathOf(app): PathOf<AppName>,
    query: Fields,
) -> Page {
    let here = State(state.clone());
    let Json(found) = webhook::list_webhooks(here, signed.may, PathOf(app.clone())).await?;
    let may_change = signed.visitor.caller.may(Scope::Admin, &app).is_ok();
    let now = state.clock.now();
    let body = html! {
        h1 { "Webhooks of " (app) }
        p.note { "A Git host tells of each push; the pushes that a rule names deploy." }
        @if found.items.is_empty() { p.nothing { "No webhooks yet." } }
        ul.settings {
            @for one in &found.items {
                li {
                    span.name { (one.provider) }
                    span.value {
                        (rules(one)) "; made " (moment(one.created_at, now))
                        @if let Some(repository) = &one.repository { "; for " code { (repository) } }
                        " " code { (one.path) }
                    }
                    @if may_change { (remove_button(&app, one)) }
                }
            }
        }
        @if may_change { (form(&signed.visitor, &app, &Written::default())) }
    };
    let title = format!("Webhooks of {app}");
    let shell = below(&signed.visitor, &app, &title);
    Ok(shell.telling(&query).page(&body))
}

fn rules(webhook: &Webhook) -> String {
    let rules: Vec<String> = webhook.rules.iter().map(Rule::to_string).collect();
    rules.join(", ")
}

fn remove_button(app: &AppName, webhook: &Webhook) -> Markup {
    let path = format!("/apps/{app}/webhooks/remove");
    let remove = with_query(&path, &[("webhook", webhook.id.as_str())]);
    let label = format!(
        "Remove the webhook of {}, {}",
        webhook.provider,
        rules(webhook)
    );
    html! { span.buttons { a.button.plain href=(remove) aria-label=(label) { "Remove" } } }
}

fn form(visitor: &Visitor, app: &AppName, written: &Written) -> Markup {
    html! {
        section.card aria-labelledby="new-title" {
            h2 #new-title { "New webhook" }
            form method="post" action={ "/apps/" (app) "/webhooks" } {
                (form_token(visitor))
                (choice("provider", "Git host", &written.provider, &PROVIDERS))
                (lines("branches", "Branches", &written.branches,
                    "main=live: what is pushed to main deploys to live. One a line; release/* fits each branch below release/."))
                (lines("tags", "Tags", &written.tags, "The same for tags, such as v*=live."))
                (line("repository", "Repository", &written.repository,
                    "Its address at the Git host, where the app deploys from another."))
                p.buttons { button type="submit" { "Make it" } }
            }
        }
    }
}

pub async fn create(
    State(state): State<ApiState>,
    PathOf(app): PathOf<AppName>,
    headers: HeaderMap,
    note: Note,
    Posted { signed, fields }: Posted<Admin>,
) -> Response {
    let made = async {
        let new = asked(&fields)?;
        let (here, place) = (State(state.clone()), PathOf(app.clone()));
        webhook::create_webhook(here, signed.may, place, note, Body(new)).await
    };
    match made.await {
        Ok((status, Json(made))) => {
            let address = address(&state, &headers, &made.kept.path);
            let page = shown_once(&signed.visitor, &app, &made, &address);
            (status, page).into_response()
        }
        Err(problem) => {
            let written = Written::again(&fields);
            let page = refused(&signed.visitor, &app, &written, &problem);
            (problem.kind.status(), page).into_response()
        }
    }
}

fn asked(fields: &Fields) -> Result<NewWebhook, Problem> {
    let mut rules = rules_in(fields, "branches", ReferenceKind::Branch)?;
    rules.extend(rules_in(fields, "tags", ReferenceKind::Tag)?);
    Ok(NewWebhook {
        provider: fields.word("provider")?,
        rules,
        repository: fields.given("repository").map(str::to_owned),
        secret: None,
    })
}

fn rules_in(fields: &Fields, name: &str, kind: ReferenceKind) -> Result<Vec<Rule>, Problem> {
    let written = fields.text(name).lines().map(str::trim);
    let rules = written.filter(|line| !line.is_empty()).map(|line| {
        let wrong = |why: String| Problem::new(Kind::InvalidSetting, format!("{name}: {why}"));
        let pair = line.rsplit_once('=');
        let (pattern, environment) =
            pair.ok_or_else(|| wrong(format!("{line:?} is no rule such as main=live")))?;
        Rule::of(kind, pattern.trim(), environment.trim()).map_err(|error| wrong(error.to_string()))
    });
    rules.collect()
}

/// Where a Git host reaches this engine, as far as the browser's own way tells.
fn address(state: &ApiState, headers: &HeaderMap, path: &str) -> String {
    let scheme = match is_secure(state, headers) {
        true => "https",
        false => "http",
    };
    let host = headers.get(HOST).and_then(|host| host.to_str().ok());
    let authority = state.console().authority().or(host).unwrap_or_default();
    format!("{scheme}://{authority}{path}")
}

fn shown_once(visitor: &Visitor, app: &AppName, made: &CreatedWebhook, address: &str) -> Markup {
    let body = html! {
        section.narrow {
            h1 { "Webhook of " (made.kept.provider) }
            p { "Enter both at " (where_to_enter(made.kept.provider)) ". The secret is shown this once." }
            h2 { "Address" }
            pre #made-address { (address) }
            h2 { "Secret" }
            pre #made-secret { (made.secret.reveal()) }
            p.buttons { a.button href={ "/apps/" (app) "/webhooks" } { "I have them" } }
        }
    };
    below_webhooks(visitor, app, "New webhook").page(&body)
}

fn refused(visitor: &Visitor, app: &AppName, written: &Written, problem: &Problem) -> Markup {
    let body = html! {
        h1 { "Webhooks of " (app) }
        (wrong(Some(problem)))
        (form(visitor, app, written))
    };
    below_webhooks(visitor, app, "New webhook").page(&body)
}

pub async fn ask_to_remove(
    State(state): State<ApiState>,
    PathOf(app): PathOf<AppName>,
    signed: Signed<Admin>,
    query: Fields,
) -> Page {
    let id: WebhookId = query.parse("webhook")?;
    let found = state.store.webhook(&id).await?;
    let found = found.filter(|found| found.app == app).map(Webhook::from);
    let detail = format!("app {app} has no webhook {id}");
    let found = found.ok_or_else(|| Problem::new(Kind::NotFound, detail))?;
    let (action, no) = (
        format!("/apps/{app}/webhooks/remove"),
        format!("/apps/{app}/webhooks"),
    );
    let question = Question {
        action: &action,
        yes: "Remove it",
        no: &no,
        fields: html! { input type="hidden" name="webhook" value=(id); },
    };
    let body = html! {
        h1 { "Remove the webhook of " (found.provider) }
        p { "What is sent to it is refused from now on. It deployed " (rules(&found)) "." }
        (question.form(&signed.visitor))
    };
    Ok(below_webhooks(&signed.visitor, &app, "Remove a webhook").page(&body))
}

pub async fn remove(
    State(state): State<ApiState>,
    PathOf(app): PathOf<AppName>,
    note: Note,
    Posted { signed, fields }: Posted<Admin>,
) -> Done {
    let webhook: WebhookId = fields.parse("webhook")?;
    note.name(webhook.as_str());
    let place = PathOf(OneWebhook {
        app: app.clone(),
        webhook,
    });
    let _: StatusCode = webhook::delete_webhook(State(state), signed.may, place).await?;
    Ok(back(&format!("/apps/{app}/webhooks"), "removed"))
}

fn below<'a>(visitor: &'a Visitor, app: &AppName, title: &'a str) -> Shell<'a> {
    let shell = Shell::new(visitor, Place::Apps, title).below("Apps", "/");
    shell.below(app.to_string(), format!("/apps/{app}"))
}

fn below_webhooks<'a>(visitor: &'a Visitor, app: &AppName, title: &'a str) -> Shell<'a> {
    below(visitor, app, title).below("Webhooks", format!("/apps/{app}/webhooks"))
}
