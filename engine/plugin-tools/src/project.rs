//! `shipway-plugin.toml`: what a plugin's project says of itself.

use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use shipway_core::plugin::Role;

use crate::embedded;
use crate::language::Language;

/// The file in the project's folder.
pub const FILE: &str = "shipway-plugin.toml";

/// A plugin's project, read and understood.
#[derive(Debug, Clone)]
pub struct Project {
    /// Absolute.
    pub folder: PathBuf,
    /// In lower case with dashes.
    pub name: String,
    /// At least one, sorted, each once.
    pub roles: Vec<Role>,
    /// Absolute.
    pub sdk: PathBuf,
    pub language: Language,
    /// Where the component goes. Absolute.
    pub output: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum ProjectError {
    #[error("{0} is no plugin project: it has no {FILE}")]
    NoProject(PathBuf),
    #[error("could not read {path}")]
    Read { path: PathBuf, source: io::Error },
    #[error("{path} is not understood")]
    Parse {
        path: PathBuf,
        source: Box<toml::de::Error>,
    },
    #[error("{FILE} names no role")]
    NoRole,
    #[error("there is no language `{0}`")]
    NoLanguage(String),
    #[error("{folder} is the SDK of {found}, and {FILE} says {wanted}")]
    OtherLanguage {
        folder: PathBuf,
        found: String,
        wanted: String,
    },
    #[error("the folder of the SDK, {0}, is missing")]
    NoSdk(PathBuf),
}

impl ProjectError {
    /// What its reader may do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoProject(_) => {
                Some("name the project's folder, or begin one with `shipway plugin new`".to_owned())
            }
            Self::NoRole => {
                Some("set roles to one or more of release-source, notifier, self-test".to_owned())
            }
            Self::NoLanguage(_) => Some(format!(
                "set language to one of {}",
                embedded::LANGUAGES.join(", ")
            )),
            Self::NoSdk(_) => Some(format!(
                "commit the SDK's folder with the project; a copy is in every project that \
                 `shipway plugin new` makes, and `sdk` in {FILE} says where it is"
            )),
            Self::Read { .. } | Self::Parse { .. } | Self::OtherLanguage { .. } => None,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Text {
    language: String,
    roles: Vec<Role>,
    #[serde(default = "usual_sdk")]
    sdk: PathBuf,
    /// The folder's name unless set.
    name: Option<String>,
    output: Option<PathBuf>,
}

/// Where the SDK lies in a new project.
pub const SDK: &str = "shipway-sdk";

fn usual_sdk() -> PathBuf {
    SDK.into()
}

impl Project {
    /// Reads the project of a folder.
    ///
    /// # Errors
    /// When there is none, or it or its SDK is not understood.
    pub fn read(folder: &Path) -> Result<Self, ProjectError> {
        let folder = absolute(folder)?;
        let file = folder.join(FILE);
        if !file.is_file() {
            return Err(ProjectError::NoProject(folder));
        }
        let text: Text = parse(&file)?;
        let mut roles = text.roles;
        roles.sort_unstable();
        roles.dedup();
        if roles.is_empty() {
            return Err(ProjectError::NoRole);
        }
        let sdk = folder.join(text.sdk);
        let language = language(&sdk, &text.language)?;
        let name = text.name.unwrap_or_else(|| dashed(&folder));
        let output = text
            .output
            .unwrap_or_else(|| format!("build/{name}.wasm").into());
        Ok(Self {
            sdk: absolute(&sdk)?,
            output: folder.join(output),
            folder,
            name,
            roles,
            language,
        })
    }

    /// Scratch space, which no repository keeps.
    pub fn work(&self) -> PathBuf {
        self.folder.join("build")
    }

    /// `notifier,self-test`
    pub fn role_names(&self) -> String {
        let names: Vec<String> = self.roles.iter().map(ToString::to_string).collect();
        names.join(",")
    }
}

/// The project's own SDK says how it is built.
fn language(sdk: &Path, name: &str) -> Result<Language, ProjectError> {
    if !embedded::LANGUAGES.contains(&name) && !sdk.is_dir() {
        return Err(ProjectError::NoLanguage(name.to_owned()));
    }
    let description = sdk.join("language.toml");
    if !description.is_file() {
        return Err(ProjectError::NoSdk(sdk.to_owned()));
    }
    let language: Language = parse(&description)?;
    if language.name != name {
        return Err(ProjectError::OtherLanguage {
            folder: sdk.to_owned(),
            found: language.name,
            wanted: name.to_owned(),
        });
    }
    Ok(language)
}

fn parse<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, ProjectError> {
    let text = std::fs::read_to_string(path).map_err(|source| ProjectError::Read {
        path: path.to_owned(),
        source,
    })?;
    toml::from_str(&text).map_err(|source| ProjectError::Parse {
        path: path.to_owned(),
        source: Box::new(source),
    })
}

fn absolute(path: &Path) -> Result<PathBuf, ProjectError> {
    path.canonicalize().map_err(|source| ProjectError::Read {
        path: path.to_owned(),
        source,
    })
}

/// The folder's name in lower case, with dashes for all that is no letter or
/// digit.
fn dashed(folder: &Path) -> String {
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let characters = name.chars().map(|character| match character {
        'a'..='z' | '0'..='9' => character,
        'A'..='Z' => character.to_ascii_lowercase(),
        _ => '-',
    });
    let name: String = characters.collect();
    match name.trim_matches('-') {
        "" => "plugin".to_owned(),
        trimmed => trimmed.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LANGUAGE: &str = "name = \"x\"\ntitle = \"X\"\nsdk = { files = [] }\n\
                            output = { component = \"{work}/x.wasm\" }\n";

    fn project(text: &str) -> (tempfile::TempDir, Result<Project, ProjectError>) {
        let folder = tempfile::tempdir().unwrap();
        let inside = folder.path().join("My Hook");
        std::fs::create_dir_all(inside.join(SDK)).unwrap();
        std::fs::write(inside.join(SDK).join("language.toml"), LANGUAGE).unwrap();
        std::fs::write(inside.join(FILE), text).unwrap();
        let read = Project::read(&inside);
        (folder, read)
    }

    #[test]
    fn a_project_has_defaults_for_all_but_language_and_roles() {
        let (_folder, read) =
            project("language = \"x\"\nroles = [\"self-test\", \"notifier\", \"self-test\"]\n");
        let read = read.unwrap();
        assert_eq!(read.roles, [Role::Notifier, Role::SelfTest]);
        assert_eq!(read.name, "my-hook");
        assert_eq!(read.role_names(), "notifier,self-test");
        assert!(read.output.ends_with("My Hook/build/my-hook.wasm"));
        assert!(read.sdk.ends_with("My Hook/shipway-sdk"));
    }

    #[test]
    fn name_and_output_can_be_set() {
        let (_folder, read) = project(
            "language = \"x\"\nroles = [\"notifier\"]\nname = \"a\"\noutput = \"out/b.wasm\"\n",
        );
        let read = read.unwrap();
        assert_eq!(read.name, "a");
        assert!(read.output.ends_with("My Hook/out/b.wasm"));
    }

    #[test]
    fn what_is_wrong_is_said() {
        let message = |text: &str| project(text).1.unwrap_err();
        assert!(matches!(
            message("language = \"x\"\nroles = []\n"),
            ProjectError::NoRole
        ));
        let other = message("language = \"rust\"\nroles = [\"notifier\"]\n");
        assert!(other.to_string().contains("is the SDK of x"), "{other}");
        let unknown = message("language = \"x\"\nroles = [\"cook\"]\n");
        assert!(matches!(unknown, ProjectError::Parse { .. }));
        let gone = message("language = \"x\"\nroles = [\"notifier\"]\nsdk = \"elsewhere\"\n");
        assert!(matches!(gone, ProjectError::NoLanguage(_)), "{gone}");
    }
}
