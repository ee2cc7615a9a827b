//! Real Git repositories, made for a test.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use tempfile::TempDir;

use crate::parts;

#[derive(Debug)]
pub struct Repo(TempDir);

impl Repo {
    /// An empty one; its branch is `main`.
    pub fn empty() -> Self {
        let repo = Self(
            tempfile::Builder::new()
                .prefix("repo-")
                .tempdir()
                .expect("a folder"),
        );
        repo.git(&["init", "-q", "-b", "main"]);
        repo
    }

    /// One whose first commit is a folder of this project.
    pub fn of(folder: &str) -> Self {
        let repo = Self::empty();
        repo.copy(folder).commit("Version 1");
        repo
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Copies a folder of this project over what is there.
    pub fn copy(&self, folder: &str) -> &Self {
        copy_tree(&parts::root().join(folder), self.path());
        self
    }

    pub fn write(&self, path: &str, text: &str) -> &Self {
        let file = self.path().join(path);
        if let Some(parent) = file.parent() {
            fs::create_dir_all(parent).expect("a folder");
        }
        fs::write(file, text).expect("a file");
        self
    }

    /// A file that can be executed.
    pub fn write_program(&self, path: &str, text: &str) -> &Self {
        self.write(path, text);
        let mode = fs::Permissions::from_mode(0o755);
        fs::set_permissions(self.path().join(path), mode).expect("its mode");
        self
    }

    pub fn remove(&self, path: &str) -> &Self {
        fs::remove_file(self.path().join(path)).expect("the file was there");
        self
    }

    /// Commits everything. Gives the commit's id.
    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "-A"]);
        self.git(&["commit", "-q", "--allow-empty", "-m", message]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// Git, with nobody's configuration.
    pub fn git(&self, arguments: &[&str]) -> String {
        let output = Command::new("git")
            .current_dir(self.path())
            .args(arguments)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_SYSTEM", "/dev/null")
            .env("GIT_AUTHOR_NAME", "Ada")
            .env("GIT_AUTHOR_EMAIL", "ada@example.com")
            .env("GIT_COMMITTER_NAME", "Ada")
            .env("GIT_COMMITTER_EMAIL", "ada@example.com")
            .output()
            .expect("git is installed");
        assert!(
            output.status.success(),
            "git {arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8_lossy(&output.stdout).trim().to_owned()
    }
}

fn copy_tree(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).unwrap_or_else(|error| panic!("{}: {error}", from.display())) {
        let entry = entry.expect("an entry");
        let target: PathBuf = to.join(entry.file_name());
        if entry.file_name() == "__pycache__" {
            continue;
        }
        if entry.file_type().expect("its type").is_dir() {
            copy_tree(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}
