//! `…/settings` of an environment, and a new environment: the settings that are
//! a few words each. Processes, build and plugins have their places elsewhere,
//! and stay as they are.

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use serde_json::{Map, Value, json};
use shipway_core::environment::{EnvironmentKey, QueuePolicy, RuntimeKind};
use shipway_core::name::{AppName, EnvironmentName};
use shipway_core::token::Scope;

use super::{Done, Page, Question, back, below};
use crate::access::{Admin, Read};
use crate::console::fields::{Fields, Posted};
use crate::console::part::form::{choice, line, lines, number, word, wrong};
use crate::console::part::{at, may, tabs};
use crate::console::session::{Signed, Visitor};
use crate::console::shell::{Place, Shell, form_token};
use crate::extract::{Body, PathOf};
use crate::patch::Patch;
use crate::problem::{Kind, Problem};
use crate::route::environment;
use crate::state::ApiState;
use crate::wire::environment::{EnvironmentPatch, EnvironmentSettings, NewEnvironment};

pub async fn show(
    State(state): State<ApiState>,
    signed: Signed<Read>,
    PathOf(key): PathOf<EnvironmentKey>,
    query: Fields,
) -> Page {
    let place = PathOf(key.clone());
    let found = environment::get_environment(State(state), signed.may.clone(), place).await?;
    let Json(environment) = found;
    let written = Written::of(&environment.settings);
    let page = Form::Changing(&key).page(&signed.visitor, &written, None, &query);
    Ok(page)
}

pub async fn change(
    State(state): State<ApiState>,
    PathOf(key): PathOf<EnvironmentKey>,
    Posted { signed, fields }: Posted<Admin>,
) -> Response {
    let (may, place) = (signed.may.clone(), PathOf(key.clone()));
    let done = async {
        let patch = Body(patch(&fields)?);
        environment::update_environment(State(state), may, place, patch).await
    };
    match done.await {
        Ok(_) => back(&at(&key, "/settings"), "set").into_response(),
        Err(problem) => Form::Changing(&key).refused(&signed.visitor, &fields, &problem),
    }
}

pub async fn fresh(
    State(state): State<ApiState>,
    PathOf(app): PathOf<AppName>,
    signed: Signed<Admin>,
    query: Fields,
) -> Page {
    state.app(&app).await?;
    let written = Written {
        runtime: word(state.default_runtime),
        ..Written::default()
    };
    Ok(Form::Making(&app).page(&signed.visitor, &written, None, &query))
}

pub async fn create(
    State(state): State<ApiState>,
    PathOf(app): PathOf<AppName>,
    Posted { signed, fields }: Posted<Admin>,
) -> Response {
    let (may, place) = (signed.may.clone(), PathOf(app.clone()));
    let done = async {
        let name: EnvironmentName = fields.parse("name")?;
        let new = NewEnvironment {
            name: name.clone(),
            settings: patch(&fields)?,
        };
        let _ = environment::create_environment(State(state), may, place, Body(new)).await?;
        Ok(name)
    };
    match done.await {
        Ok(environment) => {
            back(&at(&EnvironmentKey { app, environment }, ""), "made").into_response()
        }
        Err(problem) => Form::Making(&app).refused(&signed.visitor, &fields, &problem),
    }
}

pub async fn ask_to_delete(PathOf(key): PathOf<EnvironmentKey>, signed: Signed<Admin>) -> Page {
    let (action, no) = (at(&key, "/delete"), at(&key, "/settings"));
    let question = Question {
        action: &action,
        yes: "Delete it",
        no: &no,
        fields: html! {},
    };
    let body = html! {
        h1 { "Delete " (key) }
        p {
            "What runs in " (key) " is stopped: its instances get their time to finish, and nobody
            answers at its domains any more. Its variables, release commands, deployments and logs
            are deleted. The repository stays as it is."
        }
        (question.form(&signed.visitor))
    };
    let title = format!("Delete {key}");
    Ok(below(&signed.visitor, &key, &title).page(&body))
}

pub async fn delete(
    State(state): State<ApiState>,
    PathOf(key): PathOf<EnvironmentKey>,
    Posted { signed, .. }: Posted<Admin>,
) -> Done {
    environment::delete_environment(State(state), signed.may, PathOf(key.clone())).await?;
    Ok(back(&format!("/apps/{}", key.app), "deleted"))
}

/// What the form shows, as text.
#[derive(Debug, Default)]
struct Written {
    name: String,
    runtime: String,
    reference: String,
    domains: String,
    services: String,
    volumes: String,
    memory: String,
    cpu: String,
    queue: String,
    drain: String,
    keep_failed: String,
}

impl Written {
    fn of(settings: &EnvironmentSettings) -> Self {
        let services = settings.services.iter();
        let services = services.map(|one| match one.timeout_seconds {
            5 => format!("{} {}", one.name, one.url),
            seconds => format!("{} {} {seconds}", one.name, one.url),
        });
        let volumes = settings.volumes.iter();
        let volumes = volumes.map(|one| format!("{} {}", one.name, one.path));
        let given = |number: Option<u32>| number.map(|n| n.to_string()).unwrap_or_default();
        Self {
            name: String::new(),
            runtime: word(settings.runtime),
            reference: settings.reference.clone().unwrap_or_default(),
            domains: joined(settings.domains.iter().map(ToString::to_string)),
            services: joined(services),
            volumes: joined(volumes),
            memory: given(settings.limits.memory_mib),
            cpu: given(settings.limits.cpu_millis),
            queue: word(settings.queue),
            drain: settings.drain_seconds.to_string(),
            keep_failed: settings.keep_failed_seconds.to_string(),
        }
    }

    fn again(fields: &Fields) -> Self {
        let text = |name: &str| fields.text(name).to_owned();
        Self {
            name: text("name"),
            runtime: text("runtime"),
            reference: text("reference"),
            domains: text("domains"),
            services: text("services"),
            volumes: text("volumes"),
            memory: text("memory"),
            cpu: text("cpu"),
            queue: text("queue"),
            drain: text("drain"),
            keep_failed: text("keep-failed"),
        }
    }
}

fn joined(lines: impl Iterator<Item = String>) -> String {
    lines.collect::<Vec<_>>().join("\n")
}

/// What the API takes; a field that is left empty goes back to its default.
fn patch(fields: &Fields) -> Result<EnvironmentPatch, Problem> {
    let number = |name| fields.parse_given::<u32>(name);
    let runtime: RuntimeKind = fields.word("runtime")?;
    let queue: QueuePolicy = fields.word("queue")?;
    let changes = json!({
        "runtime": runtime,
        "reference": fields.given("reference"),
        "domains": words(fields, "domains").concat(),
        "services": each_line(fields, "services", service)?,
        "volumes": each_line(fields, "volumes", volume)?,
        "limits": {"memory_mib": number("memory")?, "cpu_millis": number("cpu")?},
        "queue": queue,
        "drain_seconds": number("drain")?,
        "keep_failed_seconds": number("keep-failed")?,
    });
    let changes: Map<String, Value> = changes.as_object().cloned().unwrap_or_default();
    Ok(Patch::from(changes))
}

/// The words of each line that has some.
fn words<'a>(fields: &'a Fields, name: &str) -> Vec<Vec<&'a str>> {
    let lines = fields.text(name).lines();
    let words = lines.map(|line| line.split_whitespace().collect::<Vec<_>>());
    words.filter(|words| !words.is_empty()).collect()
}

fn each_line(
    fields: &Fields,
    name: &str,
    read: impl Fn(&[&str]) -> Result<Value, &'static str>,
) -> Result<Vec<Value>, Problem> {
    let read = |words: Vec<&str>| {
        read(&words).map_err(|hint| {
            let detail = format!("{name}: \"{}\" cannot be read", words.join(" "));
            Problem::new(Kind::InvalidSetting, detail).with_hint(hint)
        })
    };
    words(fields, name).into_iter().map(read).collect()
}

fn service(words: &[&str]) -> Result<Value, &'static str> {
    const HINT: &str = "write a name, a URL, and perhaps the seconds that it may take to answer: \
                        `database $DATABASE_URL 10`";
    match words {
        [name, url] => Ok(json!({"name": name, "url": url})),
        [name, url, seconds] => {
            let seconds: u32 = seconds.parse().map_err(|_| HINT)?;
            Ok(json!({"name": name, "url": url, "timeout_seconds": seconds}))
        }
        _ => Err(HINT),
    }
}

fn volume(words: &[&str]) -> Result<Value, &'static str> {
    match words {
        [name, path] => Ok(json!({"name": name, "path": path})),
        _ => Err("write a name and an absolute path: `uploads /app/media`"),
    }
}

/// The form of settings that are there, or of an environment that is not yet.
enum Form<'a> {
    Changing(&'a EnvironmentKey),
    Making(&'a AppName),
}

impl Form<'_> {
    fn refused(&self, visitor: &Visitor, fields: &Fields, problem: &Problem) -> Response {
        let written = Written::again(fields);
        let page = self.page(visitor, &written, Some(problem), &Fields::default());
        (problem.kind.status(), page).into_response()
    }

    fn page(
        &self,
        visitor: &Visitor,
        written: &Written,
        problem: Option<&Problem>,
        query: &Fields,
    ) -> Markup {
        match self {
            Self::Changing(key) => changing(visitor, key, written, problem, query),
            Self::Making(app) => making(visitor, app, written, problem),
        }
    }
}

fn changing(
    visitor: &Visitor,
    key: &EnvironmentKey,
    written: &Written,
    problem: Option<&Problem>,
    query: &Fields,
) -> Markup {
    let may_change = may(visitor, Scope::Admin, key);
    let body = html! {
        h1 { (key) }
        (tabs(key, "/settings"))
        h2 { "Settings" }
        p.note {
            "They count from the next deployment on. What is empty is left to the commit's "
            code { "shipway.toml" } ", then to the defaults. Processes and the build are set there, or with "
            code { "shipway env set" } "."
        }
        (wrong(problem))
        form.narrow method="post" action=(at(key, "/settings")) {
            fieldset disabled[!may_change] {
                legend.hidden { "Settings of " (key) }
                (form_token(visitor))
                (all_fields(written))
                @if may_change { p.buttons { button type="submit" { "Save" } } }
            }
        }
        @if may_change {
            p { a.button.plain href=(at(key, "/delete")) { "Delete this environment" } }
        }
    };
    let title = format!("Settings of {key}");
    below(visitor, key, &title).telling(query).page(&body)
}

fn making(
    visitor: &Visitor,
    app: &AppName,
    written: &Written,
    problem: Option<&Problem>,
) -> Markup {
    let path = format!("/apps/{app}");
    let body = html! {
        section.narrow {
            h1 { "New environment of " (app) }
            (wrong(problem))
            form method="post" action={ (path) "/new-environment" } {
                (form_token(visitor))
                p.field {
                    label for="name" { "Name" }
                    input #name name="name" required maxlength="40" value=(written.name)
                        autocomplete="off" autocapitalize="off" spellcheck="false";
                }
                (all_fields(written))
                p.buttons {
                    button type="submit" { "Make it" }
                    a.button.plain href=(path) { "Leave it" }
                }
            }
        }
    };
    let title = format!("New environment of {app}");
    let shell = Shell::new(visitor, Place::Apps, &title).below("Apps", "/");
    shell.below(app.to_string(), path.clone()).page(&body)
}

fn all_fields(written: &Written) -> Markup {
    html! {
        (choice("runtime", "Runtime", &written.runtime, &RUNTIMES))
        (line("reference", "Deploys", &written.reference, "A branch, tag or commit; the app's when empty."))
        (lines("domains", "Domains", &written.domains, "One a line, as in shop.example.com or *.example.com."))
        (lines("services", "Services", &written.services,
            "One a line: a name and a URL, which may name a variable, as in database $DATABASE_URL. Probed before anything else."))
        (lines("volumes", "Volumes", &written.volumes,
            "One a line: a name and an absolute path, as in uploads /app/media."))
        (number("memory", "Memory of each instance, in MiB", &written.memory, "No limit when empty."))
        (number("cpu", "Processor of each instance, in thousandths of a core", &written.cpu, "No limit when empty."))
        (choice("queue", "Deployments that come while one runs", &written.queue, &QUEUES))
        (number("drain", "Seconds for requests of the old version", &written.drain, "30 when empty."))
        (number("keep-failed", "Seconds that what failed is kept for a look inside", &written.keep_failed,
            "An hour when empty; 0 keeps nothing."))
    }
}

const RUNTIMES: [(&str, &str); 2] = [
    ("process", "process: supervised programs of this machine"),
    (
        "docker",
        "docker: containers of this machine's Docker engine",
    ),
];

const QUEUES: [(&str, &str); 3] = [
    (
        "latest-wins",
        "the newest waits, and replaces an older one that waits",
    ),
    ("queue", "all wait, in order"),
    ("reject", "are refused"),
];
