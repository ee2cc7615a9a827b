//! `…/promote`: which environment's version comes here, and the button.

use axum::extract::State;
use maud::{Markup, html};
use shipway_core::environment::EnvironmentKey;
use shipway_core::journal::Serving;
use shipway_core::name::EnvironmentName;

use super::deploy::{plan_of, to_it, unknown};
use super::{Done, Page, Question, below, once, once_header};
use crate::access::Deploy;
use crate::console::fields::{Fields, Posted};
use crate::console::part::plan::{self, Commands};
use crate::console::part::{at, serving, with_query};
use crate::console::session::Signed;
use crate::extract::{Body, PathOf};
use crate::problem::{Kind, Problem};
use crate::route::deployment;
use crate::state::ApiState;
use crate::wire::deployment::NewPromotion;

pub async fn ask(
    State(state): State<ApiState>,
    signed: Signed<Deploy>,
    PathOf(key): PathOf<EnvironmentKey>,
    query: Fields,
) -> Page {
    state.environment(&key).await?;
    let title = format!("Promote to {key}");
    let shell = below(&signed.visitor, &key, &title);
    let body = match query.parse_given::<EnvironmentName>("from")? {
        Some(from) => confirm(&state, &signed, &key, from).await?,
        None => choose(&state, &key).await?,
    };
    Ok(shell.page(&body))
}

/// The environments of the app that something serves.
async fn choose(state: &ApiState, key: &EnvironmentKey) -> Page {
    let mut sources = Vec::new();
    for other in state.store.environments(&key.app).await? {
        let serves = state.store.serving(&other.key).await?;
        sources.extend(
            serves
                .filter(|_| other.key != *key)
                .map(|it| (other.key, it)),
        );
    }
    let to = at(key, "/promote");
    Ok(html! {
        h1 { "Promote to " (key) }
        p { "The very image that serves another environment is deployed here, by the settings of " (key) "." }
        @if sources.is_empty() { p.nothing { "Nothing serves another environment of this app." } }
        ul.places {
            @for (source, serves) in &sources {
                li {
                    a.name href=(with_query(&to, &[("from", source.environment.as_str())])) {
                        "From " (source.environment)
                    }
                    span.serves { (serving::what(Some(serves))) }
                }
            }
        }
    })
}

async fn confirm(
    state: &ApiState,
    signed: &Signed<Deploy>,
    key: &EnvironmentKey,
    from: EnvironmentName,
) -> Page {
    let source = EnvironmentKey {
        app: key.app.clone(),
        environment: from,
    };
    state.environment(&source).await?;
    let serves = state.store.serving(&source).await?;
    let serves = serves.ok_or_else(|| {
        let detail = format!("nothing serves {source}, so there is nothing to promote");
        Problem::new(Kind::NothingToDeploy, detail)
    })?;
    let planned = plan_of(state, &signed.may, key, serves.commit.as_str()).await;
    let now = state.store.serving(key).await?;
    let (action, no) = (at(key, "/promote"), at(key, ""));
    let question = Question {
        action: &action,
        yes: "Promote",
        no: &no,
        fields: html! {
            input type="hidden" name="from" value=(source.environment);
            (once()?)
        },
    };
    Ok(html! {
        h1 { "Promote " (source.environment) " to " (key.environment) }
        h2 { "What will happen" }
        (taken(&source, &serves))
        @match &planned {
            Ok(plan) => (plan::brief(plan, Commands::Run)),
            Err(problem) => (unknown(problem)),
        }
        (serving::meanwhile(now.as_ref()))
        (question.form(&signed.visitor))
    })
}

fn taken(source: &EnvironmentKey, serves: &Serving) -> Markup {
    html! {
        p {
            "Commit " code { (serves.commit.short()) } " and image " code { (serves.image.tag) }
            ", which serve " (source) ", are deployed as they are. Nothing is built. "
            "Variables, release commands and plugins are those of this environment."
        }
    }
}

pub async fn promote(
    State(state): State<ApiState>,
    PathOf(key): PathOf<EnvironmentKey>,
    Posted { signed, fields }: Posted<Deploy>,
) -> Done {
    let wish = NewPromotion {
        from: fields.parse("from")?,
    };
    let headers = once_header(&fields);
    let accepted =
        deployment::promote(State(state), signed.may, PathOf(key), headers, Body(wish)).await?;
    Ok(to_it(&accepted))
}
