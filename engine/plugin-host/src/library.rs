//! Components by digest: in memory while they are used, compiled on disk, and
//! as bytes wherever the registry keeps them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest as _, Sha256};
use shipway_core::name::Digest;
use shipway_core::ports::store::Registry;
use tokio::sync::Semaphore;
use wasmtime::component::{Component, Linker};

use crate::cache::Cache;
use crate::check;
use crate::config::Limits;
use crate::fault::Fault;
use crate::loaded::Loaded;
use crate::sandbox::Sandbox;

/// Components that stay ready in memory; one beyond that maps its file again.
const MOST_READY: usize = 32;

pub(crate) struct Library {
    linker: Linker<Sandbox>,
    cache: Cache,
    registry: Arc<dyn Registry>,
    limits: Arc<Limits>,
    ready: Mutex<Shelf>,
    /// One compilation at a time: it takes every core it gets.
    compiler: Arc<Semaphore>,
}

impl Library {
    pub(crate) fn new(
        linker: Linker<Sandbox>,
        cache: Cache,
        registry: Arc<dyn Registry>,
        limits: Arc<Limits>,
    ) -> Self {
        Self {
            linker,
            cache,
            registry,
            limits,
            ready: Mutex::default(),
            compiler: Arc::new(Semaphore::new(1)),
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

    async fn load(&self, digest: &Digest, bytes: Option<&[u8]>) -> Result<Arc<Loaded>, Fault> {
        let component = match self.compiled_before(digest).await? {
            Some(component) => component,
            None => {
                let bytes = match bytes {
                    Some(bytes) => bytes.to_vec(),
                    None => self.stored(digest).await?,
                };
                self.compile(digest, bytes).await?
            }
        };
        let loaded = Arc::new(Loaded::new(&self.linker, &component)?);
        self.shelf(|shelf| shelf.put(digest.clone(), Arc::clone(&loaded)));
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

    /// Compiling cannot be interrupted: after its time the caller goes on, and
    /// the permit stays with the thread until that is done.
    async fn compile(&self, digest: &Digest, bytes: Vec<u8>) -> Result<Component, Fault> {
        let limit = self.limits.compile;
        let work = async {
            let permit = Arc::clone(&self.compiler).acquire_owned().await;
            let (cache, digest) = (self.cache.clone(), digest.clone());
            tokio::task::spawn_blocking(move || {
                let _permit = permit;
                cache.compile(&digest, &bytes)
            })
            .await
        };
        match tokio::time::timeout(limit, work).await {
            Ok(Ok(Ok(component))) => Ok(component),
            Ok(Ok(Err(error))) => Err(check::not_compiled(&error)),
            Ok(Err(error)) => Err(Fault::host(format!("could not be compiled: {error}"))),
            Err(_) => Err(
                Fault::host(format!("could not be compiled in {} s", limit.as_secs())).with_hint(
                    "make the component smaller, or try again when the machine is less busy",
                ),
            ),
        }
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

    fn put(&mut self, digest: Digest, loaded: Arc<Loaded>) {
        self.uses += 1;
        self.ready.insert(digest, (loaded, self.uses));
        if self.ready.len() > MOST_READY {
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
