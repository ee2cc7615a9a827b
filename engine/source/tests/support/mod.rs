//! Git repositories made for a test, and a source to check them out with.

#![expect(dead_code, reason = "each test binary uses its part")]

pub mod http;
pub mod ssh;
pub mod tls;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use git2::{FileMode, ObjectType, Oid, Repository, RepositoryInitOptions, Signature, Time};
use shipway_core::app::{Credentials, Repository as Place};
use shipway_core::name::DeploymentId;
use shipway_core::ports::source::{Checkout, CheckoutRequest, Source, SourceError};
use shipway_source::{GitConfig, GitSource};
use tempfile::TempDir;

/// A repository that deployments come from.
pub struct Origin {
    folder: TempDir,
    pub repository: Repository,
}

/// What stands in a tree.
pub enum Entry<'a> {
    File(&'a [u8]),
    Program(&'a [u8]),
    Link(&'a str),
    Submodule(Oid),
}

pub use Entry::{File, Link, Program, Submodule};

impl Origin {
    pub fn new() -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let path = folder.path().join("origin.git");
        Self::at(folder, &path)
    }

    pub fn at(folder: TempDir, path: &Path) -> Result<Self> {
        let mut options = RepositoryInitOptions::new();
        options.bare(true).initial_head("main");
        let repository = Repository::init_opts(path, &options)?;
        Ok(Self { folder, repository })
    }

    pub fn path(&self) -> PathBuf {
        self.repository.path().to_owned()
    }

    pub fn root(&self) -> &Path {
        self.folder.path()
    }

    pub fn url(&self) -> String {
        let path = self.path().display().to_string();
        path.trim_end_matches('/').to_owned()
    }

    /// A commit with these files and no others, on a branch.
    pub fn commit(&self, branch: &str, entries: &[(&str, Entry<'_>)]) -> Result<Oid> {
        let base = self.repository.find_tree(self.empty_tree()?)?;
        let mut builder = git2::build::TreeUpdateBuilder::new();
        for (path, entry) in entries {
            let (id, mode) = match entry {
                File(bytes) => (self.repository.blob(bytes)?, FileMode::Blob),
                Program(bytes) => (self.repository.blob(bytes)?, FileMode::BlobExecutable),
                Link(to) => (self.repository.blob(to.as_bytes())?, FileMode::Link),
                Submodule(commit) => (*commit, FileMode::Commit),
            };
            builder.upsert(*path, id, mode);
        }
        let tree = builder.create_updated(&self.repository, &base)?;
        self.commit_tree(branch, tree)
    }

    /// A tree that Git would not make: mode, name and id of each entry.
    pub fn raw_tree(&self, entries: &[(&str, &[u8], Oid)]) -> Result<Oid> {
        let mut bytes = Vec::new();
        for (mode, name, id) in entries {
            bytes.extend(mode.as_bytes());
            bytes.push(b' ');
            bytes.extend(*name);
            bytes.push(0);
            bytes.extend(id.as_bytes());
        }
        Ok(self.repository.odb()?.write(ObjectType::Tree, &bytes)?)
    }

    pub fn commit_tree(&self, branch: &str, tree: Oid) -> Result<Oid> {
        let name = format!("refs/heads/{branch}");
        let parent = self.repository.find_reference(&name).ok();
        let parent = parent.and_then(|parent| parent.peel_to_commit().ok());
        let parents: Vec<_> = parent.iter().collect();
        let who = Signature::new("A. Person", "a@example.com", &Time::new(1_790_000_000, 0))?;
        let tree = self.repository.find_tree(tree)?;
        let message = format!("\nChange {branch}\n\nbecause");
        Ok(self
            .repository
            .commit(Some(&name), &who, &who, &message, &tree, &parents)?)
    }

    fn empty_tree(&self) -> Result<Oid> {
        Ok(self.repository.treebuilder(None)?.write()?)
    }
}

/// A source with a state directory of its own.
pub struct Desk {
    pub state: TempDir,
    pub source: Arc<GitSource>,
}

impl Desk {
    pub fn new() -> Result<Self> {
        Self::with(|_| {})
    }

    pub fn with(change: impl FnOnce(&mut GitConfig)) -> Result<Self> {
        let state = tempfile::tempdir()?;
        let mut config = GitConfig::new(state.path());
        config.timeout = Duration::from_secs(60);
        config.answer_timeout = Duration::from_secs(5);
        change(&mut config);
        let source = Arc::new(GitSource::new(config)?);
        Ok(Self { state, source })
    }

    pub async fn check_out(&self, url: &str, reference: &str) -> Result<Checkout, SourceError> {
        self.source.check_out(&request(url, reference, None)).await
    }

    pub async fn check_out_with(
        &self,
        url: &str,
        credentials: Credentials,
    ) -> Result<Checkout, SourceError> {
        let request = request(url, "main", Some(credentials));
        self.source.check_out(&request).await
    }

    /// Why it fails.
    pub async fn refusal(&self, url: &str, reference: &str) -> Result<SourceError> {
        let result = self.check_out(url, reference).await;
        result.err().context("it was checked out")
    }
}

pub fn deployment() -> DeploymentId {
    DeploymentId(uuid::Uuid::from_u128(7))
}

#[expect(clippy::expect_used, reason = "the name is right")]
pub fn request(url: &str, reference: &str, credentials: Option<Credentials>) -> CheckoutRequest {
    CheckoutRequest {
        app: "shop".parse().expect("a name"),
        repository: Place {
            url: url.to_owned(),
            default_reference: "main".to_owned(),
            credentials,
        },
        reference: reference.to_owned(),
        deployment: deployment(),
    }
}

pub fn text(checkout: &Checkout, path: &str) -> Result<String> {
    Ok(String::from_utf8(checkout.files.read(path, 1 << 20)?)?)
}

/// Bytes that cannot be compressed.
pub fn noise(length: usize) -> Vec<u8> {
    let mut state = 1u64;
    let next = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(length).collect()
}

/// The whole of an error, as a person sees it.
pub fn chain(error: SourceError) -> String {
    format!("{:#}", anyhow::Error::from(error))
}

/// A part of the machine that a test needs. Where it is missing the test says
/// so and is not run; where it was promised, that is a failure.
pub fn missing(part: &str) -> Result<()> {
    eprintln!("not run: {part} is not here");
    let promised = std::env::var_os("SHIPWAY_REQUIRE_PARTS").is_some();
    ensure!(!promised, "{part} is not here, and was promised");
    Ok(())
}

pub fn has_git() -> bool {
    std::process::Command::new("git")
        .arg("--version")
        .output()
        .is_ok_and(|output| output.status.success())
}

/// A small file system in memory, gone when it is dropped.
pub struct SmallDisk(TempDir);

impl SmallDisk {
    pub fn mount(size: &str) -> Result<Option<Self>> {
        let folder = tempfile::tempdir()?;
        let done = std::process::Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(folder.path())
            .output();
        let mounted = done.is_ok_and(|output| output.status.success());
        Ok(mounted.then_some(Self(folder)))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let umount = std::process::Command::new("umount")
            .arg("-l")
            .arg(self.path())
            .status();
        drop(umount);
    }
}
