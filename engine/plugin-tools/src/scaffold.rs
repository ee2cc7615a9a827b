//! A new project from a language's template, with a copy of the SDK in it, so
//! that it builds without us, years later and offline.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::{fs, io};

use serde::Serialize;
use shipway_core::name::PluginName;
use shipway_core::plugin::Role;

use crate::embedded;
use crate::language::{Language, Replacement};
use crate::project::SDK;
use crate::toolbox::NoLanguage;
use crate::words::fill_template;

/// What a new project is to be.
#[derive(Debug, Clone)]
pub struct NewProject {
    pub language: String,
    pub role: Role,
    pub name: PluginName,
    /// Must not be there yet, or be empty.
    pub directory: PathBuf,
}

/// A project that was made.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub struct Created {
    pub directory: PathBuf,
    pub language: String,
    /// The language as people write it.
    pub title: String,
    pub role: Role,
    /// In the directory, sorted; without those of the SDK.
    pub files: Vec<PathBuf>,
}

#[derive(Debug, thiserror::Error)]
pub enum NewError {
    #[error(transparent)]
    NoLanguage(#[from] NoLanguage),
    #[error("{title} has no template for the role {role} yet")]
    NoTemplate { title: String, role: Role },
    #[error("`{name}` is a word of its own in {title}, so no plugin there can have it as its name")]
    Reserved { name: PluginName, title: String },
    #[error("{0} is there already and not empty")]
    NotEmpty(PathBuf),
    #[error("could not write {path}")]
    Write { path: PathBuf, source: io::Error },
    #[error("{file} of the SDK of {title} does not hold what is to be replaced in it")]
    Replace { file: String, title: String },
}

impl NewError {
    /// What its reader may do.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoLanguage(_) => {
                Some(format!("choose one of {}", embedded::LANGUAGES.join(", ")))
            }
            Self::Reserved { .. } => Some("choose another name".to_owned()),
            Self::NotEmpty(_) => {
                Some("choose another name, or another place with --directory".to_owned())
            }
            Self::NoTemplate { .. } | Self::Write { .. } | Self::Replace { .. } => None,
        }
    }
}

/// A file's path in the project, and its bytes.
type File = (PathBuf, Cow<'static, [u8]>);

pub(crate) fn create(language: &Language, wish: &NewProject) -> Result<Created, NewError> {
    let name = wish.name.as_str();
    if language
        .reserved_names
        .iter()
        .any(|reserved| reserved == name)
    {
        return Err(NewError::Reserved {
            name: wish.name.clone(),
            title: language.title.clone(),
        });
    }
    let own = template(language, wish.role, name)?;
    let sdk = sdk(language)?;
    let mut files: Vec<PathBuf> = own.iter().map(|(path, _)| path.clone()).collect();
    files.sort();
    write(&wish.directory, own.into_iter().chain(sdk))?;
    Ok(Created {
        directory: wish.directory.clone(),
        language: language.name.clone(),
        title: language.title.clone(),
        role: wish.role,
        files,
    })
}

fn template(language: &Language, role: Role, name: &str) -> Result<Vec<File>, NewError> {
    let folder = format!("sdk/{}/templates/{role}", language.name);
    let files: Vec<File> = embedded::under(&folder)
        .map(|(path, bytes)| (target(&fill_template(path, name)), filled(bytes, name)))
        .collect();
    if files.is_empty() {
        return Err(NewError::NoTemplate {
            title: language.title.clone(),
            role,
        });
    }
    Ok(files)
}

/// Tools would take some files for their own if they lay in the repository
/// under their real names.
fn target(path: &str) -> PathBuf {
    let path = path.strip_suffix(".template").unwrap_or(path);
    let path = PathBuf::from(path);
    match path.file_name() {
        Some(name) if name == "gitignore" => path.with_file_name(".gitignore"),
        _ => path,
    }
}

fn filled(bytes: &'static [u8], name: &str) -> Cow<'static, [u8]> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Owned(fill_template(text, name).into_bytes()),
        Err(_) => Cow::Borrowed(bytes),
    }
}

/// The SDK's files, how it builds, and the contract it was written for.
fn sdk(language: &Language) -> Result<Vec<File>, NewError> {
    let folder = format!("sdk/{}", language.name);
    let into = Path::new(SDK);
    let own = embedded::under(&folder)
        .filter(|(path, _)| !path.starts_with("templates/"))
        .map(|(path, bytes)| (target(path), Cow::Borrowed(bytes)));
    let mut files: Vec<File> = own.collect();
    for replacement in &language.sdk.replace {
        replace(&mut files, replacement).ok_or_else(|| NewError::Replace {
            file: replacement.file.clone(),
            title: language.title.clone(),
        })?;
    }
    let contract = embedded::under("wit")
        .map(|(path, bytes)| (Path::new("wit").join(path), Cow::Borrowed(bytes)));
    files.extend(contract);
    Ok(files
        .into_iter()
        .map(|(path, bytes)| (into.join(path), bytes))
        .collect())
}

fn replace(files: &mut [File], wish: &Replacement) -> Option<()> {
    let wanted = Path::new(&wish.file);
    let (_, bytes) = files.iter_mut().find(|(path, _)| path == wanted)?;
    let text = std::str::from_utf8(bytes).ok()?;
    let replaced = text
        .contains(&wish.text)
        .then(|| text.replace(&wish.text, &wish.with))?;
    *bytes = Cow::Owned(replaced.into_bytes());
    Some(())
}

/// A project is whole or not there: it is written into a folder of its own in
/// its place, and moved up from there. The place itself stays the same folder,
/// since somebody's shell may be in it.
fn write(directory: &Path, files: impl Iterator<Item = File>) -> Result<(), NewError> {
    refuse_if_taken(directory)?;
    let is_new = !directory.exists();
    let stage = directory.join(format!(".new-{}", std::process::id()));
    let written = write_into(&stage, files).and_then(|()| move_up(&stage, directory));
    if written.is_err() {
        let rest = if is_new { directory } else { &stage };
        // It may not have come into being at all.
        let _ = fs::remove_dir_all(rest);
    }
    written
}

fn move_up(stage: &Path, directory: &Path) -> Result<(), NewError> {
    let problem = |source| NewError::Write {
        path: directory.to_owned(),
        source,
    };
    for entry in fs::read_dir(stage).map_err(problem)? {
        let entry = entry.map_err(problem)?;
        let target = directory.join(entry.file_name());
        fs::rename(entry.path(), target).map_err(problem)?;
    }
    fs::remove_dir(stage).map_err(problem)
}

fn refuse_if_taken(directory: &Path) -> Result<(), NewError> {
    let free = match fs::read_dir(directory) {
        Ok(mut entries) => entries.next().is_none(),
        Err(error) => error.kind() == io::ErrorKind::NotFound,
    };
    match free {
        true => Ok(()),
        false => Err(NewError::NotEmpty(directory.to_owned())),
    }
}

fn write_into(folder: &Path, files: impl Iterator<Item = File>) -> Result<(), NewError> {
    for (path, bytes) in files {
        let path = folder.join(path);
        let written = path
            .parent()
            .map_or(Ok(()), fs::create_dir_all)
            .and_then(|()| fs::write(&path, bytes));
        written.map_err(|source| NewError::Write { path, source })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_tools_would_take_for_theirs_are_restored() {
        assert_eq!(target("gitignore"), Path::new(".gitignore"));
        assert_eq!(target("a/gitignore"), Path::new("a/.gitignore"));
        assert_eq!(target("Cargo.toml.template"), Path::new("Cargo.toml"));
        assert_eq!(target("src/lib.rs"), Path::new("src/lib.rs"));
    }

    #[test]
    fn a_taken_place_is_refused_and_an_empty_one_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let files = || [(PathBuf::from("a/b"), Cow::Borrowed(&b"c"[..]))].into_iter();
        let empty = folder.path().join("empty");
        fs::create_dir(&empty).unwrap();
        write(&empty, files()).unwrap();
        assert_eq!(fs::read(empty.join("a/b")).unwrap(), b"c");
        assert!(matches!(write(&empty, files()), Err(NewError::NotEmpty(_))));
        let file = empty.join("a/b");
        assert!(matches!(write(&file, files()), Err(NewError::NotEmpty(_))));
        let left: Vec<_> = fs::read_dir(&empty).unwrap().collect();
        assert_eq!(left.len(), 1, "{left:?}");
    }

    #[test]
    fn nothing_is_left_when_a_file_cannot_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let files = [
            (PathBuf::from("a"), Cow::Borrowed(&b"x"[..])),
            (PathBuf::from("a/b"), Cow::Borrowed(&b"y"[..])),
        ];
        let place = folder.path().join("p");
        assert!(write(&place, files.into_iter()).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_replacement_must_find_its_text() {
        let mut files = vec![(PathBuf::from("a.rs"), Cow::Borrowed(&b"one two"[..]))];
        let wish = |text: &str| Replacement {
            file: "a.rs".to_owned(),
            text: text.to_owned(),
            with: "2".to_owned(),
        };
        assert_eq!(replace(&mut files, &wish("three")), None);
        assert_eq!(replace(&mut files, &wish("two")), Some(()));
        assert_eq!(files[0].1.as_ref(), b"one 2");
    }
}
