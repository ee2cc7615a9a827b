//! `DEPLOYMENT|APP/ENV`: a deployment by its id, or an environment's newest.

use std::str::FromStr;

use shipway_api::wire::environment::EnvironmentStatus;
use shipway_core::environment::EnvironmentKey;
use shipway_core::name::DeploymentId;

use crate::client::Client;
use crate::failure::Failure;
use crate::place;

#[derive(Debug, Clone)]
pub enum Target {
    Deployment(DeploymentId),
    Newest(EnvironmentKey),
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.contains('/') {
            return place::environment(text).map(Self::Newest);
        }
        let id = text.parse().map(Self::Deployment);
        id.map_err(|error| format!("{error}, or APP/ENV for the newest deployment there"))
    }
}

pub async fn resolve(client: &Client, target: &Target) -> Result<DeploymentId, Failure> {
    let key = match target {
        Target::Deployment(id) => return Ok(*id),
        Target::Newest(key) => key,
    };
    let status: EnvironmentStatus = client.in_environment(key, &["status"]).get().await?;
    status.latest.map(|latest| latest.id).ok_or_else(|| {
        Failure::new(format!("{key} has had no deployment yet"))
            .with_hint(format!("make one: shipway deploy {key}"))
    })
}
