//! Compiled components on disk. What lies here is executed as machine code,
//! so the directory is ours alone, and nothing is ever taken in from outside.

use std::fs::{self, DirBuilder, File};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};

use shipway_core::name::Digest;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::config::HostError;

#[derive(Debug, Clone)]
pub(crate) struct Cache {
    directory: PathBuf,
    engine: Engine,
    /// Another wasmtime, another machine or another setting compiles otherwise.
    compatibility: u64,
}

impl Cache {
    pub(crate) fn open(directory: &Path, engine: &Engine) -> Result<Self, HostError> {
        make_private(directory).map_err(|source| HostError::MakeCache {
            path: directory.to_owned(),
            source,
        })?;
        if !is_private(directory) {
            let path = directory.to_owned();
            return Err(HostError::OpenCache { path });
        }
        let mut hasher = DefaultHasher::new();
        engine.precompile_compatibility_hash().hash(&mut hasher);
        Ok(Self {
            directory: directory.to_owned(),
            engine: engine.clone(),
            compatibility: hasher.finish(),
        })
    }

    /// What was compiled before. A file that cannot be loaded is removed.
    pub(crate) fn load(&self, digest: &Digest) -> Option<Component> {
        let path = self.path(digest);
        if !path.exists() {
            return None;
        }
        match load_own(&self.engine, &path) {
            Ok(component) => Some(component),
            Err(error) => {
                tracing::warn!(%error, path = %path.display(), "a compiled plugin is damaged");
                fs::remove_file(&path).ok();
                None
            }
        }
    }

    /// A place for machine code that is being written.
    pub(crate) fn draft(&self, digest: &Digest) -> io::Result<Draft> {
        let path = self.path(digest);
        let beside = path.with_extension(format!("{:016x}.new", rand::random::<u64>()));
        let file = File::create_new(&beside)?;
        Ok(Draft { path, beside, file })
    }

    /// Removes a component in every form it was compiled to.
    pub(crate) fn forget(&self, digest: &Digest) {
        let prefix = format!("{digest}-");
        let Ok(entries) = fs::read_dir(&self.directory) else {
            return;
        };
        for entry in entries.flatten() {
            if entry.file_name().to_string_lossy().starts_with(&prefix) {
                fs::remove_file(entry.path()).ok();
            }
        }
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        let name = format!("{digest}-{:016x}.cwasm", self.compatibility);
        self.directory.join(name)
    }
}

/// Maps a compiled component from the cache.
#[expect(
    unsafe_code,
    reason = "compiled code can be loaded in no other way, and compiling takes seconds"
)]
fn load_own(engine: &Engine, path: &Path) -> wasmtime::Result<Component> {
    // SAFETY: the file was written by the compiler of this engine's host, under
    // a name that holds its compatibility hash, into a directory that only
    // this user may write to (checked in `Cache::open`); it is never changed
    // in place, only renamed to and removed.
    unsafe { Component::deserialize_file(engine, path) }
}

/// Written beside and renamed, so that no half of a file is ever seen. What is
/// not kept is removed.
#[derive(Debug)]
pub(crate) struct Draft {
    path: PathBuf,
    beside: PathBuf,
    file: File,
}

impl Draft {
    /// To write to.
    pub(crate) fn file(&self) -> io::Result<File> {
        self.file.try_clone()
    }

    /// It is whole: from now on it is what was compiled.
    pub(crate) fn keep(self) -> io::Result<()> {
        self.file.sync_all()?;
        fs::rename(&self.beside, &self.path)
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        // After it was kept there is nothing left to remove.
        fs::remove_file(&self.beside).ok();
    }
}

fn make_private(directory: &Path) -> io::Result<()> {
    if let Some(parent) = directory.parent() {
        fs::create_dir_all(parent)?;
    }
    match DirBuilder::new().mode(0o700).create(directory) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        other => other,
    }
}

/// A real directory, ours, that nobody else may enter.
fn is_private(directory: &Path) -> bool {
    let Ok(found) = fs::symlink_metadata(directory) else {
        return false;
    };
    found.is_dir()
        && found.uid() == nix::unistd::Uid::effective().as_raw()
        && found.permissions().mode() & 0o077 == 0
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn the_cache_is_made_private_and_a_shared_directory_is_refused() {
        let engine = Engine::default();
        let base = tempfile::tempdir().unwrap();
        let own = base.path().join("state").join("plugins");
        assert!(Cache::open(&own, &engine).is_ok());
        assert_eq!(fs::metadata(&own).unwrap().mode() & 0o777, 0o700);
        assert!(Cache::open(&own, &engine).is_ok(), "a second time");

        fs::set_permissions(&own, fs::Permissions::from_mode(0o770)).unwrap();
        assert!(matches!(
            Cache::open(&own, &engine),
            Err(HostError::OpenCache { .. })
        ));

        fs::set_permissions(&own, fs::Permissions::from_mode(0o700)).unwrap();
        let link = base.path().join("link");
        std::os::unix::fs::symlink(&own, &link).unwrap();
        assert!(Cache::open(&link, &engine).is_err());
    }

    #[test]
    fn a_damaged_file_is_removed_and_compiled_again() {
        let engine = Engine::default();
        let directory = tempfile::tempdir().unwrap();
        let cache = Cache::open(&directory.path().join("c"), &engine).unwrap();
        let digest: Digest = "a".repeat(64).parse().unwrap();
        let component = wat::parse_str("(component)").unwrap();
        let keep = || {
            let draft = cache.draft(&digest).unwrap();
            let compiled = engine.precompile_component(&component).unwrap();
            draft.file().unwrap().write_all(&compiled).unwrap();
            draft.keep().unwrap();
        };
        keep();
        assert!(cache.load(&digest).is_some());

        fs::write(cache.path(&digest), b"\x7fELF nonsense").unwrap();
        assert!(cache.load(&digest).is_none());
        assert!(!cache.path(&digest).exists());

        keep();
        cache.forget(&digest);
        assert!(cache.load(&digest).is_none());

        drop(cache.draft(&digest).unwrap());
        let left = fs::read_dir(directory.path().join("c")).unwrap().count();
        assert_eq!(left, 0, "a draft that is not kept is removed");
    }
}
