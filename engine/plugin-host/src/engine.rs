//! The one wasmtime engine of a process, and what it links.

use wasmtime::component::{HasSelf, Linker};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, PoolingAllocationConfig};

use wasmtime_wasi_config::WasiConfig;

use crate::bindings::{EveryRole, wasi_logging};
use crate::config::{HostError, Limits};
use crate::sandbox::Sandbox;

/// Address space of one linear memory; the limiter stops growth before. Not
/// the usual 4 GiB, so that many fit where address space is limited.
const MEMORY_RESERVATION: usize = 256 << 20;
/// What a slot keeps of its memory for the next call.
const KEEP_RESIDENT: usize = 256 << 10;
/// Slots that keep it; so the pool at rest holds at most 2 MiB.
const WARM_SLOTS: u32 = 8;

/// With a pool of instances, where the machine has the address space for it;
/// otherwise each call maps its own memory.
pub(crate) fn engine(limits: &Limits) -> Result<Engine, HostError> {
    let mut config = base();
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool(limits)));
    Engine::new(&config).or_else(|error| {
        tracing::info!(%error, "no pool for plugin instances, each call maps its own memory");
        Engine::new(&base()).map_err(|error| HostError::Engine {
            message: format!("{error:#}"),
        })
    })
}

/// An engine that only compiles, and for engines such as ours: what it makes
/// does not depend on how instances are allocated.
pub(crate) fn to_compile() -> wasmtime::Result<Engine> {
    Engine::new(&base())
}

fn base() -> Config {
    let mut config = Config::new();
    config
        .epoch_interruption(true)
        .concurrency_support(false)
        .wasm_memory64(false)
        .memory_init_cow(true)
        .memory_reservation(MEMORY_RESERVATION as u64);
    config
}

/// Sizes that the largest known guest, CPython, fits in.
fn pool(limits: &Limits) -> PoolingAllocationConfig {
    let slots = limits.calls_at_once;
    let mut pool = PoolingAllocationConfig::default();
    pool.total_component_instances(slots)
        .total_core_instances(slots.saturating_mul(32))
        .total_memories(slots.saturating_mul(4))
        .total_tables(slots.saturating_mul(4))
        .total_stacks(slots)
        .max_core_instances_per_component(200)
        .max_component_instance_size(8 << 20)
        .max_core_instance_size(4 << 20)
        .table_elements(limits.table_elements)
        .max_memory_size(MEMORY_RESERVATION)
        .linear_memory_keep_resident(KEEP_RESIDENT)
        .table_keep_resident(KEEP_RESIDENT / 4)
        .max_unused_warm_slots(WARM_SLOTS)
        .pagemap_scan(Enabled::Auto);
    pool
}

/// All that a component may import: Shipway's own interfaces, and WASI 0.2
/// with nothing in it, because language runtimes import it.
pub(crate) fn linker(engine: &Engine) -> Result<Linker<Sandbox>, HostError> {
    let failed = |error: wasmtime::Error| HostError::Engine {
        message: format!("{error:#}"),
    };
    let mut linker = Linker::new(engine);
    wasmtime_wasi::p2::add_to_linker_async(&mut linker).map_err(failed)?;
    wasmtime_wasi_http::p2::add_only_http_to_linker_async(&mut linker).map_err(failed)?;
    wasmtime_wasi_config::add_to_linker(&mut linker, |sandbox: &mut Sandbox| {
        WasiConfig::from(&sandbox.wasi_config)
    })
    .map_err(failed)?;
    wasi_logging::add_to_linker::<_, HasSelf<Sandbox>>(&mut linker, |sandbox| sandbox)
        .map_err(failed)?;
    EveryRole::add_to_linker::<_, HasSelf<Sandbox>>(&mut linker, |sandbox| sandbox)
        .map_err(failed)?;
    Ok(linker)
}
