//! A case: what a plugin is asked, what is there for it, and what must come of
//! it. One file each, TOML or JSON; every field has a default.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use serde::Deserialize;
use serde_json::Value;
use shipway_core::grant::Grants;
use shipway_core::name::{CommitId, DeploymentId, VariableName};
use shipway_core::plugin::{PluginLimits, Role};

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Case {
    pub summary: String,
    /// May be left out when the plugin has one role.
    pub role: Option<Role>,
    pub deployment: Deployment,
    pub settings: BTreeMap<String, String>,
    pub secrets: BTreeMap<String, String>,
    pub variables: BTreeMap<VariableName, String>,
    pub secret_variables: BTreeMap<VariableName, String>,
    /// All that the manifest requests, when left out.
    pub grants: Option<Grants>,
    pub limits: PluginLimits,
    pub repository: Repository,
    pub image: Vec<CommandAnswer>,
    pub exec: Vec<CommandAnswer>,
    pub event: Event,
    pub candidate: Vec<Candidate>,
    pub http: Vec<HttpAnswer>,
    pub expect: Expect,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Deployment {
    pub id: DeploymentId,
    pub app: String,
    pub environment: String,
    pub commit: Option<CommitId>,
    pub reference: String,
}

impl Default for Deployment {
    fn default() -> Self {
        Self {
            id: DeploymentId(uuid::Uuid::from_u128(
                0x0198_c0de_0000_7000_8000_0000_0000_0001,
            )),
            app: "shop".to_owned(),
            environment: "live".to_owned(),
            commit: "4f2a0c1e9b7d5a3f8e6c4b2a0d9f7e5c3b1a0f2e".parse().ok(),
            reference: "main".to_owned(),
        }
    }
}

/// The commit's files: a folder beside the case, or written in it.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Repository {
    pub directory: Option<PathBuf>,
    pub files: BTreeMap<String, String>,
    /// Files that are no text, as hexadecimal digits.
    pub hex: BTreeMap<String, String>,
}

/// What a command answers; an argv that no answer has exits with 127.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct CommandAnswer {
    /// Only for commands in the candidate.
    pub process: Option<String>,
    pub argv: Vec<String>,
    pub exit_code: i32,
    pub stdout: String,
    pub stderr: String,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Event {
    pub id: String,
    pub sequence: u64,
    pub time: String,
    pub kind: String,
    pub summary: String,
    pub data: String,
}

impl Default for Event {
    fn default() -> Self {
        Self {
            id: "0198c0de-0000-7000-8000-000000000001/7".to_owned(),
            sequence: 7,
            time: "2026-11-22T10:00:00Z".to_owned(),
            kind: "deployment.ended".to_owned(),
            summary: "shop/live: succeeded".to_owned(),
            data: "{}".to_owned(),
        }
    }
}

/// One instance: an HTTP server on loopback with these answers.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Candidate {
    pub process: String,
    pub host: Option<String>,
    pub answer: Vec<PageAnswer>,
}

/// The first that fits answers; when none does, it is a 404.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct PageAnswer {
    /// Any, when left out.
    pub method: Option<String>,
    /// With the query, if there is one.
    pub path: String,
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Default for PageAnswer {
    fn default() -> Self {
        Self {
            method: None,
            path: "/".to_owned(),
            status: 200,
            headers: BTreeMap::new(),
            body: String::new(),
        }
    }
}

/// What the world outside answers.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct HttpAnswer {
    pub method: Option<String>,
    pub url: String,
    pub status: u16,
    pub headers: BTreeMap<String, String>,
    pub body: String,
}

impl Default for HttpAnswer {
    fn default() -> Self {
        Self {
            method: None,
            url: String::new(),
            status: 200,
            headers: BTreeMap::new(),
            body: String::new(),
        }
    }
}

/// What must come of it. Of objects the keys that are named, of lists every
/// element.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Expect {
    pub result: Option<Value>,
    pub failure: Option<Value>,
    pub error: Option<Value>,
    /// Each is in a line of the log.
    pub log: Vec<String>,
    /// What left for the outside, in order.
    pub requests: Option<Vec<ExpectedRequest>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct ExpectedRequest {
    pub method: Option<String>,
    pub url: Option<String>,
    pub headers: BTreeMap<String, String>,
    pub body: Option<String>,
    pub body_json: Option<Value>,
}

impl Case {
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let shown = path.display();
        let read =
            || std::fs::read_to_string(path).with_context(|| format!("could not read {shown}"));
        let case = match path.extension().and_then(|extension| extension.to_str()) {
            Some("toml") => toml::from_str(&read()?).map_err(anyhow::Error::new),
            Some("json") => serde_json::from_str(&read()?).map_err(anyhow::Error::new),
            _ => bail!("{shown} is no case: the name of one ends in .toml or .json"),
        };
        case.with_context(|| format!("the case {shown} is not understood"))
    }

    /// Every case in a folder, by name.
    pub fn all_in(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
        let shown = folder.display();
        let entries =
            std::fs::read_dir(folder).with_context(|| format!("there are no cases in {shown}"))?;
        let mut cases: Vec<PathBuf> = entries
            .flatten()
            .map(|entry| entry.path())
            .filter(|path| {
                let extension = path.extension().and_then(|extension| extension.to_str());
                matches!(extension, Some("toml" | "json"))
            })
            .collect();
        cases.sort();
        match cases.is_empty() {
            true => bail!("there are no cases in {shown}: files that end in .toml or .json"),
            false => Ok(cases),
        }
    }
}
