//! The files of a commit, for whoever may see nothing else.

use std::io::{self, Read};
use std::path::{Component, Path};

use cap_std::ambient_authority;
use cap_std::fs::{Dir, OpenOptions};
use globset::{GlobBuilder, GlobMatcher};
use shipway_core::ports::source::{Files, FilesError};

/// A walk that meets more entries than this gives up.
const MOST_ENTRIES: usize = 200_000;
const DEEPEST: usize = 128;

/// A directory whose files can be read and listed, and nothing around it: every
/// path is resolved beneath the directory's handle, link by link.
#[derive(Debug)]
pub struct Tree {
    root: Dir,
}

impl Tree {
    pub fn open(directory: &Path) -> io::Result<Self> {
        let root = Dir::open_ambient_dir(directory, ambient_authority())?;
        Ok(Self { root })
    }
}

impl Files for Tree {
    fn read(&self, path: &str, limit: u64) -> Result<Vec<u8>, FilesError> {
        if !is_inside(path) {
            return Err(FilesError::Outside(path.to_owned()));
        }
        let read = || -> io::Result<Vec<u8>> {
            // Asked first, so that opening never waits: a build may have left a pipe.
            if !self.root.metadata(path)?.is_file() {
                return Err(io::ErrorKind::NotFound.into());
            }
            let file = self.root.open_with(path, OpenOptions::new().read(true))?;
            let mut bytes = Vec::new();
            file.take(limit.saturating_add(1)).read_to_end(&mut bytes)?;
            Ok(bytes)
        };
        let bytes = read().map_err(|error| explain(path, error))?;
        if u64::try_from(bytes.len()).unwrap_or(u64::MAX) > limit {
            let path = path.to_owned();
            return Err(FilesError::TooLarge { path, limit });
        }
        Ok(bytes)
    }

    fn find(&self, glob: &str, limit: usize) -> Result<Vec<String>, FilesError> {
        let mut walk = Walk {
            root: &self.root,
            matcher: matcher(glob)?,
            glob,
            limit,
            entries: 0,
            found: Vec::new(),
        };
        walk.folder(&self.root, "", 0)?;
        walk.found.sort();
        Ok(walk.found)
    }
}

struct Walk<'a> {
    root: &'a Dir,
    matcher: GlobMatcher,
    glob: &'a str,
    limit: usize,
    entries: usize,
    found: Vec<String>,
}

impl Walk<'_> {
    fn folder(&mut self, folder: &Dir, at: &str, depth: usize) -> Result<(), FilesError> {
        let failed = |error| explain(at, error);
        for entry in folder.entries().map_err(failed)? {
            let entry = entry.map_err(failed)?;
            self.count(at, depth)?;
            // A name that is no text has no path that a plugin could say.
            let Ok(name) = entry.file_name().into_string() else {
                continue;
            };
            if name == ".git" {
                continue;
            }
            let path = match at {
                "" => name.clone(),
                at => format!("{at}/{name}"),
            };
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() {
                let inner = entry.open_dir().map_err(failed)?;
                self.folder(&inner, &path, depth + 1)?;
            } else if self.matcher.is_match(&path) && self.is_file(&path) {
                self.take(path)?;
            }
        }
        Ok(())
    }

    /// Whether it is a file, or a link to one that is in the tree too.
    fn is_file(&self, path: &str) -> bool {
        self.root.metadata(path).is_ok_and(|it| it.is_file())
    }

    fn take(&mut self, path: String) -> Result<(), FilesError> {
        if self.found.len() == self.limit {
            return Err(FilesError::TooMany {
                glob: self.glob.to_owned(),
                limit: self.limit,
            });
        }
        self.found.push(path);
        Ok(())
    }

    fn count(&mut self, at: &str, depth: usize) -> Result<(), FilesError> {
        self.entries += 1;
        if self.entries > MOST_ENTRIES || depth > DEEPEST {
            let source = io::Error::other("the tree is too large to be searched");
            let path = at.to_owned();
            return Err(FilesError::Read { path, source });
        }
        Ok(())
    }
}

fn matcher(glob: &str) -> Result<GlobMatcher, FilesError> {
    let built = GlobBuilder::new(glob).literal_separator(true).build();
    let built = built.map_err(|error| FilesError::BadGlob {
        glob: glob.to_owned(),
        message: error.kind().to_string(),
    })?;
    Ok(built.compile_matcher())
}

/// Whether a path, by its words alone, stays in the tree.
fn is_inside(path: &str) -> bool {
    !path.is_empty()
        && !path.contains('\0')
        && Path::new(path).components().all(|part| match part {
            Component::Normal(name) => name != ".git",
            Component::CurDir => true,
            _ => false,
        })
}

fn explain(path: &str, source: io::Error) -> FilesError {
    let path = path.to_owned();
    match (source.kind(), source.raw_os_error()) {
        (io::ErrorKind::NotFound | io::ErrorKind::NotADirectory, _) => FilesError::NotFound(path),
        // Of cap-std, not of the system: a link that leaves the tree.
        (io::ErrorKind::PermissionDenied, None) => FilesError::Outside(path),
        _ => FilesError::Read { path, source },
    }
}
