//! The same component on wasmtime with nothing of ours: the same pool of
//! instances, the same answers to its imports, WASI with an empty context; no
//! limits, no rights, no clocks, no async.

use anyhow::{Result, anyhow, ensure};
use shipway_core::ports::source::Files;
use wasmtime::component::{Component, HasSelf, Linker, ResourceTable};
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig, Store,
};
use wasmtime_wasi::{WasiCtx, WasiCtxBuilder, WasiCtxView, WasiView};

use crate::stage::Commit;

mod bindings {
    wasmtime::component::bindgen!({
        path: "../../wit",
        world: "shipway:worlds/release-source",
    });
}

use bindings::shipway::plugin::model::{Deployment, Failure, Output};
use bindings::shipway::plugin::{candidate, http, image, log, model, settings, source, variables};
use bindings::{ReleaseSource, ReleaseSourcePre};

/// What is left out, to see what it brings.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Without {
    Nothing,
    /// Each call maps its own memory.
    Pool,
    /// A slot of the pool gives all its memory back after a call.
    WarmMemory,
    /// All that a slot keeps is written over, not only what was written to.
    PagemapScan,
    /// The component's imports are looked up for each call.
    Linking,
}

impl Without {
    /// Each but nothing, with its name.
    pub const EACH: [(Self, &str); 4] = [
        (Self::Pool, "bare, no pool"),
        (Self::WarmMemory, "bare, nothing warm"),
        (Self::PagemapScan, "bare, no pagemap"),
        (Self::Linking, "bare, linked anew"),
    ];
}

pub struct Bare {
    engine: Engine,
    pre: ReleaseSourcePre<Guest>,
    /// What an instance is made from when it is linked for each call.
    unlinked: Option<(Linker<Guest>, Component)>,
    deployment: Deployment,
}

impl Bare {
    pub fn new(bytes: &[u8], without: Without) -> Result<Self> {
        let engine = Engine::new(&config(without)).map_err(own)?;
        let mut linker = Linker::new(&engine);
        wasmtime_wasi::p2::add_to_linker_sync(&mut linker).map_err(own)?;
        ReleaseSource::add_to_linker::<_, HasSelf<Guest>>(&mut linker, |guest| guest)
            .map_err(own)?;
        let component = Component::new(&engine, bytes).map_err(own)?;
        let pre = linker.instantiate_pre(&component).map_err(own)?;
        let text = str::to_owned;
        let unlinked = (without == Without::Linking).then_some((linker, component));
        Ok(Self {
            pre: ReleaseSourcePre::new(pre).map_err(own)?,
            unlinked,
            engine,
            deployment: Deployment {
                id: uuid::Uuid::nil().to_string(),
                app: text("guestbook"),
                environment: text("live"),
                commit: "c".repeat(40),
                reference: text("main"),
                attributes: Vec::new(),
            },
        })
    }

    pub fn call(&self) -> Result<()> {
        let guest = Guest {
            wasi: WasiCtxBuilder::new().build(),
            table: ResourceTable::new(),
        };
        let mut store = Store::new(&self.engine, guest);
        let source = match &self.unlinked {
            None => self.pre.instantiate(&mut store),
            Some((linker, component)) => ReleaseSource::instantiate(&mut store, component, linker),
        };
        let source = source.map_err(own)?;
        let commands = source.shipway_release_commands();
        let collected = commands.call_collect(&mut store, &self.deployment);
        let collected = collected.map_err(own)?;
        ensure!(
            collected.is_ok_and(|collected| collected.commands.len() == 3),
            "the guest answers something else"
        );
        Ok(())
    }
}

/// As fast as wasmtime is here: without interruption, and in a pool.
fn config(without: Without) -> Config {
    let (memory, table) = match without {
        Without::WarmMemory => (0, 0),
        _ => (256 << 10, 64 << 10),
    };
    let scan = match without {
        Without::PagemapScan => Enabled::No,
        _ => Enabled::Auto,
    };
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(16)
        .total_memories(32)
        .total_tables(32)
        .total_core_instances(256)
        .max_memory_size(256 << 20)
        .linear_memory_keep_resident(memory)
        .table_keep_resident(table)
        .pagemap_scan(scan);
    let mut config = Config::new();
    config
        .concurrency_support(false)
        .memory_reservation(256 << 20);
    if without != Without::Pool {
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    config
}

fn own(error: wasmtime::Error) -> anyhow::Error {
    anyhow!("{error:#}")
}

struct Guest {
    wasi: WasiCtx,
    table: ResourceTable,
}

impl WasiView for Guest {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

fn none(what: &str) -> Failure {
    Failure {
        code: "not-found".to_owned(),
        message: format!("there is no {what} here"),
        retryable: false,
        attributes: Vec::new(),
    }
}

impl model::Host for Guest {}

impl settings::Host for Guest {
    fn get(&mut self, _: String) -> Option<String> {
        None
    }
}

impl variables::Host for Guest {
    fn get(&mut self, _: String) -> Result<Option<String>, Failure> {
        Ok(None)
    }
}

impl log::Host for Guest {
    fn write(&mut self, _: log::Level, _: String) {}
}

impl source::Host for Guest {
    fn read(&mut self, path: String) -> Result<Vec<u8>, Failure> {
        Commit.read(&path, u64::MAX).map_err(|_| none("file"))
    }

    fn find(&mut self, glob: String) -> Result<Vec<String>, Failure> {
        Commit.find(&glob, usize::MAX).map_err(|_| none("file"))
    }
}

impl image::Host for Guest {
    fn run(&mut self, _: Vec<String>, _: Vec<(String, String)>) -> Result<Output, Failure> {
        Err(none("image"))
    }
}

impl http::Host for Guest {
    fn send(&mut self, _: http::Request) -> Result<http::Response, Failure> {
        Err(none("network"))
    }
}

impl candidate::Host for Guest {
    fn endpoints(&mut self) -> Vec<candidate::Endpoint> {
        Vec::new()
    }

    fn exec(&mut self, _: String, _: Vec<String>) -> Result<Output, Failure> {
        Err(none("candidate"))
    }
}
