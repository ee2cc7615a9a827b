//! What an app's processes and commands find in their environment: the
//! environment's variables, and what Shipway adds. The runtime adds `PORT`.

use shipway_core::environment::{Environment, EnvironmentKey};
use shipway_core::name::{CommitId, DeploymentId};
use shipway_core::ports::runtime::Variables;
use shipway_core::release::Phase;
use shipway_core::secret::Secret;

/// The variables of a process or a command. `SHIPWAY_PHASE` is `run` in
/// instances and in gate commands too: a gate command has exactly the running
/// app's environment.
pub fn variables(
    environment: &Environment,
    deployment: DeploymentId,
    commit: &CommitId,
    phase: Option<Phase>,
) -> Variables {
    let injected = injected(&environment.key, deployment, commit, phase);
    let is_injected = |name: &str| injected.iter().any(|(known, _)| known == name);
    let own = environment
        .variables
        .iter()
        .filter(|(name, _)| !is_injected(name.as_str()))
        .map(|(name, value)| (name.to_string(), Secret::new(value.reveal())));
    own.chain(injected.iter().cloned()).collect()
}

fn injected(
    key: &EnvironmentKey,
    deployment: DeploymentId,
    commit: &CommitId,
    phase: Option<Phase>,
) -> Variables {
    let phase = match phase {
        None | Some(Phase::Gate) => "run",
        Some(phase) => phase.as_str(),
    };
    [
        ("CONTAINER_VERSION", commit.to_string()),
        ("SHIPWAY_APP", key.app.to_string()),
        ("SHIPWAY_ENVIRONMENT", key.environment.to_string()),
        ("SHIPWAY_DEPLOYMENT", deployment.to_string()),
        ("SHIPWAY_COMMIT", commit.to_string()),
        ("SHIPWAY_PHASE", phase.to_owned()),
    ]
    .map(|(name, value)| (name.to_owned(), Secret::new(value)))
    .to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use shipway_core::environment::{RuntimeKind, Variable};
    use shipway_core::name::Timestamp;

    #[test]
    fn a_gate_command_has_exactly_the_running_apps_environment() {
        let key = EnvironmentKey {
            app: "shop".parse().unwrap(),
            environment: "live".parse().unwrap(),
        };
        let mut environment =
            Environment::new(key, RuntimeKind::Process, Timestamp::from_millis(0));
        let mine = Variable::Plain("mine".into());
        environment
            .variables
            .insert("GREETING".parse().unwrap(), mine.clone());
        environment
            .variables
            .insert("SHIPWAY_APP".parse().unwrap(), mine);
        let id = DeploymentId(uuid::Uuid::nil());
        let commit = "a".repeat(40).parse().unwrap();
        let running = variables(&environment, id, &commit, None);
        assert_eq!(
            running,
            variables(&environment, id, &commit, Some(Phase::Gate))
        );
        assert_ne!(
            running,
            variables(&environment, id, &commit, Some(Phase::Release))
        );
        let of = |name: &str| {
            running
                .iter()
                .filter(|(n, _)| n == name)
                .map(|(_, v)| v.reveal())
                .collect::<Vec<_>>()
        };
        assert_eq!(of("SHIPWAY_APP"), ["shop"]);
        assert_eq!(of("GREETING"), ["mine"]);
        assert_eq!(of("CONTAINER_VERSION"), ["a".repeat(40)]);
    }
}
