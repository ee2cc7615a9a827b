//! `/v1/tokens`

use axum::Json;
use axum::extract::State;
use http::StatusCode;
use serde::Deserialize;
use shipway_core::name::Timestamp;
use shipway_core::token;

use crate::access::{Admin, Caller, May};
use crate::bearer::new_token;
use crate::extract::{Body, PathOf};
use crate::problem::{self, Kind, Problem};
use crate::state::ApiState;
use crate::wire::page::Page;
use crate::wire::token::{CreatedToken, NewToken, Token};

const LONGEST_NAME: usize = 100;

/// Lists the tokens; their texts are not kept.
#[utoipa::path(get, path = "/v1/tokens", tag = "tokens",
    responses((status = 200, body = Page<Token>)))]
pub async fn list_tokens(
    State(state): State<ApiState>,
    _: May<Admin>,
) -> Result<Json<Page<Token>>, Problem> {
    let tokens = state.store.tokens().await?;
    let items = tokens.into_iter().map(Token::from).collect();
    Ok(Json(Page::whole(items)))
}

/// Shows the token that asks: its name, its scope and its apps.
#[utoipa::path(get, path = "/v1/token", tag = "tokens",
    responses((status = 200, body = Token)))]
pub async fn get_own_token(caller: Caller) -> Json<Token> {
    Json(caller.into_token().into())
}

/// Makes a token. The answer shows it this once.
#[utoipa::path(post, path = "/v1/tokens", tag = "tokens", request_body = NewToken,
    responses((status = 201, body = CreatedToken)))]
pub async fn create_token(
    State(state): State<ApiState>,
    _: May<Admin>,
    Body(new): Body<NewToken>,
) -> Result<(StatusCode, Json<CreatedToken>), Problem> {
    check_name(&new.name)?;
    check_expiry(new.expires_at, state.clock.now())?;
    for app in &new.apps {
        state.app(app).await?;
    }
    let (text, digest) = new_token().map_err(|error| problem::internal(&error))?;
    let kept = token::Token {
        name: new.name,
        digest,
        scope: new.scope,
        apps: new.apps,
        created_at: state.clock.now(),
        last_used_at: None,
        expires_at: new.expires_at,
    };
    state.store.create_token(&kept).await?;
    let created = CreatedToken {
        token: text,
        kept: kept.into(),
    };
    Ok((StatusCode::CREATED, Json(created)))
}

#[derive(Debug, Deserialize)]
pub struct OneToken {
    pub token: String,
}

/// Deletes a token; whoever holds it is refused from now on.
#[utoipa::path(delete, path = "/v1/tokens/{token}", tag = "tokens",
    responses((status = 204)))]
pub async fn delete_token(
    State(state): State<ApiState>,
    _: May<Admin>,
    PathOf(OneToken { token }): PathOf<OneToken>,
) -> Result<StatusCode, Problem> {
    state.store.delete_token(&token).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn check_expiry(at: Option<Timestamp>, now: Timestamp) -> Result<(), Problem> {
    if at.is_some_and(|at| at <= now) {
        return Err(Problem::new(
            Kind::InvalidSetting,
            "expires_at: must be in the future",
        ));
    }
    Ok(())
}

fn check_name(name: &str) -> Result<(), Problem> {
    let length = name.chars().count();
    if (1..=LONGEST_NAME).contains(&length) && !name.contains(char::is_control) {
        return Ok(());
    }
    let detail = "name: a token's name has 1 to 100 characters on one line";
    Err(Problem::new(Kind::InvalidSetting, detail))
}
