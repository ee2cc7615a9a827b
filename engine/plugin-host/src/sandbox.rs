//! What a guest finds around it: the store of one call. Nothing of it
//! outlives the call.

use std::collections::BTreeMap;
use std::sync::Arc;

use shipway_core::environment::Variable;
use shipway_core::grant::{Denied, Grants, Rights};
use shipway_core::plugin::Installed;
use shipway_core::ports::plugins::{Call, Endpoint, ImageProbe, Level};
use shipway_core::ports::source::Files;
use wasmtime::component::ResourceTable;
use wasmtime::{Engine, ResourceLimiter, Store, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};

use crate::clock::{CpuMeter, Grace};
use crate::config::Limits;
use crate::fault::Stop;
use crate::http::Http;
use crate::imports::output;
use crate::lines::Lines;
use crate::secrets::Secrets;

/// What is there for a guest, and what of it it may use.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) rights: Rights,
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) secrets: Secrets,
    pub(crate) lines: Arc<Lines>,
    pub(crate) files: Option<Arc<dyn Files>>,
    pub(crate) image: Option<Arc<dyn ImageProbe>>,
    pub(crate) candidate: Vec<Endpoint>,
}

impl Scene {
    /// Nothing there, nothing granted.
    pub(crate) fn empty(limits: &Limits) -> Self {
        let secrets = Secrets::default();
        Self {
            rights: Rights::new("", &[], &Grants::default()),
            settings: BTreeMap::new(),
            lines: Arc::new(Lines::new(None, secrets.redactor(), limits)),
            secrets,
            files: None,
            image: None,
            candidate: Vec::new(),
        }
    }

    pub(crate) fn of(call: &Call, limits: &Limits) -> Self {
        let plugin = &call.plugin;
        let name = plugin.name();
        let (settings, secrets) = settings(call);
        let sink = (name.clone(), Arc::clone(&call.log));
        Self {
            rights: Rights::new(name.as_str(), &plugin.description.requests, &plugin.grants),
            settings,
            lines: Arc::new(Lines::new(Some(sink), secrets.redactor(), limits)),
            secrets,
            files: call.files.clone(),
            image: call.image.clone(),
            candidate: call.candidate.clone(),
        }
    }
}

/// The settings as the guest sees them, and the secrets behind them.
fn settings(call: &Call) -> (BTreeMap<String, String>, Secrets) {
    let mut secrets = Secrets::default();
    let mut merged: BTreeMap<&String, &Variable> = call.plugin.settings.iter().collect();
    merged.extend(&call.settings);
    let seen = merged.into_iter().map(|(name, variable)| {
        let value = match variable {
            Variable::Plain(value) if !is_secret(&call.plugin, name) => value.clone(),
            hidden => secrets.hold(name, hidden.reveal()),
        };
        (name.clone(), value)
    });
    (seen.collect(), secrets)
}

/// What the plugin calls secret is secret, however it was set.
fn is_secret(plugin: &Installed, name: &str) -> bool {
    let mut known = plugin.description.settings.iter();
    known.any(|setting| setting.name == name && setting.secret)
}

pub(crate) struct Sandbox {
    pub(crate) scene: Scene,
    pub(crate) limits: Arc<Limits>,
    pub(crate) http: Arc<Http>,
    pub(crate) grace: Grace,
    pub(crate) http_requests: u32,
    pub(crate) image_runs: u32,
    handed_over: usize,
    denied: Vec<Denied>,
    meter: MemoryMeter,
    wasi: WasiCtx,
    table: ResourceTable,
}

/// What the host saw of a call that is over.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    pub(crate) memory_refused: bool,
    pub(crate) last_words: Option<String>,
    /// The last refusal; it names the command that would allow it.
    pub(crate) denied: Option<Denied>,
}

impl Sandbox {
    pub(crate) fn new(scene: Scene, limits: Arc<Limits>, http: Arc<Http>, grace: Grace) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles);
        Self {
            wasi: output::empty_wasi(&scene.lines),
            scene,
            http,
            grace,
            http_requests: 0,
            image_runs: 0,
            handed_over: 0,
            denied: Vec::new(),
            meter: MemoryMeter::new(&limits),
            limits,
            table,
        }
    }

    /// The store of one call, with every limit set.
    pub(crate) fn into_store(self, engine: &Engine, cpu: CpuMeter) -> Store<Self> {
        let limits = Arc::clone(&self.limits);
        let mut store = Store::new(engine, self);
        store.limiter(|sandbox| &mut sandbox.meter);
        store.set_hostcall_fuel(limits.call_bytes);
        store.set_max_component_handles(limits.handles);
        store.set_epoch_deadline(1);
        store.epoch_deadline_callback(move |_| match cpu.spent() > limits.cpu {
            true => Err(Stop::Cpu.into()),
            false => Ok(UpdateDeadline::Yield(1)),
        });
        store
    }

    /// Counts what a guest hands over; too much of it ends the guest.
    pub(crate) fn hand_over(&mut self, bytes: usize) -> wasmtime::Result<()> {
        self.handed_over = self.handed_over.saturating_add(bytes);
        match self.handed_over > self.limits.run_bytes {
            true => Err(Stop::HandedOver.into()),
            false => Ok(()),
        }
    }

    /// Tells the operator, once, what would allow it.
    pub(crate) fn note_denied(&mut self, denied: Denied) {
        if self.denied.contains(&denied) {
            return;
        }
        self.scene.lines.host(Level::Warn, &denied.to_string());
        self.denied.push(denied);
    }

    pub(crate) fn seen(&self) -> Seen {
        Seen {
            memory_refused: self.meter.refused,
            last_words: self.scene.lines.last_words(),
            denied: self.denied.last().cloned(),
        }
    }
}

impl WasiView for Sandbox {
    fn ctx(&mut self) -> WasiCtxView<'_> {
        WasiCtxView {
            ctx: &mut self.wasi,
            table: &mut self.table,
        }
    }
}

/// Sums all memories and all tables of a store: wasmtime's own limits count
/// each alone.
#[derive(Debug)]
struct MemoryMeter {
    memory: usize,
    most_memory: usize,
    elements: usize,
    most_elements: usize,
    instances: usize,
    refused: bool,
}

impl MemoryMeter {
    fn new(limits: &Limits) -> Self {
        Self {
            memory: 0,
            most_memory: limits.memory,
            elements: 0,
            most_elements: limits.table_elements,
            instances: limits.instances,
            refused: false,
        }
    }
}

impl ResourceLimiter for MemoryMeter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let sum = self.memory.saturating_add(desired.saturating_sub(current));
        if sum > self.most_memory {
            self.refused = true;
            return Ok(false);
        }
        self.memory = sum;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let sum = self
            .elements
            .saturating_add(desired.saturating_sub(current));
        if sum > self.most_elements {
            self.refused = true;
            return Ok(false);
        }
        self.elements = sum;
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.instances
    }

    fn tables(&self) -> usize {
        self.instances
    }

    fn memories(&self) -> usize {
        self.instances
    }
}
