//! `shipway.toml`: what a commit says about its own deployment. Settings in
//! the control plane win over it.

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Deserializer};

use crate::environment::{BuildSettings, PluginChoice, ProcessSettings, Service};
use crate::name::{Label, ProcessName};
use crate::release::{
    CancelPolicy, Invocation, LONGEST_TIMEOUT_SECONDS, Phase, SettingsCommand, When,
};

/// The name of the file, at the root of the repository.
pub const FILE_NAME: &str = "shipway.toml";

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct File {
    pub build: BuildSettings,
    pub processes: BTreeMap<ProcessName, ProcessSettings>,
    #[serde(rename = "release")]
    pub release_commands: Vec<FileCommand>,
    pub services: Vec<Service>,
    pub plugins: PluginChoice,
}

/// A `[[release]]` table.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileCommand {
    label: Label,
    run: Invocation,
    #[serde(default)]
    phase: Phase,
    #[serde(default, deserialize_with = "duration")]
    timeout: Option<Duration>,
    #[serde(default)]
    when: When,
    #[serde(default)]
    cancel: CancelPolicy,
    undo: Option<Invocation>,
}

/// The file is not what it should be; the message names the line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{FILE_NAME}: {0}")]
pub struct InvalidFile(String);

impl File {
    /// Reads the text of a `shipway.toml`.
    pub fn parse(text: &str) -> Result<Self, InvalidFile> {
        toml::from_str(text).map_err(|error| InvalidFile(error.to_string().trim_end().to_owned()))
    }
}

impl From<FileCommand> for SettingsCommand {
    fn from(command: FileCommand) -> Self {
        Self {
            label: command.label,
            run: command.run,
            phase: command.phase,
            timeout_seconds: command
                .timeout
                .map(|timeout| u32::try_from(timeout.as_secs()).unwrap_or(LONGEST_TIMEOUT_SECONDS)),
            when: command.when,
            cancel: command.cancel,
            undo: command.undo,
        }
    }
}

/// `30m`, `1h 30m`, `90s`.
fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Duration>, D::Error> {
    let text = String::deserialize(deserializer)?;
    humantime::parse_duration(&text).map(Some).map_err(|error| {
        serde::de::Error::custom(format!(
            "{text:?} is no duration such as 30m or 90s: {error}"
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::health::Preset;

    #[test]
    fn the_file_of_the_design_is_read() {
        let file = File::parse(
            r#"
            [build]
            dockerfile = "Dockerfile"
            command = "pip install -r requirements.txt"
            [processes.web]
            command = "gunicorn site.wsgi"
            port = 8000
            instances = 2
            health = { path = "/", preset = "2xx-3xx" }
            [processes.worker]
            command = "celery -A site worker"
            [[release]]
            label = "Migrate the database"
            run = "python manage.py migrate"
            phase = "release"
            timeout = "30m"
            undo = "python manage.py migrate app 0041"
            [[release]]
            label = "List"
            run = ["ls", "-l"]
            [[services]]
            name = "database"
            url = "$DATABASE_URL"
            [plugins]
            release-sources = ["aldryn"]
            self-tests = ["http-check"]
            "#,
        )
        .unwrap();
        let web = &file.processes[&"web".parse().unwrap()];
        assert_eq!(
            web.health.as_ref().unwrap().preset,
            Preset::SuccessOrRedirect
        );
        let migrate = SettingsCommand::from(file.release_commands[0].clone());
        assert_eq!(migrate.timeout_seconds, Some(1800));
        assert_eq!(
            file.release_commands[1].run,
            Invocation::Argv(vec!["ls".into(), "-l".into()])
        );
        assert_eq!(file.services[0].timeout_seconds, 5);
    }

    #[test]
    fn an_error_names_the_line_and_the_word() {
        let error = File::parse("[build]\ndokerfile = \"x\"\n")
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("line 2") && error.contains("dokerfile"),
            "{error}"
        );
    }
}
