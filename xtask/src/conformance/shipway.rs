//! The verbs of `shipway plugin` that authors use, as they use them.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::case::Case;
use super::language::search_path;
use crate::house::House;
use crate::run;

/// The first build of a language installs its toolchain.
const BUILD_LIMIT: Duration = Duration::from_secs(2400);
/// A component of Python takes most of it, to be compiled.
const TEST_LIMIT: Duration = Duration::from_secs(600);
const NEW_LIMIT: Duration = Duration::from_secs(60);

#[derive(Debug, Clone)]
pub struct Shipway {
    pub program: PathBuf,
    root: PathBuf,
    tools: Vec<PathBuf>,
}

impl Shipway {
    pub fn new(house: &House, program: PathBuf) -> Self {
        Self {
            program,
            root: house.root.clone(),
            tools: Vec::new(),
        }
    }

    /// The same, with folders to look for programs in.
    pub fn with_tools(&self, tools: &[PathBuf]) -> Self {
        Self {
            tools: tools.to_vec(),
            ..self.clone()
        }
    }

    pub fn new_project(
        &self,
        language: &str,
        role: &str,
        name: &str,
        directory: &Path,
    ) -> Result<()> {
        let options = ["--role", role, "--lang", language, name, "--directory"];
        let arguments = options.map(OsStr::new).into_iter();
        let mut command = self.plugin("new", arguments.chain([directory.as_os_str()]));
        run::output(&mut command, NEW_LIMIT).map(drop)
    }

    pub fn build(&self, project: &Path) -> Result<()> {
        let mut command = self.plugin("build", [project.as_os_str()]);
        run::output(&mut command, BUILD_LIMIT).map(drop)
    }

    /// Plays every case of a folder on a component. A case that fails is no
    /// error of this function.
    pub fn test(&self, component: &Path, cases: &Path) -> Result<Vec<Case>> {
        let arguments = [
            OsStr::new("--json"),
            component.as_os_str(),
            cases.as_os_str(),
        ];
        let mut command = self.plugin("test", arguments);
        let ended = run::capture(&mut command, TEST_LIMIT)?;
        let Ok(report) = serde_json::from_str::<Value>(&ended.out) else {
            bail!(
                "`shipway plugin test` has no report: {}",
                run::last_lines(ended.err.trim(), 8)
            );
        };
        let cases = report["cases"].as_array();
        let cases = cases.context("the report has no cases")?;
        let cases: Vec<Case> = cases.iter().map(Case::read).collect::<Result<_>>()?;
        if cases.is_empty() {
            bail!("no case was played");
        }
        if ended.status.success() != cases.iter().all(Case::passed) {
            bail!(
                "`shipway plugin test` ended with {} and says otherwise",
                ended.status
            );
        }
        Ok(cases)
    }

    fn plugin<'a>(&self, verb: &str, arguments: impl IntoIterator<Item = &'a OsStr>) -> Command {
        let mut command = Command::new(&self.program);
        command
            .current_dir(&self.root)
            .env("PATH", search_path(&self.tools))
            .args(["plugin", verb])
            .args(arguments);
        command
    }
}
