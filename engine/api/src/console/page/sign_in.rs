//! `/sign-in` with a token or by OpenID Connect, and `/sign-out`.

use axum::extract::{Request, State};
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, StatusCode};
use maud::{Markup, html};
use shipway_core::session::Who;

use crate::access::token_with;
use crate::bearer::digest_of_token;
use crate::console::fields::{Fields, PostedBy, check_origin, read_form};
use crate::console::openid::OpenId;
use crate::console::part::with_query;
use crate::console::session::{Before, FORM_TOKEN, begin, end, forgotten};
use crate::console::shell;
use crate::problem::{Kind, Problem};
use crate::state::ApiState;

pub async fn show(
    State(state): State<ApiState>,
    headers: HeaderMap,
    query: Fields,
) -> Result<Response, Problem> {
    let before = Before::of_or_new(&state, &headers)?;
    let next = next_of(&query).to_owned();
    Ok((
        before.cookie(&state, &headers),
        form(&state, &before, &next, None),
    )
        .into_response())
}

pub async fn sign_in(State(state): State<ApiState>, request: Request) -> Result<Response, Problem> {
    let (parts, body) = request.into_parts();
    check_origin(&parts, &state)?;
    let headers = parts.headers.clone();
    let fields = read_form(Request::from_parts(parts, body), &state).await?;
    let before = Before::of(&state, &headers).ok_or_else(|| {
        Problem::new(
            Kind::ForeignForm,
            "the sign-in page was open too long, or cookies are off",
        )
        .with_hint("load /sign-in again; the console needs cookies of its own")
    })?;
    before.check_form(fields.text(FORM_TOKEN))?;
    let next = next_of(&fields);
    let digest = digest_of_token(fields.text("token").trim());
    let token = match digest {
        Some(digest) => token_with(&state, &digest).await?,
        None => None,
    };
    let Some(token) = token else {
        let page = form(
            &state,
            &before,
            next,
            Some("This token is not known, has expired, or was deleted."),
        );
        return Ok((StatusCode::UNAUTHORIZED, page).into_response());
    };
    let who = Who::Token {
        digest: token.digest,
    };
    let cookies = begin(&state, &headers, who).await?;
    Ok((cookies, Redirect::to(next)).into_response())
}

pub async fn sign_out(
    State(state): State<ApiState>,
    headers: HeaderMap,
    _: PostedBy,
) -> Result<Response, Problem> {
    end(&state, &headers).await?;
    let cookies = forgotten(&state, &headers);
    Ok((cookies, Redirect::to("/sign-in")).into_response())
}

/// Off to the provider.
pub async fn with_openid(
    State(state): State<ApiState>,
    headers: HeaderMap,
    query: Fields,
) -> Result<Response, Problem> {
    let openid = openid(&state)?;
    let before = Before::of_or_new(&state, &headers)?;
    let to = openid.begin(&before, next_of(&query)).await?;
    let cookie = before.cookie(&state, &headers);
    Ok((cookie, Redirect::to(to.as_str())).into_response())
}

/// And back from it.
pub async fn from_openid(
    State(state): State<ApiState>,
    headers: HeaderMap,
    query: Fields,
) -> Result<Response, Problem> {
    let openid = openid(&state)?;
    if let Some(error) = query.given("error") {
        let said: String = query
            .given("error_description")
            .unwrap_or(error)
            .chars()
            .take(200)
            .collect();
        return Err(
            Problem::new(Kind::SignInFailed, format!("the provider says: {said}"))
                .with_hint("begin again at /sign-in"),
        );
    }
    let before = Before::of(&state, &headers).ok_or_else(|| {
        let detail = "this browser has not begun to sign in, or too long ago";
        Problem::new(Kind::SignInFailed, detail).with_hint("begin again at /sign-in")
    })?;
    let (who, next) = openid
        .finish(&before, query.text("state"), query.text("code"))
        .await?;
    let cookies = begin(&state, &headers, who).await?;
    Ok((cookies, Redirect::to(safe(&next))).into_response())
}

fn openid(state: &ApiState) -> Result<&OpenId, Problem> {
    let openid = state.console().openid.as_deref();
    openid.ok_or_else(|| {
        Problem::new(Kind::SignInFailed, "this engine knows no OpenID provider")
            .with_hint("sign in with a token at /sign-in")
    })
}

fn next_of(fields: &Fields) -> &str {
    safe(fields.text("next"))
}

/// Only to a page of ours: a path, and no host in disguise.
fn safe(next: &str) -> &str {
    let path = next.starts_with('/') && !next.starts_with("//");
    let plain = !next.contains(['\\', '#']) && next.chars().all(|c| c.is_ascii_graphic());
    match path && plain && next.len() <= 500 {
        true => next,
        false => "/",
    }
}

fn form(state: &ApiState, before: &Before, next: &str, wrong: Option<&str>) -> Markup {
    let openid = state.console().openid.as_deref();
    let body = html! {
        section.narrow {
            h1 { "Sign in" }
            @if let Some(openid) = openid {
                p { a.button href=(with_query("/sign-in/openid", &[("next", next)])) { "Sign in with " (openid.name()) } }
                h2 { "Or with a token" }
            }
            @if let Some(wrong) = wrong {
                div.problem role="alert" {
                    p #wrong { (wrong) }
                    p { "A token begins with " code { "shipway_" } ". Make one: " code { "shipway token create NAME --scope deploy" } }
                }
            }
            form method="post" action="/sign-in" {
                input type="hidden" name=(FORM_TOKEN) value=(before.form_token());
                input type="hidden" name="next" value=(next);
                p.field {
                    label for="token" { "Token" }
                    input #token type="password" name="token" required autofocus
                        autocomplete="current-password" spellcheck="false"
                        aria-describedby=[wrong.map(|_| "wrong")] aria-invalid=[wrong.map(|_| "true")];
                }
                p.note { "What you may see and do is what the token allows. The session lasts 12 hours." }
                p.buttons { button type="submit" { "Sign in" } }
            }
        }
    };
    shell::open("Sign in", &body)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_sent_elsewhere() {
        for ours in ["/", "/apps/shop?a=b", "/deployments/1"] {
            assert_eq!(safe(ours), ours);
        }
        let long = format!("/{}", "a".repeat(600));
        for other in [
            "",
            "//evil.test",
            "/\\evil.test",
            "https://evil.test",
            "apps",
            "/a b",
            "/a\nb",
            &long,
        ] {
            assert_eq!(safe(other), "/", "{other:?}");
        }
    }
}
