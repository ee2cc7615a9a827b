//! Changes to the settings of an app or environment, and the rules that hold
//! beyond what their types say.

use std::ops::RangeInclusive;

use crate::app::{App, Repository};
use crate::environment::{DuplicateLabel, Environment, EnvironmentKey, Service, Variable};
use crate::name::{Domain, Label, VariableName};
use crate::plan::MOST_COMMANDS;
use crate::process::MOST_INSTANCES;
use crate::release::{LONGEST_TIMEOUT_SECONDS, SettingsCommand};

/// Variables of one environment; the kernel limits what a process can be given.
pub const MOST_VARIABLES: usize = 1000;
/// Bytes of one variable's value.
pub const LONGEST_VALUE: usize = 64 * 1024;
/// Domains of one environment.
pub const MOST_DOMAINS: usize = 100;
/// Services of one environment.
pub const MOST_SERVICES: usize = 50;
/// Volumes of one environment.
pub const MOST_VOLUMES: usize = 20;
/// Of one instance: up to 16 TiB, and a thousand cores.
const MEMORY_MIB: RangeInclusive<u32> = 4..=16 * 1024 * 1024;
const CPU_MILLIS: RangeInclusive<u32> = 10..=1_000_000;
/// No deployment waits longer than this for old requests.
pub const LONGEST_DRAIN_SECONDS: u32 = 60 * 60;
/// Nobody looks at a failed container after this; it holds disk space.
pub const LONGEST_KEEP_FAILED_SECONDS: u32 = 7 * 24 * 60 * 60;
/// Schemes of services that can be probed.
pub const SERVICE_SCHEMES: [&str; 8] = [
    "tcp",
    "http",
    "https",
    "postgres",
    "postgresql",
    "mysql",
    "redis",
    "amqp",
];

/// A setting that breaks a rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidSetting {
    #[error("{setting}: {problem}")]
    Broken {
        setting: String,
        problem: &'static str,
    },
    #[error(transparent)]
    DuplicateLabel(#[from] DuplicateLabel),
    #[error("there is no release command {0:?}")]
    UnknownLabel(String),
}

fn broken(setting: impl Into<String>, problem: &'static str) -> InvalidSetting {
    InvalidSetting::Broken {
        setting: setting.into(),
        problem,
    }
}

impl EnvironmentKey {
    /// The domain of an environment that names none: every name under
    /// `localhost` leads to the same machine without any setup.
    pub fn default_domain(&self) -> Option<Domain> {
        format!("{}.{}.localhost", self.environment, self.app)
            .parse()
            .ok()
    }
}

impl Environment {
    /// What is deployed here when a trigger names nothing.
    pub fn reference_of<'a>(&'a self, app: &'a App) -> &'a str {
        self.reference
            .as_deref()
            .unwrap_or(&app.repository.default_reference)
    }

    /// Adds a release command before `position`, counted from 1; at the end
    /// when there is none.
    pub fn add_command(
        &mut self,
        command: SettingsCommand,
        position: Option<usize>,
    ) -> Result<(), InvalidSetting> {
        check_command(&command)?;
        if self.position_of(&command.label).is_ok() {
            return Err(DuplicateLabel(command.label).into());
        }
        if self.release_commands.len() >= MOST_COMMANDS {
            return Err(broken(
                "release commands",
                "an environment has at most 256 of them",
            ));
        }
        let index = self.index(position);
        self.release_commands.insert(index, command);
        Ok(())
    }

    /// Puts another command in the place of one; its label may change.
    pub fn replace_command(
        &mut self,
        label: &Label,
        command: SettingsCommand,
    ) -> Result<(), InvalidSetting> {
        check_command(&command)?;
        let index = self.position_of(label)?;
        if command.label != *label && self.position_of(&command.label).is_ok() {
            return Err(DuplicateLabel(command.label).into());
        }
        if let Some(place) = self.release_commands.get_mut(index) {
            *place = command;
        }
        Ok(())
    }

    /// Moves a release command so that it stands at `position`, from 1.
    pub fn move_command(&mut self, label: &Label, position: usize) -> Result<(), InvalidSetting> {
        let command = self.remove_command(label)?;
        let index = self.index(Some(position));
        self.release_commands.insert(index, command);
        Ok(())
    }

    pub fn remove_command(&mut self, label: &Label) -> Result<SettingsCommand, InvalidSetting> {
        let index = self.position_of(label)?;
        Ok(self.release_commands.remove(index))
    }

    fn position_of(&self, label: &Label) -> Result<usize, InvalidSetting> {
        self.release_commands
            .iter()
            .position(|command| command.label == *label)
            .ok_or_else(|| InvalidSetting::UnknownLabel(label.to_string()))
    }

    fn index(&self, position: Option<usize>) -> usize {
        position
            .map_or(usize::MAX, |position| position.saturating_sub(1))
            .min(self.release_commands.len())
    }

    /// Sets a variable, or replaces it.
    pub fn set_variable(
        &mut self,
        name: VariableName,
        variable: Variable,
    ) -> Result<(), InvalidSetting> {
        check_value(name.as_str(), variable.reveal())?;
        self.variables.insert(name, variable);
        if self.variables.len() > MOST_VARIABLES {
            return Err(broken("variables", "an environment has at most 1000"));
        }
        Ok(())
    }

    /// The first rule that the settings break.
    pub fn check(&self) -> Result<(), InvalidSetting> {
        if let Some(reference) = &self.reference {
            check_reference("reference", reference)?;
        }
        if self.domains.len() > MOST_DOMAINS {
            return Err(broken("domains", "an environment has at most 100"));
        }
        self.check_processes()?;
        self.check_services()?;
        self.check_volumes()?;
        if self.drain_seconds > LONGEST_DRAIN_SECONDS {
            return Err(broken("drain_seconds", "must be at most 3600"));
        }
        if self.keep_failed_seconds > LONGEST_KEEP_FAILED_SECONDS {
            return Err(broken("keep_failed_seconds", "must be at most 604800"));
        }
        let outside = |limit: Option<u32>, range: RangeInclusive<u32>| {
            limit.is_some_and(|limit| !range.contains(&limit))
        };
        if outside(self.limits.memory_mib, MEMORY_MIB) {
            return Err(broken("limits.memory_mib", "must be 4 to 16777216"));
        }
        if outside(self.limits.cpu_millis, CPU_MILLIS) {
            return Err(broken("limits.cpu_millis", "must be 10 to 1000000"));
        }
        Ok(())
    }

    fn check_processes(&self) -> Result<(), InvalidSetting> {
        for (name, process) in &self.processes {
            let setting = |field: &str| format!("processes.{name}.{field}");
            if process.instances.is_some_and(|n| n > MOST_INSTANCES) {
                return Err(broken(setting("instances"), "must be at most 100"));
            }
            if process.port == Some(0) {
                return Err(broken(setting("port"), "must be 1 to 65535"));
            }
            let command = process.command.as_deref();
            if command.is_some_and(|text| text.trim().is_empty() || text.contains('\0')) {
                return Err(broken(setting("command"), "is empty or holds a NUL byte"));
            }
            if let Some(problem) = process.health.as_ref().and_then(|rule| rule.problem()) {
                return Err(broken(setting("health"), problem));
            }
        }
        Ok(())
    }

    fn check_services(&self) -> Result<(), InvalidSetting> {
        if self.services.len() > MOST_SERVICES {
            return Err(broken("services", "an environment has at most 50"));
        }
        for (index, service) in self.services.iter().enumerate() {
            check_service(service)?;
            let earlier = self.services.iter().take(index);
            if earlier.into_iter().any(|other| other.name == service.name) {
                let setting = format!("services.{}", service.name);
                return Err(broken(setting, "two services have this name"));
            }
        }
        Ok(())
    }

    fn check_volumes(&self) -> Result<(), InvalidSetting> {
        if self.volumes.len() > MOST_VOLUMES {
            return Err(broken("volumes", "an environment has at most 20"));
        }
        for (index, volume) in self.volumes.iter().enumerate() {
            let setting = format!("volumes.{}", volume.name);
            if let Some(problem) = volume.problem() {
                return Err(broken(setting, problem));
            }
            let mut earlier = self.volumes.iter().take(index);
            if earlier.any(|other| other.name == volume.name || other.path == volume.path) {
                return Err(broken(setting, "two volumes have this name or this path"));
            }
        }
        Ok(())
    }
}

impl Repository {
    /// The first rule that the repository's settings break.
    pub fn check(&self) -> Result<(), InvalidSetting> {
        check_reference("default_reference", &self.default_reference)?;
        let url = self.url.as_str();
        if url.is_empty() || url.len() > 2000 || url.starts_with('-') {
            return Err(broken(
                "repository",
                "must be a Git URL or path of at most 2000 bytes",
            ));
        }
        if url.contains(|c: char| c.is_control() || c.is_whitespace()) {
            return Err(broken(
                "repository",
                "holds white space or control characters",
            ));
        }
        let parsed = url::Url::parse(url).ok();
        if parsed.is_some_and(|url| url.password().is_some()) {
            return Err(broken(
                "repository",
                "holds a password, which everyone who sees the app would see; give it as credentials",
            ));
        }
        Ok(())
    }
}

/// The rules of a value that a program is given in its environment.
pub fn check_value(name: &str, value: &str) -> Result<(), InvalidSetting> {
    if value.contains('\0') {
        return Err(broken(name, "a value cannot hold a NUL byte"));
    }
    if value.len() > LONGEST_VALUE {
        return Err(broken(name, "a value has at most 64 KiB"));
    }
    Ok(())
}

/// The rules of a branch, tag or commit as a person names it.
pub fn check_reference(setting: &str, reference: &str) -> Result<(), InvalidSetting> {
    let odd = |c: char| c.is_control() || c.is_whitespace() || "~^:?*[\\".contains(c);
    if reference.is_empty() || reference.len() > 255 {
        return Err(broken(
            setting,
            "a branch, tag or commit has 1 to 255 characters",
        ));
    }
    if reference.starts_with('-') || reference.contains(odd) || reference.contains("..") {
        return Err(broken(setting, "is no name of a branch, tag or commit"));
    }
    Ok(())
}

fn check_command(command: &SettingsCommand) -> Result<(), InvalidSetting> {
    let mut invocations = std::iter::once(&command.run).chain(&command.undo);
    if let Some(problem) = invocations.find_map(|run| run.problem()) {
        return Err(broken(
            format!("command {:?}", command.label.as_str()),
            problem,
        ));
    }
    let limit = command.timeout_seconds.unwrap_or(1);
    if !(1..=LONGEST_TIMEOUT_SECONDS).contains(&limit) {
        return Err(broken("timeout_seconds", "must be 1 second to 24 hours"));
    }
    Ok(())
}

fn check_service(service: &Service) -> Result<(), InvalidSetting> {
    let setting = |field: &str| format!("services.{}.{field}", service.name);
    let named = !service.name.is_empty() && service.name.len() <= 63;
    if !named || service.name.contains(char::is_control) {
        return Err(broken(
            "services",
            "a service's name has 1 to 63 characters",
        ));
    }
    if !(1..=300).contains(&service.timeout_seconds) {
        return Err(broken(setting("timeout_seconds"), "must be 1 to 300"));
    }
    let probed = |scheme: &str| SERVICE_SCHEMES.contains(&scheme);
    // A URL from a variable shows its scheme only when it is probed.
    let known = match service.url.split_once("://") {
        Some((scheme, _)) => probed(scheme) || scheme.contains('$'),
        None => service.url.starts_with('$'),
    };
    if !known {
        return Err(broken(
            setting("url"),
            "must begin with tcp://, http://, https://, postgres://, mysql://, redis:// or amqp://, or be a variable such as $DATABASE_URL",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::RuntimeKind;
    use crate::name::Timestamp;
    use crate::release::{Invocation, Phase, When};

    fn environment() -> Environment {
        let key = EnvironmentKey {
            app: "guestbook".parse().unwrap(),
            environment: "live".parse().unwrap(),
        };
        Environment::new(key, RuntimeKind::Process, Timestamp::from_millis(0))
    }

    fn command(label: &str) -> SettingsCommand {
        SettingsCommand {
            label: label.parse().unwrap(),
            run: Invocation::Shell("true".into()),
            phase: Phase::Release,
            timeout_seconds: None,
            when: When::Always,
            cancel: crate::release::CancelPolicy::Allowed,
            undo: None,
        }
    }

    fn labels(environment: &Environment) -> Vec<&str> {
        let commands = environment.release_commands.iter();
        commands.map(|command| command.label.as_str()).collect()
    }

    #[test]
    fn commands_are_added_moved_and_removed_in_order() {
        let mut env = environment();
        for label in ["a", "b", "c"] {
            env.add_command(command(label), None).unwrap();
        }
        env.add_command(command("first"), Some(1)).unwrap();
        assert_eq!(labels(&env), ["first", "a", "b", "c"]);
        env.move_command(&"a".parse().unwrap(), 99).unwrap();
        assert_eq!(labels(&env), ["first", "b", "c", "a"]);
        env.move_command(&"a".parse().unwrap(), 2).unwrap();
        assert_eq!(labels(&env), ["first", "a", "b", "c"]);
        env.remove_command(&"b".parse().unwrap()).unwrap();
        assert_eq!(labels(&env), ["first", "a", "c"]);
    }

    #[test]
    fn a_label_stands_once() {
        let mut env = environment();
        env.add_command(command("a"), None).unwrap();
        env.add_command(command("b"), None).unwrap();
        assert!(env.add_command(command("a"), None).is_err());
        let a = "a".parse().unwrap();
        assert!(env.replace_command(&a, command("b")).is_err());
        assert!(env.replace_command(&a, command("a")).is_ok());
        assert!(env.replace_command(&a, command("c")).is_ok());
        assert_eq!(labels(&env), ["c", "b"]);
    }

    #[test]
    fn a_repository_shows_no_password() {
        let repository = |url: &str| Repository {
            url: url.into(),
            default_reference: "main".into(),
            credentials: None,
        };
        assert!(repository("https://example.com/a.git").check().is_ok());
        assert!(repository("git@example.com:a/b.git").check().is_ok());
        assert!(repository("/srv/git/a").check().is_ok());
        for bad in ["", "-upload", "https://u:p@example.com/a.git", "a b"] {
            assert!(repository(bad).check().is_err(), "{bad}");
        }
    }

    #[test]
    fn settings_out_of_bounds_are_named() {
        let mut env = environment();
        assert!(env.check().is_ok());
        env.services.push(Service {
            name: "db".into(),
            url: "ftp://x".into(),
            timeout_seconds: 5,
        });
        let error = env.check().unwrap_err().to_string();
        assert!(error.starts_with("services.db.url: must begin with tcp://"));
        assert!(check_reference("reference", "feature/x-1.2").is_ok());
        for bad in ["", "-x", "a b", "a..b", "x^"] {
            assert!(check_reference("reference", bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn the_default_domain_needs_no_setup() {
        let domain = environment().key.default_domain().unwrap();
        assert_eq!(domain.as_str(), "live.guestbook.localhost");
    }
}
