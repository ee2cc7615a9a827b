//! Process types: what runs as instances once a deployment is live.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::environment::{Environment, ProcessSettings};
use crate::file::File;
use crate::health::HealthRule;
use crate::name::ProcessName;

/// The port that the `web` process is told to open when nobody names one. The
/// process runtime gives each instance a free port instead.
pub const DEFAULT_PORT: u16 = 8000;
/// More instances of one type than this are a slip of the finger.
pub const MOST_INSTANCES: u32 = 100;

/// One process type of a plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
pub struct Process {
    pub name: ProcessName,
    /// For `sh -c`; without one the image's own command runs.
    pub command: Option<String>,
    /// The port it opens, told as `PORT`. Only types with a port are routed.
    pub port: Option<u16>,
    pub instances: u32,
    pub health: HealthRule,
    /// Who named the command, for the plan.
    pub decided_by: DecidedBy,
}

/// Which of the places that may say something won.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(utoipa::ToSchema))]
#[serde(rename_all = "kebab-case")]
pub enum DecidedBy {
    Settings,
    File,
    Procfile,
    /// The image's own command.
    Image,
}

impl std::fmt::Display for DecidedBy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Settings => "settings",
            Self::File => "shipway.toml",
            Self::Procfile => "Procfile",
            Self::Image => "the image",
        })
    }
}

/// The process types that run: settings over file over Procfile over image.
/// A type with no instances is left out.
pub fn resolve(
    environment: &Environment,
    file: &File,
    procfile: &[(ProcessName, String)],
) -> Vec<Process> {
    let procfile: BTreeMap<_, _> = procfile
        .iter()
        .map(|(name, command)| (name, command.as_str()))
        .collect();
    let mut names: Vec<&ProcessName> = procfile.keys().copied().collect();
    names.extend(file.processes.keys());
    names.extend(environment.processes.keys());
    names.sort();
    names.dedup();

    let web = web();
    if names.is_empty() {
        names.extend(&web);
    }
    names
        .into_iter()
        .map(|name| {
            let settings = environment.processes.get(name);
            let in_file = file.processes.get(name);
            resolve_one(name, settings, in_file, procfile.get(name).copied())
        })
        .filter(|process| process.instances > 0)
        .collect()
}

fn resolve_one(
    name: &ProcessName,
    settings: Option<&ProcessSettings>,
    file: Option<&ProcessSettings>,
    procfile: Option<&str>,
) -> Process {
    let (command, decided_by) = settings
        .and_then(|s| s.command.clone().map(|c| (c, DecidedBy::Settings)))
        .or_else(|| file.and_then(|f| f.command.clone().map(|c| (c, DecidedBy::File))))
        .or_else(|| procfile.map(|c| (c.to_owned(), DecidedBy::Procfile)))
        .map_or((None, DecidedBy::Image), |(command, by)| {
            (Some(command), by)
        });
    let default_port = (name.as_str() == "web").then_some(DEFAULT_PORT);
    Process {
        name: name.clone(),
        command,
        port: settings
            .and_then(|s| s.port)
            .or(file.and_then(|f| f.port))
            .or(default_port),
        instances: settings
            .and_then(|s| s.instances)
            .or(file.and_then(|f| f.instances))
            .unwrap_or(1)
            .min(MOST_INSTANCES),
        health: settings
            .and_then(|s| s.health.clone())
            .or_else(|| file.and_then(|f| f.health.clone()))
            .unwrap_or_default(),
        decided_by,
    }
}

fn web() -> Option<ProcessName> {
    "web".parse().ok()
}
