//! Values that the suite stores.

use anyhow::Result;
use shipway_core::app::{App, Credentials, Repository};
use shipway_core::environment::{Environment, EnvironmentKey, RuntimeKind, Variable};
use shipway_core::journal::{BuildWish, Trigger};
use shipway_core::name::{DeploymentId, Timestamp, WebhookId};
use shipway_core::ports::store::{Created, Deployment, Store};
use shipway_core::secret::Secret;
use shipway_core::webhook::{Provider, ReferenceKind, Rule, Webhook};
use uuid::Uuid;

/// Milliseconds after some moment of 2026, with nanoseconds that must survive.
pub fn at(millis: i64) -> Timestamp {
    let base = Timestamp::from_millis(1_790_000_000_000 + millis);
    Timestamp(base.0 + std::time::Duration::from_nanos(789))
}

pub fn id(number: u128) -> DeploymentId {
    DeploymentId(Uuid::from_u128(number))
}

pub fn key(text: &str) -> Result<EnvironmentKey> {
    let (app, environment) = text.split_once('/').unwrap_or((text, "live"));
    Ok(EnvironmentKey {
        app: app.parse()?,
        environment: environment.parse()?,
    })
}

pub fn app(name: &str) -> Result<App> {
    Ok(App {
        name: name.parse()?,
        repository: Repository {
            url: format!("https://git.example.com/{name}.git"),
            default_reference: "main".into(),
            credentials: Some(Credentials::Password {
                username: "deploy".into(),
                password: Secret::new("swordfish"),
            }),
        },
        mirror_of: None,
        created_at: at(0),
    })
}

pub fn environment(name: &str) -> Result<Environment> {
    let mut environment = Environment::new(key(name)?, RuntimeKind::Process, at(1));
    let variable = Variable::Secret(Secret::new("hush"));
    environment.variables.insert("TOKEN".parse()?, variable);
    Ok(environment)
}

pub fn trigger(name: &str) -> Result<Trigger> {
    Ok(Trigger {
        key: key(name)?,
        reference: "main".into(),
        by: "somebody".into(),
        idempotency_key: None,
        build: BuildWish::Reuse,
        subject: shipway_core::journal::Subject::Commit,
    })
}

/// An app with environments, each `app/environment`.
pub async fn settle(store: &impl Store, environments: &[&str]) -> Result<()> {
    for name in environments {
        let environment = environment(name)?;
        if store.app(&environment.key.app).await?.is_none() {
            let app = app(environment.key.app.as_str())?;
            store.create_app(&app).await?;
        }
        store.create_environment(&environment).await?;
    }
    Ok(())
}

pub async fn deploy(store: &impl Store, number: u128, name: &str) -> Result<Deployment> {
    let trigger = trigger(name)?;
    match store
        .create_deployment(id(number), at(2), &trigger, &[])
        .await?
    {
        Created::New(deployment) => Ok(deployment),
        Created::Earlier(deployment) => anyhow::bail!("seen before: {}", deployment.id),
    }
}

pub const WEBHOOK_SECRET: &str = "open sesame, and wide";

pub fn webhook_id(digit: char) -> Result<WebhookId> {
    Ok(digit.to_string().repeat(32).parse()?)
}

pub fn webhook(digit: char, app: &str) -> Result<Webhook> {
    Ok(Webhook {
        id: webhook_id(digit)?,
        app: app.parse()?,
        provider: Provider::Gitea,
        secret: Secret::new(WEBHOOK_SECRET),
        repository: Some("https://git.example.com/team/shop".into()),
        rules: vec![Rule {
            kind: ReferenceKind::Branch,
            pattern: "release/*".parse()?,
            environment: "live".parse()?,
        }],
        created_at: at(5),
    })
}
