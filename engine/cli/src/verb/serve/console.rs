//! What `shipway serve` is told about the console.

use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, bail};
use clap::Args;
use shipway_api::console::openid::rule::Rule;
use shipway_api::console::openid::{OpenId, OpenIdSettings};
use shipway_api::console::settings::ConsoleSettings;
use shipway_core::secret::Secret;
use url::Url;

/// Where the client's secret is read from, when no file is named.
const SECRET: &str = "SHIPWAY_OPENID_CLIENT_SECRET";

#[derive(Debug, Args)]
pub struct ConsoleArguments {
    /// Where browsers reach the engine, if a proxy stands in front of it:
    /// https://shipway.example.com
    #[arg(long, env = "SHIPWAY_PUBLIC_URL", value_name = "URL")]
    pub public_url: Option<Url>,

    /// Let people sign in to the console by this OpenID provider
    #[arg(long, env = "SHIPWAY_OPENID_ISSUER", value_name = "URL",
          requires_all = ["public_url", "openid_client_id", "openid_allow"])]
    pub openid_issuer: Option<String>,

    /// What the provider knows Shipway by
    #[arg(long, env = "SHIPWAY_OPENID_CLIENT_ID", value_name = "ID")]
    pub openid_client_id: Option<String>,

    /// A file with the client's secret; else it is in
    /// SHIPWAY_OPENID_CLIENT_SECRET, if the provider gave one
    #[arg(long, value_name = "FILE")]
    pub openid_client_secret_file: Option<PathBuf>,

    /// What to ask the provider for beside `openid`
    #[arg(
        long,
        value_name = "SCOPE",
        value_delimiter = ',',
        default_value = "email,profile"
    )]
    pub openid_scope: Vec<String>,

    /// Who may come in: `admin:email=ada@example.com`,
    /// `deploy@shop,blog:groups=developers`; the first that fits decides
    #[arg(long, value_name = "SCOPE[@APP,…]:CLAIM=VALUE")]
    pub openid_allow: Vec<Rule>,
}

impl ConsoleArguments {
    pub fn settings(&self) -> anyhow::Result<ConsoleSettings> {
        let public_url = self.public_url.clone();
        if let Some(url) = &public_url
            && (!matches!(url.scheme(), "http" | "https") || url.path() != "/")
        {
            bail!(
                "--public-url {url} must be http or https, without a path: the console is at its root"
            );
        }
        let openid = match (self.openid(), &public_url) {
            (Some(openid), Some(url)) => Some(Arc::new(OpenId::new(openid?, url)?)),
            _ => None,
        };
        Ok(ConsoleSettings {
            public_url,
            openid,
            ..ConsoleSettings::default()
        })
    }

    fn openid(&self) -> Option<anyhow::Result<OpenIdSettings>> {
        let (issuer, client_id) = (self.openid_issuer.clone()?, self.openid_client_id.clone()?);
        Some(self.client_secret().map(|client_secret| OpenIdSettings {
            issuer,
            client_id,
            client_secret,
            scopes: self.openid_scope.clone(),
            rules: self.openid_allow.clone(),
        }))
    }

    fn client_secret(&self) -> anyhow::Result<Option<Secret>> {
        let text = match &self.openid_client_secret_file {
            Some(file) => Some(
                std::fs::read_to_string(file)
                    .with_context(|| format!("could not read the secret in {}", file.display()))?,
            ),
            None => std::env::var(SECRET).ok(),
        };
        let text = text.map(|text| text.trim().to_owned());
        Ok(text.filter(|text| !text.is_empty()).map(Secret::new))
    }
}
