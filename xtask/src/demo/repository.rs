//! The guestbook's Git repository: one commit a version.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};

use crate::run;

const GIT_LIMIT: Duration = Duration::from_secs(60);

/// A real repository, made from the folders of an example app.
#[derive(Debug)]
pub struct Repository {
    pub path: PathBuf,
    example: PathBuf,
}

impl Repository {
    /// An empty one at `path`; `example` has a folder for each version.
    pub fn new(path: PathBuf, example: PathBuf) -> Result<Self> {
        fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
        let repository = Self { path, example };
        repository.git(&["init", "--quiet", "--initial-branch=main"])?;
        Ok(repository)
    }

    /// Lays a version's files over what is there and commits them; returns the
    /// commit's id.
    pub fn commit(&self, version: &str, message: &str) -> Result<String> {
        copy(&self.example.join(version), &self.path)?;
        self.commit_all(message)
    }

    /// Commits the files as they lie there.
    pub fn commit_all(&self, message: &str) -> Result<String> {
        self.git(&["add", "--all"])?;
        self.git(&["commit", "--quiet", "--message", message])?;
        let id = self.git(&["rev-parse", "HEAD"])?;
        Ok(id.trim().to_owned())
    }

    fn git(&self, arguments: &[&str]) -> Result<String> {
        let mut command = Command::new("git");
        command
            .arg("-C")
            .arg(&self.path)
            // Nobody's own settings, hooks or signatures here.
            .args(["-c", "user.name=Demo", "-c", "user.email=demo@example.com"])
            .args([
                "-c",
                "commit.gpgsign=false",
                "-c",
                "core.hooksPath=/dev/null",
            ])
            .env_remove("GIT_DIR")
            .env_remove("GIT_WORK_TREE")
            .env_remove("GIT_INDEX_FILE")
            .args(arguments);
        run::output(&mut command, GIT_LIMIT)
    }
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    let entries = fs::read_dir(from).with_context(|| format!("reading {}", from.display()))?;
    for entry in entries {
        let entry = entry.with_context(|| format!("reading {}", from.display()))?;
        let name = entry.file_name();
        // What running the app in place leaves behind.
        if name == "__pycache__" {
            continue;
        }
        let target = to.join(&name);
        if entry.path().is_dir() {
            fs::create_dir_all(&target).with_context(|| format!("making {}", target.display()))?;
            copy(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target)
                .with_context(|| format!("copying to {}", target.display()))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_version_is_a_commit_over_the_one_before() {
        let folder = tempfile::tempdir().unwrap();
        let example = folder.path().join("example");
        for (file, text) in [
            ("v1/app.py", "1"),
            ("v1/sub/kept.py", "1"),
            ("v2/app.py", "2"),
        ] {
            let path = example.join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        let repository = Repository::new(folder.path().join("repo"), example).unwrap();
        let first = repository.commit("v1", "Version 1").unwrap();
        let second = repository.commit("v2", "Version 2").unwrap();
        assert_ne!(first, second);
        assert_eq!(first.len(), 40);
        let shown = |what: &str| repository.git(&["show", what]).unwrap();
        assert_eq!(shown("HEAD:app.py"), "2");
        assert_eq!(shown("HEAD:sub/kept.py"), "1");
        assert_eq!(shown("HEAD~1:app.py"), "1");
    }
}
