//! `/v1/apps/{app}/webhooks`

use std::fmt::Write;

use axum::Json;
use axum::extract::State;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use http::StatusCode;
use serde::Deserialize;
use shipway_core::name::{AppName, WebhookId};
use shipway_core::secret::Secret;
use shipway_core::webhook::{self, Provider};

use crate::access::{Admin, May, Read};
use crate::audit::Note;
use crate::delivery::proof;
use crate::extract::{Body, PathOf};
use crate::problem::{Kind, Problem};
use crate::state::ApiState;
use crate::wire::page::Page;
use crate::wire::webhook::{CreatedWebhook, NewWebhook, Webhook};

const SECRET_LENGTHS: std::ops::RangeInclusive<usize> = 16..=255;
const LONGEST_REPOSITORY: usize = 500;
const MOST_RULES: usize = 100;
const MOST_WEBHOOKS: usize = 50;

#[derive(Debug, Deserialize)]
pub struct OneWebhook {
    pub app: AppName,
    pub webhook: WebhookId,
}

/// Lists an app's webhooks; their secrets are not shown.
#[utoipa::path(get, path = "/v1/apps/{app}/webhooks", tag = "webhooks",
    responses((status = 200, body = Page<Webhook>)))]
pub async fn list_webhooks(
    State(state): State<ApiState>,
    _: May<Read>,
    PathOf(app): PathOf<AppName>,
) -> Result<Json<Page<Webhook>>, Problem> {
    state.app(&app).await?;
    let webhooks = state.store.webhooks(&app).await?;
    let items = webhooks.into_iter().map(Webhook::from).collect();
    Ok(Json(Page::whole(items)))
}

/// Makes a webhook. The answer shows its secret this once.
#[utoipa::path(post, path = "/v1/apps/{app}/webhooks", tag = "webhooks", request_body = NewWebhook,
    responses((status = 201, body = CreatedWebhook)))]
pub async fn create_webhook(
    State(state): State<ApiState>,
    _: May<Admin>,
    PathOf(app): PathOf<AppName>,
    note: Note,
    Body(new): Body<NewWebhook>,
) -> Result<(StatusCode, Json<CreatedWebhook>), Problem> {
    state.app(&app).await?;
    check(&state, &app, &new).await?;
    let secret = match new.secret {
        Some(secret) => secret,
        None => new_secret(new.provider),
    };
    let webhook = webhook::Webhook {
        id: hex(&rand::random::<[u8; 16]>()).parse()?,
        app,
        provider: new.provider,
        secret: secret.clone(),
        repository: new.repository,
        rules: new.rules,
        created_at: state.clock.now(),
    };
    state.store.create_webhook(&webhook).await?;
    note.name(webhook.id.as_str());
    let kept = webhook.into();
    Ok((StatusCode::CREATED, Json(CreatedWebhook { secret, kept })))
}

/// Shows a webhook.
#[utoipa::path(get, path = "/v1/apps/{app}/webhooks/{webhook}", tag = "webhooks",
    responses((status = 200, body = Webhook)))]
pub async fn get_webhook(
    State(state): State<ApiState>,
    _: May<Read>,
    PathOf(OneWebhook { app, webhook }): PathOf<OneWebhook>,
) -> Result<Json<Webhook>, Problem> {
    let found = state.store.webhook(&webhook).await?;
    let found = found.filter(|found| found.app == app);
    let found = found.ok_or_else(|| {
        Problem::new(
            Kind::NotFound,
            format!("app {app} has no webhook {webhook}"),
        )
    })?;
    Ok(Json(found.into()))
}

/// Deletes a webhook; what the Git host sends to it is refused from now on.
#[utoipa::path(delete, path = "/v1/apps/{app}/webhooks/{webhook}", tag = "webhooks",
    responses((status = 204)))]
pub async fn delete_webhook(
    State(state): State<ApiState>,
    _: May<Admin>,
    PathOf(OneWebhook { app, webhook }): PathOf<OneWebhook>,
) -> Result<StatusCode, Problem> {
    state.store.delete_webhook(&app, &webhook).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn check(state: &ApiState, app: &AppName, new: &NewWebhook) -> Result<(), Problem> {
    let broken = |detail: String| Err(Problem::new(Kind::InvalidSetting, detail));
    if !(1..=MOST_RULES).contains(&new.rules.len()) {
        return broken(format!("rules: a webhook has 1 to {MOST_RULES} of them"));
    }
    let environments = state.store.environments(app).await?;
    for rule in &new.rules {
        let is_it =
            |it: &shipway_core::environment::Environment| it.key.environment == rule.environment;
        if !environments.iter().any(is_it) {
            return broken(format!(
                "rules: {app} has no environment {}",
                rule.environment
            ));
        }
    }
    let repository = new.repository.as_deref();
    if repository.is_some_and(|it| it.trim().is_empty() || it.len() > LONGEST_REPOSITORY) {
        return broken(
            "repository: an address such as https://git.example.com/team/app".to_owned(),
        );
    }
    if let Some(secret) = &new.secret {
        check_secret(secret)?;
    }
    if state.store.webhooks(app).await?.len() >= MOST_WEBHOOKS {
        return broken(format!("an app has at most {MOST_WEBHOOKS} webhooks"));
    }
    Ok(())
}

fn check_secret(secret: &Secret) -> Result<(), Problem> {
    let text = secret.reveal();
    let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
    let detail = if !SECRET_LENGTHS.contains(&text.len()) || !visible {
        "secret: 16 to 255 visible ASCII characters, without spaces"
    } else if proof::key(text).is_none() {
        "secret: what begins with whsec_ goes on in base64"
    } else {
        return Ok(());
    };
    Err(Problem::new(Kind::InvalidSetting, detail))
}

/// In the form that each host takes: 256 random bits.
fn new_secret(provider: Provider) -> Secret {
    let bits: [u8; 32] = rand::random();
    Secret::new(match provider {
        Provider::Gitlab | Provider::Plain => {
            format!("{}{}", proof::PREFIX, STANDARD.encode(bits))
        }
        Provider::Github | Provider::Gitea | Provider::Bitbucket => hex(&bits),
    })
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
