//! The bare repositories of pushed apps.

use std::ffi::OsString;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use git2::{ObjectType, Oid, Repository, RepositoryInitOptions};
use shipway_core::name::{AppName, CommitId, EnvironmentName};
use shipway_core::ports::source::SourceError;

use crate::failure::of_mirror;
use crate::mirror::Found;

/// What asks at the desk before a reference moves.
const HOOK: &str = "proc-receive";
const SHORTEST_COMMIT: usize = 4;

/// The folder of them.
#[derive(Debug, Clone)]
pub struct Pushed(PathBuf);

impl Pushed {
    pub fn new(state_dir: &Path) -> Self {
        Self(state_dir.join("pushed"))
    }

    pub fn hooks(&self) -> PathBuf {
        self.0.join(".hooks")
    }

    fn path(&self, app: &AppName) -> PathBuf {
        self.0.join(format!("{app}.git"))
    }

    /// The hook is written anew at each start: this program may have moved.
    pub fn prepare(&self, command: &[OsString]) -> io::Result<()> {
        let hooks = self.hooks();
        fs::create_dir_all(&hooks)?;
        let mut script = b"#!/bin/sh\nexec".to_vec();
        for word in command {
            script.push(b' ');
            script.extend(quoted(word));
        }
        script.push(b'\n');
        let (file, beside) = (hooks.join(HOOK), hooks.join("new"));
        fs::write(&beside, script)?;
        fs::set_permissions(&beside, Permissions::from_mode(0o700))?;
        fs::rename(beside, file)
    }

    /// Whatever is pushed stays: a rollback may want it.
    pub fn open_or_make(&self, app: &AppName) -> io::Result<PathBuf> {
        let path = self.path(app);
        if Repository::open_bare(&path).is_ok() {
            return Ok(path);
        }
        let mut options = RepositoryInitOptions::new();
        options.bare(true).external_template(false).mkpath(true);
        let made = Repository::init_opts(&path, &options).and_then(|repository| {
            let mut config = repository.config()?;
            config.set_str("gc.pruneExpire", "never")?;
            config.set_bool("gc.autoDetach", false)
        });
        made.map(|()| path).map_err(io::Error::other)
    }

    pub fn remove(&self, app: &AppName) -> io::Result<()> {
        match fs::remove_dir_all(self.path(app)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            result => result,
        }
    }

    /// The commit of a branch or of an id.
    pub fn commit(&self, app: &AppName, reference: &str) -> Result<Found, SourceError> {
        let unknown = || SourceError::UnknownReference {
            reference: reference.to_owned(),
            repository: format!("what was pushed to {app}"),
        };
        let repository = Repository::open_bare(self.path(app)).map_err(|_| unknown())?;
        let commit = resolve(&repository, reference)
            .map_err(|error| of_mirror("read what was pushed", error, &self.0))?;
        match commit {
            Some(commit) => Ok(Found { repository, commit }),
            None => Err(unknown()),
        }
    }
}

fn resolve(repository: &Repository, reference: &str) -> Result<Option<Oid>, git2::Error> {
    let branch = format!("refs/heads/{reference}");
    if git2::Reference::is_valid_name(&branch)
        && let Ok(found) = repository.find_reference(&branch)
    {
        return found.peel_to_commit().map(|commit| Some(commit.id()));
    }
    let is_id = reference.len() >= SHORTEST_COMMIT
        && reference.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_id {
        return Ok(None);
    }
    let found = repository.find_object_by_prefix(reference, Some(ObjectType::Commit));
    Ok(found.ok().map(|commit| commit.id()))
}

/// Moves the branch of an environment, and the app's, to what was deployed.
pub fn move_branch(
    path: &Path,
    environment: &EnvironmentName,
    branch: &str,
    commit: &CommitId,
) -> io::Result<()> {
    let moved = || {
        let repository = Repository::open_bare(path)?;
        let commit = Oid::from_str(commit.as_str())?;
        for name in [
            format!("refs/namespaces/{environment}/refs/heads/{branch}"),
            format!("refs/heads/{branch}"),
        ] {
            repository.reference(&name, commit, true, "deployed")?;
        }
        Ok(())
    };
    moved().map_err(|error: git2::Error| io::Error::other(error))
}

/// Bytes of everything below a folder.
pub fn size(folder: &Path) -> io::Result<u64> {
    let mut total = 0;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        // Packs come and go while they are counted.
        let Ok(data) = entry.metadata() else { continue };
        total += match data.is_dir() {
            true => size(&entry.path())?,
            false => data.len(),
        };
    }
    Ok(total)
}

/// One word for a shell.
fn quoted(word: &OsString) -> Vec<u8> {
    let mut quoted = vec![b'\''];
    for &byte in word.as_bytes() {
        match byte {
            b'\'' => quoted.extend(b"'\\''"),
            byte => quoted.push(byte),
        }
    }
    quoted.push(b'\'');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_may_lie_anywhere() {
        let odd = quoted(&OsString::from("/opt/it's a $HOME/shipway"));
        assert_eq!(odd, b"'/opt/it'\\''s a $HOME/shipway'");
    }
}
