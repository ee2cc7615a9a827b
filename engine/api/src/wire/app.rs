//! An app on the wire.

use serde::{Deserialize, Deserializer, Serialize};
use shipway_core::app::{self, Credentials, PUSHED, Repository};
use shipway_core::name::{AppName, Timestamp};
use utoipa::ToSchema;

/// What an app deploys when neither it nor the trigger says otherwise.
const DEFAULT_REFERENCE: &str = "main";

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
pub struct App {
    pub name: AppName,
    /// The URL or path of its Git repository.
    #[schema(example = "https://git.example.com/guestbook.git")]
    pub repository: String,
    pub default_reference: String,
    /// How it proves itself to the Git host; the secret parts are never shown.
    pub credentials: Option<CredentialsKind>,
    /// The app whose images it reuses.
    pub mirror_of: Option<AppName>,
    pub created_at: Timestamp,
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum CredentialsKind {
    Password { username: String },
    Key { username: String },
}

#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct NewApp {
    pub name: AppName,
    /// `https://…`, `ssh://…`, `user@host:path`, `file://…` or a local path; or
    /// `push:`, which it is unless given: it is pushed to the engine itself.
    #[serde(default = "pushed")]
    pub repository: String,
    /// `main` unless given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_reference: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Credentials>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mirror_of: Option<AppName>,
}

fn pushed() -> String {
    PUSHED.to_owned()
}

/// What is absent stays; `null` takes away.
#[derive(Debug, Clone, Default, Serialize, Deserialize, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct AppPatch {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub repository: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub default_reference: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    #[schema(value_type = Option<Credentials>)]
    pub credentials: Option<Option<Credentials>>,
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    #[schema(value_type = Option<AppName>)]
    pub mirror_of: Option<Option<AppName>>,
}

/// Tells `null`, which takes away, from a field that is absent.
fn given<'de, D: Deserializer<'de>, T: Deserialize<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::<T>::deserialize(deserializer).map(Some)
}

impl NewApp {
    pub(crate) fn into_app(self, created_at: Timestamp) -> app::App {
        let default_reference = self.default_reference;
        app::App {
            name: self.name,
            repository: Repository {
                url: self.repository,
                default_reference: default_reference
                    .unwrap_or_else(|| DEFAULT_REFERENCE.to_owned()),
                credentials: self.credentials,
            },
            mirror_of: self.mirror_of,
            created_at,
        }
    }
}

impl AppPatch {
    pub(crate) fn apply(self, app: &mut app::App) {
        let repository = &mut app.repository;
        if let Some(url) = self.repository {
            repository.url = url;
        }
        if let Some(reference) = self.default_reference {
            repository.default_reference = reference;
        }
        if let Some(credentials) = self.credentials {
            repository.credentials = credentials;
        }
        if let Some(mirror_of) = self.mirror_of {
            app.mirror_of = mirror_of;
        }
    }
}

impl From<app::App> for App {
    fn from(app: app::App) -> Self {
        Self {
            name: app.name,
            repository: app.repository.url,
            default_reference: app.repository.default_reference,
            credentials: app.repository.credentials.map(CredentialsKind::from),
            mirror_of: app.mirror_of,
            created_at: app.created_at,
        }
    }
}

impl From<Credentials> for CredentialsKind {
    fn from(credentials: Credentials) -> Self {
        match credentials {
            Credentials::Password { username, .. } => Self::Password { username },
            Credentials::Key { username, .. } => Self::Key { username },
        }
    }
}
