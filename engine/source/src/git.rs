//! The source itself: the main flow of a checkout.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use std::{fs, io};

use async_trait::async_trait;
use cap_std::ambient_authority;
use cap_std::fs::Dir;
use git2::{Oid, Repository};
use shipway_core::journal::Commit;
use shipway_core::name::DeploymentId;
use shipway_core::ports::source::{Checkout, CheckoutRequest, Files, Source, SourceError};

use crate::config::GitConfig;
use crate::failure::{cancelled, of_disk, of_mirror, other};
use crate::files::Tree;
use crate::location::Location;
use crate::mirror::{Found, Mirrors};
use crate::push::Pushed;
use crate::session::{Access, Cancel, Session};
use crate::submodule;
use crate::tree::{Link, Writer};

/// Submodules of submodules, and so on.
const DEEPEST_SUBMODULE: usize = 10;
const MOST_SUBMODULES: usize = 500;
const LARGEST_GITMODULES: u64 = 1 << 20;
const LONGEST_SUBJECT: usize = 200;

/// Git repositories, mirrored and checked out under a state directory.
#[derive(Debug, Clone)]
pub struct GitSource(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: GitConfig,
    mirrors: Mirrors,
    pushed: Pushed,
    /// Numbers the folders in which trees are written before they are whole.
    drafts: AtomicU64,
}

impl GitSource {
    /// Makes the folders, and removes what an engine that was killed has left
    /// half-written.
    pub fn new(config: GitConfig) -> Result<Self, SourceError> {
        set_server_timeouts(&config).map_err(|error| other("set libgit2's time limits", error))?;
        let inner = Inner {
            mirrors: Mirrors::new(config.state_dir.join("mirrors")),
            pushed: Pushed::new(&config.state_dir),
            drafts: AtomicU64::new(0),
            config,
        };
        inner
            .prepare()
            .map_err(|error| of_disk("prepare the working directories", error, &inner.work()))?;
        Ok(Self(Arc::new(inner)))
    }
}

#[async_trait]
impl Source for GitSource {
    async fn check_out(&self, request: &CheckoutRequest) -> Result<Checkout, SourceError> {
        let limit = self.0.config.timeout;
        let location = match request.repository.is_pushed() {
            true => Location::pushed(&request.app),
            false => location(&request.repository.url)?,
        };
        let repository = location.shown().to_owned();
        let access = Access {
            location,
            credentials: request.repository.credentials.clone(),
        };
        let (inner, request) = (Arc::clone(&self.0), request.clone());
        within(limit, repository, move |cancel| {
            inner.check_out(&request, &access, cancel)
        })
        .await
    }

    async fn discard(&self, deployment: DeploymentId) -> Result<(), SourceError> {
        let directory = self.0.directory(deployment);
        let repository = directory.display().to_string();
        within(self.0.config.timeout, repository, move |_| {
            remove(&directory).map_err(|error| {
                let what = format!("remove {}", directory.display());
                of_disk(what, error, &directory)
            })
        })
        .await
    }
}

/// Runs blocking work for at most so long. libgit2 cannot be stopped from
/// outside, so after that the thread is told, and ends by itself.
async fn within<T: Send + 'static>(
    limit: Duration,
    repository: String,
    work: impl FnOnce(&Cancel) -> Result<T, SourceError> + Send + 'static,
) -> Result<T, SourceError> {
    let cancel = Cancel::default();
    let theirs = cancel.clone();
    let _told_when_dropped = CancelOnDrop(cancel);
    let thread = tokio::task::spawn_blocking(move || work(&theirs));
    match tokio::time::timeout(limit, thread).await {
        Ok(Ok(result)) => result,
        Ok(Err(error)) => Err(other(format!("work on {repository}"), error)),
        Err(_) => Err(SourceError::Timeout {
            repository,
            seconds: limit.as_secs(),
        }),
    }
}

struct CancelOnDrop(Cancel);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.cancel();
    }
}

impl Inner {
    /// Fetch, resolve, write the tree, put it in its place.
    fn check_out(
        &self,
        request: &CheckoutRequest,
        access: &Access,
        cancel: &Cancel,
    ) -> Result<Checkout, SourceError> {
        let found = match access.location.is_pushed() {
            true => self.pushed.commit(&request.app, &request.reference)?,
            false => {
                let session = Session::new(access, self.config.transfer_limit, cancel);
                self.mirrors.commit(&session, &request.reference)?
            }
        };
        let commit = describe(&found, &self.work())?;
        let draft = self.draft(request.deployment)?;
        self.write(&found, access, &draft.0, cancel)?;
        let directory = self.directory(request.deployment);
        if cancel.is_cancelled() {
            return Err(cancelled(access.location.shown().to_owned()));
        }
        draft.place(&directory)?;
        let files = open(&directory)?;
        Ok(Checkout {
            commit,
            directory,
            files: Arc::new(files),
        })
    }

    fn write(
        &self,
        found: &Found,
        access: &Access,
        directory: &Path,
        cancel: &Cancel,
    ) -> Result<(), SourceError> {
        let all = self.work();
        let mut work = Work {
            inner: self,
            root: access,
            directory,
            cancel,
            writer: Writer::new(&all, self.config.tree_limit, cancel),
            submodules: 0,
        };
        work.tree(found, &access.location, Path::new(""), 0)
    }

    /// A new, empty folder beside the one where the tree will be.
    fn draft(&self, deployment: DeploymentId) -> Result<Draft, SourceError> {
        let number = self.drafts.fetch_add(1, Ordering::Relaxed);
        let path = self.work().join(format!(".{deployment}.{number}"));
        fs::create_dir(&path)
            .map_err(|error| of_disk("make a working directory", error, &self.work()))?;
        Ok(Draft(path))
    }

    fn directory(&self, deployment: DeploymentId) -> PathBuf {
        self.work().join(deployment.to_string())
    }

    fn work(&self) -> PathBuf {
        self.config.state_dir.join("work")
    }

    fn prepare(&self) -> io::Result<()> {
        fs::create_dir_all(self.config.state_dir.join("mirrors"))?;
        fs::create_dir_all(self.work())?;
        for entry in fs::read_dir(self.work())? {
            let entry = entry?;
            if entry.file_name().to_string_lossy().starts_with('.') {
                remove(&entry.path())?;
            }
        }
        Ok(())
    }
}

/// A working directory that is not whole yet. Dropped, it is gone.
struct Draft(PathBuf);

impl Draft {
    /// In place of what an earlier try has left.
    fn place(self, directory: &Path) -> Result<(), SourceError> {
        remove(directory)
            .and_then(|()| fs::rename(&self.0, directory))
            .map_err(|error| of_disk("put the working directory in place", error, directory))
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // Gone already when it was put in place; a leftover goes with the next start.
        let _ = remove(&self.0);
    }
}

/// Writing one commit with all of its submodules.
struct Work<'a> {
    inner: &'a Inner,
    root: &'a Access,
    directory: &'a Path,
    cancel: &'a Cancel,
    writer: Writer<'a>,
    submodules: usize,
}

impl Work<'_> {
    fn tree(
        &mut self,
        found: &Found,
        location: &Location,
        at: &Path,
        depth: usize,
    ) -> Result<(), SourceError> {
        let directory = self.directory.join(at);
        let into = Dir::open_ambient_dir(&directory, ambient_authority())
            .map_err(|error| of_disk("open the working directory", error, &directory))?;
        let links = self.writer.write(&found.repository, found.commit, &into)?;
        if links.is_empty() {
            return Ok(());
        }
        let text = open(&directory)?
            .read(".gitmodules", LARGEST_GITMODULES)
            .unwrap_or_default();
        let urls = submodule::urls(&String::from_utf8_lossy(&text));
        for link in links {
            let path = at.join(&link.path);
            let url = link.path.to_str().and_then(|path| urls.get(path));
            self.submodule(&link, url.map(String::as_str), location, &path, depth + 1)
                .map_err(|error| in_submodule(error, &path, location))?;
        }
        Ok(())
    }

    fn submodule(
        &mut self,
        link: &Link,
        url: Option<&str>,
        parent: &Location,
        path: &Path,
        depth: usize,
    ) -> Result<(), SourceError> {
        self.submodules += 1;
        if depth > DEEPEST_SUBMODULE || self.submodules > MOST_SUBMODULES {
            return Err(other("go on: the submodules have no end", "limit reached"));
        }
        let url = url.ok_or_else(|| other("find its URL", ".gitmodules has none for it"))?;
        let location = parent
            .join(url)
            .map_err(|error| other("use its URL", error))?;
        let credentials = self.root.credentials.clone();
        let shared = self.root.location.shares_credentials(&location);
        let access = Access {
            location,
            credentials: credentials.filter(|_| shared),
        };
        let session = Session::new(&access, self.inner.config.transfer_limit, self.cancel);
        let found = self
            .inner
            .mirrors
            .commit(&session, &link.commit.to_string())?;
        self.tree(&found, &access.location, path, depth)
    }
}

/// Says which submodule it was, unless the trouble is everybody's or said so
/// already.
fn in_submodule(error: SourceError, path: &Path, location: &Location) -> SourceError {
    match error {
        SourceError::DiskFull { .. }
        | SourceError::Timeout { .. }
        | SourceError::TooLarge { .. }
        | SourceError::Submodule { .. } => error,
        error => SourceError::Submodule {
            path: path.display().to_string(),
            repository: location.shown().to_owned(),
            message: with_cause(&error),
        },
    }
}

fn with_cause(error: &SourceError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}

fn location(url: &str) -> Result<Location, SourceError> {
    Location::parse(url).map_err(|error| other("use the repository's URL", error))
}

fn describe(found: &Found, directory: &Path) -> Result<Commit, SourceError> {
    let commit = read_commit(&found.repository, found.commit);
    let (subject, author) =
        commit.map_err(|error| of_mirror("read the commit", error, directory))?;
    let id = found.commit.to_string().parse();
    let id =
        id.map_err(|error: shipway_core::name::InvalidName| other("read the commit", error))?;
    Ok(Commit {
        id,
        subject,
        author,
    })
}

fn read_commit(repository: &Repository, id: Oid) -> Result<(String, String), git2::Error> {
    let commit = repository.find_commit(id)?;
    let message = String::from_utf8_lossy(commit.message_bytes()).into_owned();
    let subject = message.lines().find(|line| !line.trim().is_empty());
    let subject = subject.unwrap_or_default().trim();
    let author = commit.author();
    let author = String::from_utf8_lossy(author.name_bytes()).into_owned();
    Ok((subject.chars().take(LONGEST_SUBJECT).collect(), author))
}

fn open(directory: &Path) -> Result<Tree, SourceError> {
    Tree::open(directory).map_err(|error| of_disk("open the working directory", error, directory))
}

fn remove(directory: &Path) -> io::Result<()> {
    match fs::remove_dir_all(directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

#[expect(
    unsafe_code,
    reason = "libgit2 has no other way to set its time limits"
)]
fn set_server_timeouts(config: &GitConfig) -> Result<(), git2::Error> {
    let millis = |limit: Duration| i32::try_from(limit.as_millis()).unwrap_or(i32::MAX);
    // SAFETY: each sets one integer that libgit2 reads when it connects; a
    // connection that is made meanwhile has the old or the new limit.
    unsafe {
        git2::opts::set_server_connect_timeout_in_milliseconds(millis(config.connect_timeout))?;
        git2::opts::set_server_timeout_in_milliseconds(millis(config.answer_timeout))
    }
}
