//! What a repository tells of how it is built, run and released, and the
//! `shipway.toml` that says so. Reads files, runs nothing.
//!
//! In reading order: [`Repository`], [`Found`], the surveys, [`write`].

mod compiled;
mod docker;
mod node;
mod procfile;
mod python;
mod ruby;
pub mod write;

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use shipway_core::name::ProcessName;

/// No file that is looked at is larger.
const LARGEST: u64 = 1024 * 1024;

/// A folder that is looked at.
#[derive(Debug)]
pub struct Repository {
    folder: PathBuf,
}

impl Repository {
    pub fn at(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    pub fn has(&self, name: &str) -> bool {
        self.folder.join(name).is_file()
    }

    /// The text of a file, if there is one.
    pub fn read(&self, name: &str) -> Option<String> {
        let file = File::open(self.folder.join(name)).ok()?;
        let mut text = String::new();
        file.take(LARGEST).read_to_string(&mut text).ok()?;
        Some(text)
    }

    /// The first of these files that is there.
    pub fn first<'a>(&self, names: &[&'a str]) -> Option<&'a str> {
        names.iter().find(|name| self.has(name)).copied()
    }

    /// The names of the folders in a folder, in order.
    pub fn folders(&self, below: &str) -> Vec<String> {
        let Ok(entries) = self.folder.join(below).read_dir() else {
            return Vec::new();
        };
        let mut names: Vec<String> = entries
            .flatten()
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
            .filter_map(|entry| entry.file_name().into_string().ok())
            .collect();
        names.sort();
        names
    }
}

/// A command, and the reason for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Said {
    pub text: String,
    pub why: String,
}

impl Said {
    pub fn new(text: impl Into<String>, why: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            why: why.into(),
        }
    }
}

/// A command that runs once per deployment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Once {
    pub label: &'static str,
    pub run: String,
    pub phase: &'static str,
    pub why: String,
}

/// A backing service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backing {
    pub name: String,
    /// The variable that has its URL.
    pub variable: String,
    pub why: String,
}

/// What was found. What a Procfile or a Dockerfile says wins over what a
/// framework usually wants.
#[derive(Debug, Default)]
pub struct Found {
    /// In words, for the person who asked.
    pub what: Vec<String>,
    pub dockerfile: Option<Said>,
    pub build: Option<Said>,
    pub port: Option<(u16, String)>,
    /// The types of the Procfile, whose commands stand there.
    pub in_procfile: Vec<ProcessName>,
    pub web: Option<Said>,
    pub release: Vec<Once>,
    pub backing: Vec<Backing>,
    /// A plugin that reads the release commands of this framework.
    pub plugin: Option<Said>,
}

impl Found {
    fn saw(&mut self, what: impl Into<String>) {
        self.what.push(what.into());
    }

    fn build_with(&mut self, command: impl Into<String>, why: impl Into<String>) {
        self.build.get_or_insert_with(|| Said::new(command, why));
    }

    fn run_with(&mut self, command: impl Into<String>, why: impl Into<String>) {
        self.web.get_or_insert_with(|| Said::new(command, why));
    }

    /// Unless the repository names its own.
    fn release_with(&mut self, label: &'static str, run: &str, why: &str) {
        if self.release.is_empty() && self.plugin.is_none() {
            self.release.push(Once {
                label,
                run: run.to_owned(),
                phase: "release",
                why: why.to_owned(),
            });
        }
    }
}

/// Looks at all that is known; what says more comes first.
pub fn survey(repository: &Repository) -> Found {
    let mut found = Found::default();
    python::aldryn(repository, &mut found);
    procfile::survey(repository, &mut found);
    docker::dockerfile(repository, &mut found);
    python::survey(repository, &mut found);
    ruby::survey(repository, &mut found);
    node::survey(repository, &mut found);
    compiled::survey(repository, &mut found);
    docker::compose(repository, &mut found);
    found
}

#[cfg(test)]
mod tests;
