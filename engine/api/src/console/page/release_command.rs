//! One release command: a form to add it or to change it. What was written
//! comes back when it does not fit.

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use shipway_core::environment::EnvironmentKey;
use shipway_core::name::Label;
use shipway_core::release::{CancelPolicy, Invocation, Phase, SettingsCommand, When};

use super::release_commands::one;
use super::{Page, back, below};
use crate::access::Admin;
use crate::console::fields::{Fields, Posted};
use crate::console::part::form::{choice, word, wrong};
use crate::console::part::{at, words};
use crate::console::session::{Signed, Visitor};
use crate::console::shell::form_token;
use crate::extract::{Body, PathOf};
use crate::problem::{Kind, Problem};
use crate::route::release_command;
use crate::state::ApiState;
use crate::wire::release_command::NewCommand;

/// What the form shows, as text.
#[derive(Debug, Default)]
struct Written {
    label: String,
    run: String,
    run_as: String,
    phase: String,
    timeout: String,
    when: String,
    cancel: bool,
    undo: String,
    undo_as: String,
}

pub async fn fresh(PathOf(key): PathOf<EnvironmentKey>, signed: Signed<Admin>) -> Page {
    Ok(Form::adding(&key).page(&signed.visitor, &Written::default(), None))
}

pub async fn edit(
    State(state): State<ApiState>,
    PathOf(key): PathOf<EnvironmentKey>,
    signed: Signed<Admin>,
    query: Fields,
) -> Page {
    let label: Label = query.parse("label")?;
    let environment = state.environment(&key).await?;
    let mut commands = environment.release_commands.iter();
    let command = commands.find(|one| one.label == label).ok_or_else(|| {
        let detail = format!("there is no release command {:?}", label.as_str());
        Problem::new(Kind::NotFound, detail)
    })?;
    let written = Written::of(command);
    Ok(Form::changing(&key, &label).page(&signed.visitor, &written, None))
}

pub async fn add(
    State(state): State<ApiState>,
    PathOf(key): PathOf<EnvironmentKey>,
    Posted { signed, fields }: Posted<Admin>,
) -> Response {
    let (may, place) = (signed.may.clone(), PathOf(key.clone()));
    let done = async {
        let command = Body(command(&fields)?);
        release_command::add_release_command(State(state), may, place, command).await
    };
    let form = Form::adding(&key);
    form.answer(&signed.visitor, &fields, done.await.err(), "added")
}

pub async fn replace(
    State(state): State<ApiState>,
    PathOf(key): PathOf<EnvironmentKey>,
    Posted { signed, fields }: Posted<Admin>,
) -> Response {
    let label: Label = match fields.parse("old") {
        Ok(label) => label,
        Err(problem) => return problem.into_response(),
    };
    let (may, place) = (signed.may.clone(), PathOf(one(&key, label.clone())));
    let done = async {
        let command = Body(command(&fields)?);
        release_command::replace_release_command(State(state), may, place, command).await
    };
    let form = Form::changing(&key, &label);
    form.answer(&signed.visitor, &fields, done.await.err(), "saved")
}

fn command(fields: &Fields) -> Result<NewCommand, Problem> {
    let run = invocation(fields, "run")?;
    let missing = || Problem::new(Kind::InvalidSetting, "run: the command is empty");
    Ok(NewCommand {
        label: fields.parse("label")?,
        run: run.ok_or_else(missing)?,
        phase: fields.word("phase")?,
        timeout_seconds: fields.parse_given("timeout")?,
        when: fields.word("when")?,
        cancel: match fields.is_on("cancel") {
            true => CancelPolicy::Never,
            false => CancelPolicy::Allowed,
        },
        undo: invocation(fields, "undo")?,
        position: None,
    })
}

/// A line for the shell as it was written, or a list in JSON.
fn invocation(fields: &Fields, name: &str) -> Result<Option<Invocation>, Problem> {
    let text = fields.text(name);
    if text.trim().is_empty() {
        return Ok(None);
    }
    if fields.text(&format!("{name}-as")) != "list" {
        return Ok(Some(Invocation::Shell(text.to_owned())));
    }
    serde_json::from_str(text)
        .map(|argv| Some(Invocation::Argv(argv)))
        .map_err(|error| {
            let detail = format!("{name}: this is no list of arguments: {error}");
            Problem::new(Kind::InvalidSetting, detail)
                .with_hint(r#"write it as ["python3", "manage.py", "migrate"]"#)
        })
}

impl Written {
    fn of(command: &SettingsCommand) -> Self {
        let undo = command.undo.as_ref();
        Self {
            label: command.label.to_string(),
            run: words::run(&command.run),
            run_as: run_as(Some(&command.run)),
            phase: word(command.phase),
            timeout: command
                .timeout_seconds
                .map(|s| s.to_string())
                .unwrap_or_default(),
            when: word(command.when),
            cancel: command.cancel == CancelPolicy::Never,
            undo: undo.map(words::run).unwrap_or_default(),
            undo_as: run_as(undo),
        }
    }

    fn again(fields: &Fields) -> Self {
        let text = |name: &str| fields.text(name).to_owned();
        Self {
            label: text("label"),
            run: text("run"),
            run_as: text("run-as"),
            phase: text("phase"),
            timeout: text("timeout"),
            when: text("when"),
            cancel: fields.is_on("cancel"),
            undo: text("undo"),
            undo_as: text("undo-as"),
        }
    }
}

fn run_as(invocation: Option<&Invocation>) -> String {
    let list = matches!(invocation, Some(Invocation::Argv(_)));
    (if list { "list" } else { "shell" }).to_owned()
}

struct Form<'a> {
    key: &'a EnvironmentKey,
    action: String,
    /// The label of the one that is changed.
    old: Option<&'a Label>,
}

impl<'a> Form<'a> {
    fn adding(key: &'a EnvironmentKey) -> Self {
        Self {
            key,
            action: at(key, "/release-commands"),
            old: None,
        }
    }

    fn changing(key: &'a EnvironmentKey, label: &'a Label) -> Self {
        Self {
            key,
            action: at(key, "/release-commands/edit"),
            old: Some(label),
        }
    }

    fn answer(
        &self,
        visitor: &Visitor,
        fields: &Fields,
        problem: Option<Problem>,
        told: &str,
    ) -> Response {
        let Some(problem) = problem else {
            return back(&at(self.key, "/release-commands"), told).into_response();
        };
        let page = self.page(visitor, &Written::again(fields), Some(&problem));
        (problem.kind.status(), page).into_response()
    }

    fn page(&self, visitor: &Visitor, written: &Written, problem: Option<&Problem>) -> Markup {
        let title = match self.old {
            Some(label) => format!("Change {label}"),
            None => "Add a release command".to_owned(),
        };
        let body = html! {
            section.narrow {
                h1 { (title) }
                (wrong(problem))
                form method="post" action=(self.action) {
                    (form_token(visitor))
                    @if let Some(old) = self.old { input type="hidden" name="old" value=(old); }
                    (what(written))
                    (circumstances(written))
                    (undo(written))
                    p.buttons {
                        button type="submit" { @if self.old.is_some() { "Save" } @else { "Add" } }
                        a.button.plain href=(at(self.key, "/release-commands")) { "Leave it" }
                    }
                }
            }
        };
        let list = at(self.key, "/release-commands");
        below(visitor, self.key, &title)
            .below("Release commands", list)
            .page(&body)
    }
}

fn what(written: &Written) -> Markup {
    html! {
        p.field {
            label for="label" { "Label" }
            input #label name="label" required maxlength="200" value=(written.label) autocomplete="off";
        }
        p.field {
            label for="run" { "Command" }
            textarea #run name="run" rows="3" required spellcheck="false" autocapitalize="off" { "\n" (written.run) }
        }
        (choice("run-as", "It is", &written.run_as, &RUN_AS))
    }
}

const RUN_AS: [(&str, &str); 2] = [
    ("shell", "a script for the shell"),
    ("list", "a list of arguments in JSON, run without a shell"),
];

fn circumstances(written: &Written) -> Markup {
    let phases = Phase::ALL.map(|phase| (phase.as_str(), words::phase(phase)));
    let whens = [When::Always, When::FirstDeploy, When::Once].map(word);
    let [always, first, once] = whens.each_ref().map(String::as_str);
    let whens = [
        (always, "in every deployment"),
        (first, "in the first deployment only"),
        (once, "once per image"),
    ];
    html! {
        (choice("phase", "When in the deployment", &written.phase, &phases))
        (choice("when", "In which deployments", &written.when, &whens))
        p.field {
            label for="timeout" { "Limit in seconds" }
            input #timeout name="timeout" type="number" min="1" max="86400" value=(written.timeout)
                placeholder="1800" inputmode="numeric";
        }
        p.check {
            input #cancel type="checkbox" name="cancel" value="never" checked[written.cancel];
            label for="cancel" { "Never stop it: nobody may cancel the deployment while it runs" }
        }
    }
}

fn undo(written: &Written) -> Markup {
    html! {
        p.field {
            label for="undo" { "Undone by (if a later step fails; may be empty)" }
            textarea #undo name="undo" rows="2" spellcheck="false" autocapitalize="off" { "\n" (written.undo) }
        }
        (choice("undo-as", "The undo is", &written.undo_as, &RUN_AS))
    }
}
