//! The plan: everything a deployment will do, decided before it acts and
//! frozen into the deployment. First a [`Draft`] from settings and files, then,
//! with the commands that the release sources gave, the [`Plan`].

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::environment::{
    BuildSettings, Environment, LayerCache, PluginChoice, RuntimeKind, Service, Variable,
};
use crate::file::{FILE_NAME, File};
use crate::journal::Commit;
use crate::name::{Digest, Domain, Label, PluginName, ProcessName, VariableName};
use crate::process::{self, Process};
use crate::release::{
    LONGEST_TIMEOUT_SECONDS, Origin, Phase, Provenance, ReleaseCommand, SettingsCommand,
};

/// More commands than this in one plan are a mistake.
pub const MOST_COMMANDS: usize = 256;

/// A complete plan. Execution has no choices left.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Plan {
    pub commit: Commit,
    pub runtime: RuntimeKind,
    pub build: BuildSettings,
    pub processes: Vec<Process>,
    pub domains: Vec<Domain>,
    pub services: Vec<Service>,
    /// The names of the environment's variables; never the values.
    pub variables: Vec<VariableName>,
    /// In the order in which they run within their phase.
    pub commands: Vec<ReleaseCommand>,
    pub skipped: Vec<Skipped>,
    pub warnings: Vec<String>,
    pub plugins: Vec<PlannedPlugin>,
    pub self_tests: Vec<PluginName>,
}

impl Plan {
    /// The commands of one phase, in order.
    pub fn phase(&self, phase: Phase) -> impl Iterator<Item = &ReleaseCommand> {
        self.commands
            .iter()
            .filter(move |command| command.phase == phase)
    }

    pub fn command(&self, label: &Label) -> Option<&ReleaseCommand> {
        self.commands.iter().find(|command| command.label == *label)
    }
}

/// A plugin as it was when the plan was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct PlannedPlugin {
    pub name: PluginName,
    pub version: String,
    pub digest: Digest,
}

/// A command that a source saw and did not take.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Skipped {
    pub what: String,
    pub reason: String,
    pub provenance: Provenance,
}

/// What one release source gave.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collected {
    pub commands: Vec<ReleaseCommand>,
    pub skipped: Vec<Skipped>,
    pub warnings: Vec<String>,
}

/// Settings and files, before the release sources are asked. A deployment
/// builds from its draft, because a source may look into the built image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    pub runtime: RuntimeKind,
    pub build: BuildSettings,
    pub processes: Vec<Process>,
    pub domains: Vec<Domain>,
    pub services: Vec<Service>,
    pub variables: Vec<VariableName>,
    /// The settings' commands, then the file's.
    pub commands: Vec<ReleaseCommand>,
    /// None when nobody has chosen: then every installed source is asked.
    pub release_sources: Option<Vec<PluginName>>,
    pub self_tests: Vec<PluginName>,
    pub notifiers: Vec<PluginName>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PlanError {
    #[error("two release commands have the label {0:?}; labels are unique in a deployment")]
    DuplicateLabel(String),
    #[error(
        "release sources {0} and {1} both have commands for this app; choose with \
         `shipway env set --release-source NAME`, or under [plugins] in {FILE_NAME}"
    )]
    SeveralSources(PluginName, PluginName),
    #[error("release command {label:?}: {problem}")]
    BadCommand {
        label: String,
        problem: &'static str,
    },
    #[error("process type {process}: {problem}")]
    BadProcess {
        process: ProcessName,
        problem: &'static str,
    },
    #[error("there are {0} release commands; a deployment runs at most {MOST_COMMANDS}")]
    TooManyCommands(usize),
    #[error(
        "nothing says how to start the app: add a Procfile with a line `web: COMMAND`, or \
         [processes.web] with a command to {FILE_NAME}, or set it with `shipway env set --command`"
    )]
    NoCommand,
    #[error("service {name:?} names the variable {variable}, which the environment does not have")]
    UnknownVariable { name: String, variable: String },
}

/// The draft of a deployment: settings over file over Procfile.
pub fn draft(
    environment: &Environment,
    file: &File,
    procfile: &[(ProcessName, String)],
) -> Result<Draft, PlanError> {
    let processes = process::resolve(environment, file, procfile);
    check_processes(&processes, environment.runtime)?;
    let settings = environment
        .release_commands
        .iter()
        .cloned()
        .enumerate()
        .map(|(index, command)| command.planned(provenance(Origin::Settings, "", index)));
    let in_file = file
        .release_commands
        .iter()
        .cloned()
        .enumerate()
        .map(|(index, command)| {
            SettingsCommand::from(command).planned(provenance(Origin::File, FILE_NAME, index))
        });
    let commands: Vec<_> = settings.chain(in_file).collect();
    check_commands(&commands)?;
    let choice = Choices {
        settings: environment.plugins.as_ref(),
        file: &file.plugins,
    };
    Ok(Draft {
        runtime: environment.runtime,
        build: merge_build(&environment.build, &file.build),
        processes,
        domains: environment.domains.clone(),
        services: services(environment, file)?,
        variables: environment.variables.keys().cloned().collect(),
        commands,
        release_sources: choice.of(|choice| &choice.release_sources),
        self_tests: choice.of(|choice| &choice.self_tests).unwrap_or_default(),
        notifiers: choice.of(|choice| &choice.notifiers).unwrap_or_default(),
    })
}

impl Draft {
    /// The plan, with what each release source gave, in the order in which
    /// they were asked.
    pub fn complete(
        self,
        commit: Commit,
        collected: Vec<(PluginName, Collected)>,
        plugins: Vec<PlannedPlugin>,
    ) -> Result<Plan, PlanError> {
        if self.release_sources.is_none() {
            refuse_two_speakers(&collected)?;
        }
        let mut commands = self.commands;
        let mut skipped = Vec::new();
        let mut warnings = Vec::new();
        for (name, gift) in collected {
            commands.extend(gift.commands);
            skipped.extend(gift.skipped);
            warnings.extend(
                gift.warnings
                    .into_iter()
                    .map(|warning| format!("{name}: {warning}")),
            );
        }
        make_labels_unique(&mut commands);
        check_commands(&commands)?;
        Ok(Plan {
            commit,
            runtime: self.runtime,
            build: self.build,
            processes: self.processes,
            domains: self.domains,
            services: self.services,
            variables: self.variables,
            commands,
            skipped,
            warnings,
            plugins,
            self_tests: self.self_tests,
        })
    }
}

/// The settings' plugin choice over the file's, role by role.
struct Choices<'a> {
    settings: Option<&'a PluginChoice>,
    file: &'a PluginChoice,
}

impl Choices<'_> {
    fn of(
        &self,
        role: impl Fn(&PluginChoice) -> &Option<Vec<PluginName>>,
    ) -> Option<Vec<PluginName>> {
        self.settings
            .and_then(|choice| role(choice).clone())
            .or_else(|| role(self.file).clone())
    }
}

fn provenance(origin: Origin, file: &str, index: usize) -> Provenance {
    Provenance {
        origin,
        file: file.to_owned(),
        place: format!("release command {}", index + 1),
    }
}

fn check_processes(processes: &[Process], runtime: RuntimeKind) -> Result<(), PlanError> {
    for process in processes {
        if let Some(problem) = process.health.problem() {
            return Err(PlanError::BadProcess {
                process: process.name.clone(),
                problem,
            });
        }
        if runtime == RuntimeKind::Process && process.command.is_none() {
            return Err(PlanError::NoCommand);
        }
    }
    Ok(())
}

fn check_commands(commands: &[ReleaseCommand]) -> Result<(), PlanError> {
    if commands.len() > MOST_COMMANDS {
        return Err(PlanError::TooManyCommands(commands.len()));
    }
    let mut seen = BTreeSet::new();
    for command in commands {
        let label = command.label.to_string();
        let invocations = std::iter::once(&command.run).chain(&command.undo);
        if let Some(problem) = invocations.into_iter().find_map(|run| run.problem()) {
            return Err(PlanError::BadCommand { label, problem });
        }
        if !(1..=LONGEST_TIMEOUT_SECONDS).contains(&command.timeout_seconds) {
            let problem = "the timeout must be between 1 second and 24 hours";
            return Err(PlanError::BadCommand { label, problem });
        }
        if !seen.insert(&command.label) {
            return Err(PlanError::DuplicateLabel(label));
        }
    }
    Ok(())
}

/// Two sources that both speak are an error until one is chosen.
fn refuse_two_speakers(collected: &[(PluginName, Collected)]) -> Result<(), PlanError> {
    let mut speakers = collected
        .iter()
        .filter(|(_, gift)| !gift.commands.is_empty());
    match (speakers.next(), speakers.next()) {
        (Some((first, _)), Some((second, _))) => {
            Err(PlanError::SeveralSources(first.clone(), second.clone()))
        }
        _ => Ok(()),
    }
}

/// A plugin does not know what labels others use, so a repeat of its own label
/// gets the plugin's name and, if need be, a number.
fn make_labels_unique(commands: &mut [ReleaseCommand]) {
    let mut seen: BTreeSet<Label> = BTreeSet::new();
    for command in commands {
        if seen.contains(&command.label)
            && let Origin::Plugin(name) = &command.provenance.origin
        {
            let base: String = command.label.as_str().chars().take(120).collect();
            let candidates = std::iter::once(format!("{base} ({name})"))
                .chain((2..=MOST_COMMANDS).map(|n| format!("{base} ({name}, {n})")));
            let free = candidates
                .filter_map(|text| text.parse().ok())
                .find(|label| !seen.contains(label));
            if let Some(label) = free {
                command.label = label;
            }
        }
        seen.insert(command.label.clone());
    }
}

fn merge_build(settings: &BuildSettings, file: &BuildSettings) -> BuildSettings {
    let mut args: BTreeMap<String, String> = file.args.clone();
    args.extend(settings.args.clone());
    BuildSettings {
        dockerfile: settings
            .dockerfile
            .clone()
            .or_else(|| file.dockerfile.clone()),
        command: settings.command.clone().or_else(|| file.command.clone()),
        args,
        cache: Some(settings.cache.or(file.cache).unwrap_or(LayerCache::Off)),
    }
}

/// The settings' services, then the file's of other names. `$NAME` is checked
/// here and filled in by [`service_url`] when it is probed, so that no secret
/// stands in a plan.
fn services(environment: &Environment, file: &File) -> Result<Vec<Service>, PlanError> {
    let mut services = environment.services.clone();
    for service in &file.services {
        if !services.iter().any(|known| known.name == service.name) {
            services.push(service.clone());
        }
    }
    for service in &services {
        service_url(service, &environment.variables)?;
    }
    Ok(services)
}

/// The URL of a service with its variable filled in. It may hold a password.
pub fn service_url(
    service: &Service,
    variables: &BTreeMap<VariableName, Variable>,
) -> Result<crate::secret::Secret, PlanError> {
    let Some(name) = service.url.strip_prefix('$') else {
        return Ok(crate::secret::Secret::new(service.url.clone()));
    };
    let name = name.trim_start_matches('{').trim_end_matches('}');
    variables
        .iter()
        .find(|(known, _)| known.as_str() == name)
        .map(|(_, value)| crate::secret::Secret::new(value.reveal()))
        .ok_or_else(|| PlanError::UnknownVariable {
            name: service.name.clone(),
            variable: name.to_owned(),
        })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::environment::{EnvironmentKey, ProcessSettings};
    use crate::name::Timestamp;
    use crate::release::{Entrypoint, Invocation, When};

    fn environment() -> Environment {
        let key = EnvironmentKey {
            app: "shop".parse().unwrap(),
            environment: "live".parse().unwrap(),
        };
        Environment::new(key, RuntimeKind::Docker, Timestamp::from_millis(0))
    }

    fn commit() -> Commit {
        Commit {
            id: "0".repeat(40).parse().unwrap(),
            subject: "x".into(),
            author: "y".into(),
        }
    }

    fn command(label: &str, plugin: &str) -> ReleaseCommand {
        ReleaseCommand {
            label: label.parse().unwrap(),
            run: Invocation::Shell("true".into()),
            phase: Phase::Release,
            entrypoint: Entrypoint::Bypass,
            timeout_seconds: 60,
            when: When::Always,
            cancel: crate::release::CancelPolicy::Allowed,
            undo: None,
            provenance: Provenance {
                origin: Origin::Plugin(plugin.parse().unwrap()),
                file: String::new(),
                place: String::new(),
            },
        }
    }

    fn gift(labels: &[&str], plugin: &str) -> (PluginName, Collected) {
        let commands = labels.iter().map(|label| command(label, plugin)).collect();
        (
            plugin.parse().unwrap(),
            Collected {
                commands,
                ..Collected::default()
            },
        )
    }

    #[test]
    fn settings_win_over_the_file_and_the_file_over_the_procfile() {
        let mut environment = environment();
        let web: ProcessName = "web".parse().unwrap();
        let settings = ProcessSettings {
            instances: Some(3),
            ..ProcessSettings::default()
        };
        environment.processes.insert(web.clone(), settings);
        let file = File::parse("[processes.web]\nport = 9000\ninstances = 2\n").unwrap();
        let draft = draft(&environment, &file, &[(web, "serve".into())]).unwrap();
        let process = &draft.processes[0];
        assert_eq!((process.instances, process.port), (3, Some(9000)));
        assert_eq!(process.command.as_deref(), Some("serve"));
    }

    #[test]
    fn settings_commands_come_first_then_the_file_then_the_sources() {
        let mut environment = environment();
        environment.release_commands = vec![SettingsCommand {
            label: "first".parse().unwrap(),
            run: Invocation::Shell("a".into()),
            phase: Phase::Release,
            timeout_seconds: None,
            when: When::Always,
            cancel: crate::release::CancelPolicy::Allowed,
            undo: None,
        }];
        let file = File::parse("[[release]]\nlabel = \"second\"\nrun = \"b\"\n").unwrap();
        let plan = draft(&environment, &file, &[])
            .unwrap()
            .complete(commit(), vec![gift(&["third", "first"], "aldryn")], vec![])
            .unwrap();
        let labels: Vec<_> = plan.commands.iter().map(|c| c.label.as_str()).collect();
        assert_eq!(labels, ["first", "second", "third", "first (aldryn)"]);
        assert_eq!(plan.commands[0].timeout_seconds, 1800);
    }

    #[test]
    fn two_sources_that_speak_are_an_error_until_one_is_chosen() {
        let two = vec![gift(&["a"], "aldryn"), gift(&["b"], "procfile")];
        let undecided = draft(&environment(), &File::default(), &[]).unwrap();
        assert!(matches!(
            undecided.complete(commit(), two.clone(), vec![]),
            Err(PlanError::SeveralSources(..))
        ));
        let file =
            File::parse("[plugins]\nrelease-sources = [\"aldryn\", \"procfile\"]\n").unwrap();
        let decided = draft(&environment(), &file, &[]).unwrap();
        assert_eq!(
            decided
                .complete(commit(), two, vec![])
                .unwrap()
                .commands
                .len(),
            2
        );
    }

    #[test]
    fn the_process_runtime_needs_a_command() {
        let mut environment = environment();
        environment.runtime = RuntimeKind::Process;
        assert_eq!(
            draft(&environment, &File::default(), &[]),
            Err(PlanError::NoCommand)
        );
    }

    #[test]
    fn a_service_may_name_a_variable_and_the_plan_does_not_hold_its_value() {
        let mut environment = environment();
        let file = File::parse("[[services]]\nname = \"db\"\nurl = \"$DATABASE_URL\"\n").unwrap();
        assert!(matches!(
            draft(&environment, &file, &[]),
            Err(PlanError::UnknownVariable { .. })
        ));
        let secret = Variable::Secret(crate::secret::Secret::new("postgres://u:p@h/d"));
        environment
            .variables
            .insert("DATABASE_URL".parse().unwrap(), secret);
        let draft = draft(&environment, &file, &[]).unwrap();
        assert_eq!(draft.services[0].url, "$DATABASE_URL");
        let url = service_url(&draft.services[0], &environment.variables).unwrap();
        assert_eq!(url.reveal(), "postgres://u:p@h/d");
    }
}
