//! Writes the files of a commit. Each file is created new, through a handle on
//! the folder it belongs to, so that no name and no link of the commit can lead
//! a write elsewhere.

use std::ffi::OsStr;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use cap_std::fs::{Dir, DirBuilder, OpenOptions, OpenOptionsExt};
use git2::{ObjectType, Oid, Repository};
use shipway_core::ports::source::SourceError;

use crate::failure::{cancelled, of_disk, of_mirror, other};
use crate::session::Cancel;

const DEEPEST: usize = 128;
const MOST_FILES: u64 = 1_000_000;
/// Of a symbolic link; Linux takes no longer one.
const LONGEST_LINK: usize = 4095;

const FILE: i32 = 0o100_644;
const GROUP_FILE: i32 = 0o100_664;
const PROGRAM: i32 = 0o100_755;
const LINK: i32 = 0o120_000;
const FOLDER: i32 = 0o040_000;
const SUBMODULE: i32 = 0o160_000;

/// What one checkout may still write, and to where; submodules count too.
#[derive(Debug)]
pub struct Writer<'a> {
    /// Where the disk may be full, for messages.
    directory: &'a Path,
    cancel: &'a Cancel,
    limit: u64,
    bytes: u64,
    files: u64,
}

/// A submodule as the tree names it: its place and its commit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    pub path: PathBuf,
    pub commit: Oid,
}

impl<'a> Writer<'a> {
    pub fn new(directory: &'a Path, limit: u64, cancel: &'a Cancel) -> Self {
        Self {
            directory,
            cancel,
            limit,
            bytes: 0,
            files: 0,
        }
    }

    /// Writes a commit's tree into an empty folder; gives its submodules, whose
    /// folders it has made.
    pub fn write(
        &mut self,
        repository: &Repository,
        commit: Oid,
        into: &Dir,
    ) -> Result<Vec<Link>, SourceError> {
        let tree = repository
            .find_commit(commit)
            .and_then(|commit| commit.tree())
            .map_err(|error| self.broken(error))?;
        let mut links = Vec::new();
        self.folder(repository, &tree, into, Path::new(""), &mut links)?;
        Ok(links)
    }

    fn folder(
        &mut self,
        repository: &Repository,
        tree: &git2::Tree<'_>,
        into: &Dir,
        at: &Path,
        links: &mut Vec<Link>,
    ) -> Result<(), SourceError> {
        if at.components().count() > DEEPEST {
            return Err(hostile(at, "is too deep"));
        }
        for entry in tree {
            self.go_on()?;
            let path = at.join(checked(at, entry.name_bytes())?);
            let name = OsStr::from_bytes(entry.name_bytes());
            match entry.filemode_raw() {
                FOLDER => {
                    let inner = self.make_folder(into, name, &path)?;
                    let tree = repository.find_tree(entry.id());
                    let tree = tree.map_err(|error| self.broken(error))?;
                    self.folder(repository, &tree, &inner, &path, links)?;
                }
                SUBMODULE => {
                    self.make_folder(into, name, &path)?;
                    let commit = entry.id();
                    links.push(Link { path, commit });
                }
                LINK => self.link(repository, entry.id(), into, name, &path)?,
                PROGRAM => self.file(repository, entry.id(), into, &path, name, 0o755)?,
                FILE | GROUP_FILE => self.file(repository, entry.id(), into, &path, name, 0o644)?,
                _ => return Err(hostile(&path, "has a mode that Git does not have")),
            }
        }
        Ok(())
    }

    fn make_folder(&self, into: &Dir, name: &OsStr, path: &Path) -> Result<Dir, SourceError> {
        into.create_dir_with(name, &DirBuilder::new())
            .and_then(|()| into.open_dir(name))
            .map_err(|error| self.failed(path, error))
    }

    fn file(
        &mut self,
        repository: &Repository,
        id: Oid,
        into: &Dir,
        path: &Path,
        name: &OsStr,
        mode: u32,
    ) -> Result<(), SourceError> {
        let blob = self.blob(repository, id)?;
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(mode);
        into.open_with(name, &options)
            .and_then(|mut file| file.write_all(blob.content()))
            .map_err(|error| self.failed(path, error))
    }

    /// As it is: it may lead anywhere, but nothing here follows it.
    fn link(
        &mut self,
        repository: &Repository,
        id: Oid,
        into: &Dir,
        name: &OsStr,
        path: &Path,
    ) -> Result<(), SourceError> {
        let blob = self.blob(repository, id)?;
        let target = blob.content();
        if target.is_empty() || target.len() > LONGEST_LINK || target.contains(&0) {
            return Err(hostile(path, "is a link to nowhere"));
        }
        into.symlink_contents(OsStr::from_bytes(target), name)
            .map_err(|error| self.failed(path, error))
    }

    /// Looks at the size before it takes the content into memory.
    fn blob<'r>(
        &mut self,
        repository: &'r Repository,
        id: Oid,
    ) -> Result<git2::Blob<'r>, SourceError> {
        let header = repository.odb().and_then(|odb| odb.read_header(id));
        let (size, kind) = header.map_err(|error| self.broken(error))?;
        self.bytes = self
            .bytes
            .saturating_add(u64::try_from(size).unwrap_or(u64::MAX));
        if self.bytes > self.limit {
            let what = "the commit with its submodules".to_owned();
            let limit = self.limit;
            return Err(SourceError::TooLarge { what, limit });
        }
        if kind != ObjectType::Blob {
            return Err(hostile(Path::new(&id.to_string()), "is no file"));
        }
        repository.find_blob(id).map_err(|error| self.broken(error))
    }

    fn go_on(&mut self) -> Result<(), SourceError> {
        self.files += 1;
        if self.files > MOST_FILES {
            let why = "has more than a million files";
            return Err(hostile(Path::new("the commit"), why));
        }
        if self.cancel.is_cancelled() {
            return Err(cancelled(self.directory.display().to_string()));
        }
        Ok(())
    }

    fn failed(&self, path: &Path, error: std::io::Error) -> SourceError {
        if error.kind() == std::io::ErrorKind::AlreadyExists {
            return hostile(path, "is there twice");
        }
        let what = format!("write {:?} of the commit", path.display());
        of_disk(what, error, self.directory)
    }

    fn broken(&self, error: git2::Error) -> SourceError {
        of_mirror("read the commit from its mirror", error, self.directory)
    }
}

/// One name of a tree, if a folder can have it.
fn checked<'n>(at: &Path, name: &'n [u8]) -> Result<&'n OsStr, SourceError> {
    let text = OsStr::from_bytes(name);
    let is_plain = !name.is_empty() && !name.contains(&b'/') && !name.contains(&0);
    if !is_plain || name == b"." || name == b".." || name.eq_ignore_ascii_case(b".git") {
        return Err(hostile(&at.join(text), "has a name that no file may have"));
    }
    Ok(text)
}

fn hostile(path: &Path, why: &'static str) -> SourceError {
    let what = format!("take this commit: {:?} {why}", path.display());
    other(what, "the commit was not made by Git, or not in good faith")
}
