//! Components by digest: in memory while they are used, compiled on disk, and
//! as bytes wherever the registry keeps them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use sha2::{Digest as _, Sha256};
use shipway_core::name::Digest;
use shipway_core::ports::store::Registry;
use wasmtime::component::{Component, Linker};

use crate::cache::Cache;
use crate::check;
use crate::compiler::Workshop;
use crate::config::Limits;
use crate::fault::Fault;
use crate::loaded::Loaded;
use crate::sandbox::Sandbox;

pub(crate) struct Library {
    linker: Linker<Sandbox>,
    cache: Cache,
    registry: Arc<dyn Registry>,
    limits: Arc<Limits>,
    ready: Mutex<Shelf>,
    workshop: Workshop,
}

impl Library {
    pub(crate) fn new(
        linker: Linker<Sandbox>,
        cache: Cache,
        registry: Arc<dyn Registry>,
        workshop: Workshop,
        limits: Arc<Limits>,
    ) -> Self {
        Self {
            linker,
            cache,
            registry,
            workshop,
            limits,
            ready: Mutex::default(),
        }
    }

    /// A component from outside: checked, compiled, and kept ready.
    pub(crate) async fn take_in(&self, bytes: &[u8]) -> Result<(Digest, Arc<Loaded>), Fault> {
        check::file(bytes, &self.limits)?;
        let digest = digest(bytes)?;
        let loaded = match self.ready(&digest) {
            Some(loaded) => loaded,
            None => self.load(&digest, Some(bytes)).await?,
        };
        Ok((digest, loaded))
    }

    /// A component that was taken in before.
    pub(crate) async fn get(&self, digest: &Digest) -> Result<Arc<Loaded>, Fault> {
        match self.ready(digest) {
            Some(loaded) => Ok(loaded),
            None => self.load(digest, None).await,
        }
    }

    pub(crate) fn forget(&self, digest: &Digest) {
        self.shelf(|shelf| shelf.ready.remove(digest));
        self.cache.forget(digest);
    }

    /// How long it took to compile, if that was here and it is still ready.
    pub(crate) fn took(&self, digest: &Digest) -> Option<Duration> {
        self.ready(digest)?.compiled_in()
    }

    async fn load(&self, digest: &Digest, bytes: Option<&[u8]>) -> Result<Arc<Loaded>, Fault> {
        let (component, took) = match self.compiled_before(digest).await? {
            Some(component) => (component, None),
            None => {
                let bytes = match bytes {
                    Some(bytes) => bytes.to_vec(),
                    None => self.stored(digest).await?,
                };
                let (component, took) = self.compile(digest, bytes).await?;
                (component, Some(took))
            }
        };
        let loaded = Arc::new(Loaded::new(&self.linker, &component, took)?);
        let most = self.limits.ready;
        self.shelf(|shelf| shelf.put(digest.clone(), Arc::clone(&loaded), most));
        Ok(loaded)
    }

    async fn compiled_before(&self, digest: &Digest) -> Result<Option<Component>, Fault> {
        let (cache, digest) = (self.cache.clone(), digest.clone());
        tokio::task::spawn_blocking(move || cache.load(&digest))
            .await
            .map_err(|error| Fault::host(format!("could not be loaded: {error}")))
    }

    async fn stored(&self, wanted: &Digest) -> Result<Vec<u8>, Fault> {
        let stored =
            self.registry.component(wanted).await.map_err(|error| {
                Fault::host(format!("could not be loaded from the store: {error}"))
            })?;
        let bytes = stored.ok_or_else(|| {
            Fault::host("is not in the store any more")
                .with_hint("add it again with `shipway plugin add`")
        })?;
        if digest(&bytes)? != *wanted {
            return Err(
                Fault::host("is not what was installed: its bytes have another digest").with_hint(
                    "add it again with `shipway plugin add`, and check who changed the store",
                ),
            );
        }
        check::file(&bytes, &self.limits)?;
        Ok(bytes)
    }

    async fn compile(
        &self,
        digest: &Digest,
        bytes: Vec<u8>,
    ) -> Result<(Component, Duration), Fault> {
        let unkept = |error: &dyn std::fmt::Display| {
            Fault::host(format!("could not be kept in the plugin cache: {error}"))
                .with_hint("look whether the disk of the state directory is full")
        };
        let draft = self.cache.draft(digest).map_err(|error| unkept(&error))?;
        let took = self.workshop.compile(bytes, &draft).await?;
        tokio::task::spawn_blocking(move || draft.keep())
            .await
            .map_err(|error| unkept(&error))?
            .map_err(|error| unkept(&error))?;
        let component = self.compiled_before(digest).await?;
        let component = component.ok_or_else(|| {
            Fault::host(
                "could not be loaded after it was compiled; the engine's log has the reason",
            )
        })?;
        Ok((component, took))
    }

    fn ready(&self, digest: &Digest) -> Option<Arc<Loaded>> {
        self.shelf(|shelf| shelf.get(digest))
    }

    fn shelf<T>(&self, act: impl FnOnce(&mut Shelf) -> T) -> T {
        act(&mut self.ready.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl std::fmt::Debug for Library {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Library")
            .field("cache", &self.cache)
            .finish_non_exhaustive()
    }
}

/// What is ready, and when each was used last.
#[derive(Debug, Default)]
struct Shelf {
    ready: HashMap<Digest, (Arc<Loaded>, u64)>,
    uses: u64,
}

impl Shelf {
    fn get(&mut self, digest: &Digest) -> Option<Arc<Loaded>> {
        self.uses += 1;
        let (loaded, used) = self.ready.get_mut(digest)?;
        *used = self.uses;
        Some(Arc::clone(loaded))
    }

    fn put(&mut self, digest: Digest, loaded: Arc<Loaded>, most: usize) {
        self.uses += 1;
        self.ready.insert(digest, (loaded, self.uses));
        if self.ready.len() > most.max(1) {
            let oldest = self.ready.iter().min_by_key(|(_, (_, used))| *used);
            if let Some(oldest) = oldest.map(|(digest, _)| digest.clone()) {
                self.ready.remove(&oldest);
            }
        }
    }
}

fn digest(bytes: &[u8]) -> Result<Digest, Fault> {
    let hexadecimal: String = Sha256::digest(bytes)
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    hexadecimal
        .parse()
        .map_err(|error| Fault::host(format!("has no digest: {error}")))
}
