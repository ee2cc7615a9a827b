//! The bare mirror of a repository: all of its branches and tags, kept from one
//! deployment to the next.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::{fs, io};

use git2::{AutotagOption, ObjectType, Oid, RemoteUpdateFlags, Repository, RepositoryInitOptions};
use shipway_core::ports::source::SourceError;

use crate::failure::{of_disk, of_mirror, of_session, other};
use crate::session::Session;

const EVERYTHING: [&str; 2] = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"];
/// libgit2's names for packs that are still arriving.
const UNFINISHED_PACK: &str = "pack_git2_";

/// Fewer digits than this are too easily something else.
const SHORTEST_COMMIT: usize = 4;
const FULL_COMMIT: usize = 40;

/// The folder of all mirrors, with a lock for each: two fetches into one mirror
/// take turns. Reading needs no lock, because nothing is ever taken out.
#[derive(Debug)]
pub struct Mirrors {
    folder: PathBuf,
    locks: Mutex<HashMap<String, Arc<Mutex<()>>>>,
}

impl Mirrors {
    pub fn new(folder: PathBuf) -> Self {
        let locks = Mutex::default();
        Self { folder, locks }
    }

    /// The commit of a reference, fetched if need be.
    pub fn commit(&self, session: &Session<'_>, reference: &str) -> Result<Found, SourceError> {
        let mirror = self.open(session)?;
        if let Some(commit) = mirror.present(reference) {
            return Ok(mirror.found(commit));
        }
        mirror.fetch(session, &self.lock_of(session))?;
        if let Some(commit) = mirror.resolve(session, reference)? {
            return Ok(mirror.found(commit));
        }
        // On no branch and no tag, such as the merge of a pull request: some
        // hosts give it when asked for by its id.
        mirror.fetch_commit(session, reference, &self.lock_of(session));
        match mirror.present(reference) {
            Some(commit) => Ok(mirror.found(commit)),
            None => Err(unknown(session, reference)),
        }
    }

    fn open(&self, session: &Session<'_>) -> Result<Mirror, SourceError> {
        let path = self.folder.join(session.access.location.mirror_name());
        let lock = self.lock_of(session);
        let _turn = lock.lock().unwrap_or_else(PoisonError::into_inner);
        let folder = &self.folder;
        if let Ok(repository) = Repository::open_bare(&path) {
            return Ok(Mirror { repository, path });
        }
        // Missing, or begun and not finished; what is there is no use.
        remove(&path).map_err(|error| of_disk("clear a broken mirror", error, folder))?;
        let repository = init(&path).map_err(|error| of_mirror("make a mirror", error, folder))?;
        Ok(Mirror { repository, path })
    }

    fn lock_of(&self, session: &Session<'_>) -> Arc<Mutex<()>> {
        let name = session.access.location.mirror_name();
        let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(locks.entry(name).or_default())
    }
}

/// A commit in its mirror.
pub struct Found {
    pub repository: Repository,
    pub commit: Oid,
}

struct Mirror {
    repository: Repository,
    path: PathBuf,
}

impl Mirror {
    fn found(self, commit: Oid) -> Found {
        let repository = self.repository;
        Found { repository, commit }
    }

    /// A full commit id names the same thing for ever: if the commit is here,
    /// nobody needs to be asked.
    fn present(&self, reference: &str) -> Option<Oid> {
        if !is_commit_id(reference) || reference.len() != FULL_COMMIT {
            return None;
        }
        let id = Oid::from_str(reference).ok()?;
        self.repository
            .find_commit(id)
            .ok()
            .map(|commit| commit.id())
    }

    /// Brings all branches and tags up to date. Interrupted anywhere, it leaves
    /// the mirror as it was: references move last.
    fn fetch(&self, session: &Session<'_>, lock: &Mutex<()>) -> Result<(), SourceError> {
        let _turn = lock.lock().unwrap_or_else(PoisonError::into_inner);
        self.clear_unfinished_packs();
        self.transfer(session)
            .map_err(|error| of_session(session, &error, &self.path))
    }

    fn transfer(&self, session: &Session<'_>) -> Result<(), git2::Error> {
        let mut options = session.fetch_options();
        options.download_tags(AutotagOption::None);
        let mut remote = self
            .repository
            .remote_anonymous(session.access.location.raw())?;
        remote.download(&EVERYTHING, Some(&mut options))?;
        // What is gone goes first, so that a branch `a/b` can follow a branch `a`.
        remote.prune(Some(session.callbacks()))?;
        remote.update_tips(
            Some(&mut session.callbacks()),
            RemoteUpdateFlags::empty(),
            AutotagOption::None,
            None,
        )?;
        remote.disconnect()
    }

    /// Whether it worked shows in whether the commit is there.
    fn fetch_commit(&self, session: &Session<'_>, reference: &str, lock: &Mutex<()>) {
        if !is_commit_id(reference) || reference.len() != FULL_COMMIT {
            return;
        }
        let _turn = lock.lock().unwrap_or_else(PoisonError::into_inner);
        let result = (|| {
            let mut options = session.fetch_options();
            options.download_tags(AutotagOption::None);
            let spec = format!("+{reference}:refs/shipway/{reference}");
            let url = session.access.location.raw();
            self.repository
                .remote_anonymous(url)?
                .fetch(&[spec], Some(&mut options), None)
        })();
        if let Err(error) = result {
            tracing::debug!(%error, reference, "the host does not give single commits");
        }
    }

    /// A branch, else a tag, else a full or a short commit id.
    fn resolve(&self, session: &Session<'_>, reference: &str) -> Result<Option<Oid>, SourceError> {
        let names = [
            format!("refs/heads/{reference}"),
            format!("refs/tags/{reference}"),
            reference.to_owned(),
        ];
        let named = names
            .iter()
            .filter(|name| name.starts_with("refs/"))
            .filter(|name| git2::Reference::is_valid_name(name))
            .find_map(|name| self.repository.find_reference(name).ok());
        if let Some(found) = named {
            let commit = found.peel_to_commit();
            return commit
                .map(|commit| Some(commit.id()))
                .map_err(|_| unknown(session, reference));
        }
        if !is_commit_id(reference) {
            return Err(unknown(session, reference));
        }
        self.by_prefix(reference)
    }

    fn by_prefix(&self, prefix: &str) -> Result<Option<Oid>, SourceError> {
        let found = self
            .repository
            .find_object_by_prefix(prefix, Some(ObjectType::Commit));
        match found {
            Ok(commit) => Ok(Some(commit.id())),
            Err(error) if error.code() == git2::ErrorCode::Ambiguous => {
                let what = format!("tell which commit {prefix:?} means: several ids begin so");
                Err(other(what, error))
            }
            Err(_) => Ok(None),
        }
    }

    /// A fetch that was killed leaves its pack half-written beside the others.
    fn clear_unfinished_packs(&self) {
        let Ok(entries) = fs::read_dir(self.path.join("objects/pack")) else {
            return;
        };
        for entry in entries.flatten() {
            let name = entry.file_name();
            if name.to_string_lossy().starts_with(UNFINISHED_PACK) {
                let _ = fs::remove_file(entry.path());
            }
        }
    }
}

/// No template, hence no hooks. What arrives is flushed to disk before a
/// reference says that it is there.
fn init(path: &Path) -> Result<Repository, git2::Error> {
    let mut options = RepositoryInitOptions::new();
    options.bare(true).external_template(false).mkpath(true);
    let repository = Repository::init_opts(path, &options)?;
    repository
        .config()?
        .set_bool("core.fsyncObjectFiles", true)?;
    Ok(repository)
}

fn remove(path: &Path) -> io::Result<()> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

fn is_commit_id(reference: &str) -> bool {
    (SHORTEST_COMMIT..=FULL_COMMIT).contains(&reference.len())
        && reference.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn unknown(session: &Session<'_>, reference: &str) -> SourceError {
    SourceError::UnknownReference {
        reference: reference.to_owned(),
        repository: session.access.location.shown().to_owned(),
    }
}
