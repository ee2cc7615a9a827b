//! The labels by which we know what is ours, and the names made from them.
//!
//! A container inherits its image's labels, so somebody's own `docker run` of
//! one of our images carries `shipway.app` too. What tells ours apart is the
//! role, which the image carries as `image`, together with the name's prefix.

use std::collections::HashMap;

use bollard::models::ContainerSummary;
use sha2::{Digest, Sha256};
use shipway_core::environment::{BuildSettings, EnvironmentKey, LayerCache};
use shipway_core::name::DeploymentId;
use shipway_core::ports::runtime::{BuildRequest, ImageKey};

pub const APP: &str = "shipway.app";
pub const ENVIRONMENT: &str = "shipway.environment";
pub const DEPLOYMENT: &str = "shipway.deployment";
pub const COMMIT: &str = "shipway.commit";
/// The hash of the build settings.
pub const BUILD: &str = "shipway.build";
pub const ROLE: &str = "shipway.role";
pub const PROCESS: &str = "shipway.process";
pub const NUMBER: &str = "shipway.number";
pub const PORT: &str = "shipway.port";
/// Which run of the deployment's commands.
pub const RUN: &str = "shipway.run";
/// The index of the first command that the container of a run has run, or of
/// the only one.
pub const COMMAND: &str = "shipway.command";
/// By which the markers in the log of a run's container are known. The container
/// of one command alone has none.
pub const NONCE: &str = "shipway.nonce";
/// Which attempt at a run made the container: an engine that lost its run to
/// another one has its own, and removes no container of the other's.
pub const ATTEMPT: &str = "shipway.attempt";

/// Every name of ours begins with this.
pub const PREFIX: &str = "shipway-";
pub const DEFAULT_DOCKERFILE: &str = "Dockerfile";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    Image,
    Commands,
    Probe,
    Instance,
}

impl Role {
    pub const CONTAINERS: [Self; 3] = [Self::Commands, Self::Probe, Self::Instance];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Image => "image",
            Self::Commands => "commands",
            Self::Probe => "probe",
            Self::Instance => "instance",
        }
    }
}

pub type Labels = HashMap<String, String>;

/// The labels of what a deployment makes for an environment.
pub fn labels(role: Role, environment: &EnvironmentKey, deployment: DeploymentId) -> Labels {
    let mut labels = bare(role, deployment);
    labels.insert(APP.into(), environment.app.to_string());
    labels.insert(ENVIRONMENT.into(), environment.environment.to_string());
    labels
}

/// The labels of what belongs to no environment in particular.
pub fn bare(role: Role, deployment: DeploymentId) -> Labels {
    HashMap::from([
        (ROLE.into(), role.as_str().into()),
        (DEPLOYMENT.into(), deployment.to_string()),
    ])
}

pub fn image_labels(request: &BuildRequest) -> Labels {
    let mut labels = labels(Role::Image, &request.environment, request.deployment);
    labels.insert(APP.into(), request.key.app.to_string());
    labels.insert(COMMIT.into(), request.key.commit.to_string());
    labels.insert(BUILD.into(), build_hash(&request.key.build));
    labels
}

/// The engine's filter for things that carry all of these.
pub fn filter(wanted: &[(&str, &str)]) -> HashMap<String, Vec<String>> {
    let wanted = wanted
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    HashMap::from([("label".into(), wanted)])
}

/// Whether we made this container, in one of these roles.
pub fn is_ours(container: &ContainerSummary, roles: &[Role]) -> bool {
    let role = container.labels.as_ref().and_then(|all| all.get(ROLE));
    let named = container.names.iter().flatten().any(|name| {
        let name = name.strip_prefix('/').unwrap_or(name);
        name.starts_with(PREFIX)
    });
    named && role.is_some_and(|role| roles.iter().any(|one| one.as_str() == role))
}

/// What of the settings goes into an image: two builds with the same hash are
/// interchangeable. In hexadecimal.
pub fn build_hash(build: &BuildSettings) -> String {
    let mut hash = Sha256::new();
    let mut add = |text: &str| {
        hash.update((text.len() as u64).to_le_bytes());
        hash.update(text);
    };
    add(build.dockerfile.as_deref().unwrap_or(DEFAULT_DOCKERFILE));
    add(match build.cache.unwrap_or_default() {
        LayerCache::Off => "no cache",
        LayerCache::On => "cache",
    });
    for (name, value) in &build.args {
        add(name);
        add(value);
    }
    hash.finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// `shipway/app:commit-hash`.
pub fn tag(key: &ImageKey) -> String {
    let hash = build_hash(&key.build);
    let short = hash.get(..12).unwrap_or(&hash);
    format!("{}{}-{short}", tag_prefix(key.app.as_str()), key.commit)
}

/// What the tags of an app's images begin with.
pub fn tag_prefix(app: &str) -> String {
    format!("shipway/{app}:")
}

/// The last digits of a deployment's id, which are random; the first are time.
pub fn short(deployment: DeploymentId) -> String {
    let digits = deployment.0.simple().to_string();
    digits.get(20..).unwrap_or(&digits).to_owned()
}

/// A text that nobody can foresee, in 32 hexadecimal digits.
pub fn nonce() -> String {
    format!("{:032x}", rand::random::<u128>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hash_tells_settings_apart_and_nothing_else() {
        let plain = BuildSettings::default();
        let named = BuildSettings {
            dockerfile: Some("Dockerfile".into()),
            command: Some("make".into()),
            cache: Some(LayerCache::Off),
            ..plain.clone()
        };
        assert_eq!(build_hash(&plain), build_hash(&named));
        let with = |pairs: &[(&str, &str)]| BuildSettings {
            args: pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
            ..plain.clone()
        };
        assert_ne!(build_hash(&plain), build_hash(&with(&[("A", "1")])));
        assert_ne!(
            build_hash(&with(&[("A", "1B")])),
            build_hash(&with(&[("A1", "B")]))
        );
    }

    #[test]
    fn a_container_run_by_hand_from_our_image_is_not_ours() {
        let container = |name: &str, role: &str| ContainerSummary {
            names: Some(vec![format!("/{name}")]),
            labels: Some(HashMap::from([(ROLE.into(), role.into())])),
            ..ContainerSummary::default()
        };
        let ours = |container| is_ours(&container, &Role::CONTAINERS);
        assert!(ours(container("shipway-shop-live-web-1", "instance")));
        assert!(!ours(container("brave_turing", "image")));
        assert!(!ours(container("brave_turing", "instance")));
        assert!(!ours(ContainerSummary::default()));
    }
}
