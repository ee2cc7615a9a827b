//! From a project to a checked component.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{fs, io};

use serde::Serialize;

use crate::bindings::{self, BindingsError};
use crate::check::{self, Fault};
use crate::contract::{self, Contract, ContractError};
use crate::inspect::{InspectError, Inspection, inspect};
use crate::language::Output;
use crate::progress::{Done, Listener, as_millis};
use crate::project::{Project, ProjectError};
use crate::step::{self, StepError};
use crate::tool::{self, ToolError};
use crate::words::{Folders, Words};
use crate::{component, lock};

/// How long a build waits for another one of the same project.
const QUEUE: Duration = Duration::from_secs(900);

/// What a build made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Built {
    /// Absolute.
    pub component: PathBuf,
    pub language: String,
    #[serde(rename = "took-ms", serialize_with = "as_millis")]
    pub took: Duration,
    pub steps: Vec<Done>,
    #[serde(flatten)]
    pub inspection: Inspection,
}

#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    #[error(transparent)]
    Project(#[from] ProjectError),
    #[error(transparent)]
    Tool(#[from] ToolError),
    #[error(transparent)]
    Contract(#[from] ContractError),
    #[error(transparent)]
    Bindings(#[from] BindingsError),
    #[error(transparent)]
    Step(#[from] StepError),
    #[error("the path {0} is not UTF-8, which no toolchain takes")]
    Path(PathBuf),
    #[error("could not begin to build in {folder}")]
    Begin { folder: PathBuf, source: io::Error },
    #[error("the steps left no file {0}")]
    NothingMade(PathBuf),
    #[error("the steps left more than one file {0}")]
    Several(PathBuf),
    #[error("could not read {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("could not write {path}")]
    Write { path: PathBuf, source: io::Error },
    #[error("could not make a component of {path}")]
    Encode {
        path: PathBuf,
        source: Box<dyn Error + Send + Sync>,
    },
    #[error("what the steps made in {path} is no component")]
    Inspect { path: PathBuf, source: InspectError },
    #[error("{path} is no plugin yet")]
    Check { path: PathBuf, source: Fault },
}

impl BuildError {
    /// What its reader may do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Project(error) => error.hint(),
            Self::Tool(error) => error.hint(),
            Self::Step(error) => error.hint(),
            Self::Check { source, .. } => source.hint(),
            _ => None,
        }
    }

    /// The last lines that the failed step printed.
    pub fn output(&self) -> &[String] {
        match self {
            Self::Step(error) => error.output(),
            _ => &[],
        }
    }
}

/// One build under way.
struct Build {
    project: Project,
    folders: Folders,
    words: Words,
    steps: Vec<Done>,
}

/// Builds the project of a folder. `caches` holds a folder for each language.
pub(crate) async fn run(
    folder: &Path,
    caches: &Path,
    listener: &mut Listener<'_>,
) -> Result<Built, BuildError> {
    let begun = Instant::now();
    let mut build = Build::of(Project::read(folder)?, caches)?;
    let _lock = build.begin(listener).await?;
    build.check_tools().await?;
    let contract = build.generate()?;
    build.forget_output()?;
    build.run_steps(listener).await?;
    let made = build.output()?;
    let bytes = build.component(&made, &contract)?;
    let inspection = build.check(&made, &bytes)?;
    build.keep(&bytes)?;
    Ok(Built {
        component: build.project.output,
        language: build.project.language.name,
        took: begun.elapsed(),
        steps: build.steps,
        inspection,
    })
}

impl Build {
    fn of(project: Project, caches: &Path) -> Result<Self, BuildError> {
        let folders = Folders {
            project: project.folder.clone(),
            sdk: project.sdk.clone(),
            work: project.work(),
            cache: caches.join(&project.language.name),
        };
        let words =
            Words::new(&folders, &project.name, &project.role_names()).map_err(BuildError::Path)?;
        Ok(Self {
            project,
            folders,
            words,
            steps: Vec::new(),
        })
    }

    async fn begin(&self, listener: &mut Listener<'_>) -> Result<lock::Lock, BuildError> {
        let problem = |folder: &Path| {
            let folder = folder.to_owned();
            move |source| BuildError::Begin { folder, source }
        };
        let (cache, work) = (&self.folders.cache, &self.folders.work);
        fs::create_dir_all(cache).map_err(problem(cache))?;
        lock::hold(work, QUEUE, listener)
            .await
            .map_err(problem(work))
    }

    async fn check_tools(&self) -> Result<(), BuildError> {
        for tool in &self.project.language.tools {
            tool::check(tool, &self.words).await?;
        }
        Ok(())
    }

    fn generate(&self) -> Result<Contract, BuildError> {
        let roles = &self.project.roles;
        let contract = contract::write(&self.project.sdk, &self.folders.wit(), roles)?;
        if let Some(kind) = self.project.language.bindings {
            bindings::write(kind, &contract, &self.folders.bindings())?;
        }
        Ok(contract)
    }

    /// Takes away what the last build left, so that it is never taken for
    /// what this one made.
    fn forget_output(&self) -> Result<(), BuildError> {
        for path in matching(&self.output_pattern()) {
            fs::remove_file(&path).map_err(|source| BuildError::Write { path, source })?;
        }
        Ok(())
    }

    async fn run_steps(&mut self, listener: &mut Listener<'_>) -> Result<(), BuildError> {
        for step in &self.project.language.steps {
            let done = step::run(step, &self.words, &self.folders, listener).await?;
            self.steps.extend(done);
        }
        Ok(())
    }

    fn output_pattern(&self) -> PathBuf {
        let path = self.words.fill(self.project.language.output.path());
        self.folders.project.join(path)
    }

    fn output(&self) -> Result<PathBuf, BuildError> {
        let pattern = self.output_pattern();
        let mut found = matching(&pattern).into_iter();
        match (found.next(), found.next()) {
            (Some(path), None) => Ok(path),
            (Some(_), Some(_)) => Err(BuildError::Several(pattern)),
            (None, _) => Err(BuildError::NothingMade(pattern)),
        }
    }

    fn component(&self, made: &Path, contract: &Contract) -> Result<Vec<u8>, BuildError> {
        let bytes = fs::read(made).map_err(|source| BuildError::Read {
            path: made.to_owned(),
            source,
        })?;
        match self.project.language.output {
            Output::Component(_) => Ok(bytes),
            Output::Module(_) => {
                component::encode(bytes, contract).map_err(|source| BuildError::Encode {
                    path: made.to_owned(),
                    source,
                })
            }
        }
    }

    fn check(&self, made: &Path, bytes: &[u8]) -> Result<Inspection, BuildError> {
        let inspection = inspect(bytes).map_err(|source| BuildError::Inspect {
            path: made.to_owned(),
            source,
        })?;
        check::check(&inspection, &self.project.roles).map_err(|source| BuildError::Check {
            path: made.to_owned(),
            source,
        })?;
        Ok(inspection)
    }

    /// Whole or not at all: somebody may be watching the file.
    fn keep(&self, bytes: &[u8]) -> Result<(), BuildError> {
        let path = &self.project.output;
        let beside = path.with_extension("wasm.new");
        let written = path
            .parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&beside, bytes))
            .and_then(|()| fs::rename(&beside, path));
        written.map_err(|source| BuildError::Write {
            path: path.clone(),
            source,
        })
    }
}

/// The files that a pattern stands for: one `*` in the file's name is any text.
fn matching(pattern: &Path) -> Vec<PathBuf> {
    let name = pattern.file_name().unwrap_or_default().to_string_lossy();
    let Some((before, after)) = name.split_once('*') else {
        return Some(pattern.to_owned())
            .filter(|path| path.is_file())
            .into_iter()
            .collect();
    };
    let Some(entries) = pattern
        .parent()
        .and_then(|folder| fs::read_dir(folder).ok())
    else {
        return Vec::new();
    };
    let fits = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let length = before.len() + after.len();
        name.len() >= length && name.starts_with(before) && name.ends_with(after) && path.is_file()
    };
    let mut found: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(fits)
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_in_the_name_finds_what_the_steps_left() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["a.wasm", "b.wasm", "a.d", "c.wasm.map"] {
            fs::write(at(name), "").unwrap();
        }
        fs::create_dir(at("d.wasm")).unwrap();
        assert_eq!(matching(&at("*.wasm")), [at("a.wasm"), at("b.wasm")]);
        assert_eq!(matching(&at("b*.wasm")), [at("b.wasm")]);
        assert_eq!(matching(&at("a.wasm")), [at("a.wasm")]);
        assert!(matching(&at("none/*.wasm")).is_empty());
        assert!(matching(&at("none.wasm")).is_empty());
    }
}
