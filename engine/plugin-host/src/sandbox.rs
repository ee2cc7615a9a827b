//! What a guest finds around it: the store of one call. Nothing of it
//! outlives the call.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use shipway_core::environment::Variable;
use shipway_core::grant::{Denied, Rights};
use shipway_core::name::VariableName;
use shipway_core::plugin::Installed;
use shipway_core::ports::plugins::{Call, CandidateExec, Endpoint, ImageProbe};
use shipway_core::ports::source::Files;
use wasmtime::component::ResourceTable;
use wasmtime::{Engine, ResourceLimiter, Store, UpdateDeadline};
use wasmtime_wasi::{WasiCtx, WasiCtxView, WasiView};
use wasmtime_wasi_config::WasiConfigVariables;
use wasmtime_wasi_http::WasiHttpCtx;

use crate::clock::{CpuMeter, Grace};
use crate::config::Limits;
use crate::denials::Denials;
use crate::fault::Stop;
use crate::http::Http;
use crate::imports::{output, wasi_http};
use crate::lines::Lines;
use crate::outward::Outward;
use crate::secrets::Secrets;
use crate::tape::Tape;

/// Bytes of one set of `wasi:http` headers.
const FIELDS: usize = 32 << 10;

/// What is there for a guest, and what of it it may use.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) rights: Arc<Rights>,
    pub(crate) settings: BTreeMap<String, String>,
    pub(crate) variables: BTreeMap<VariableName, Variable>,
    pub(crate) secrets: Arc<Secrets>,
    pub(crate) lines: Arc<Lines>,
    pub(crate) files: Option<Arc<dyn Files>>,
    pub(crate) image: Option<Arc<dyn ImageProbe>>,
    pub(crate) candidate: Vec<Endpoint>,
    pub(crate) exec: Option<Arc<dyn CandidateExec>>,
}

impl Scene {
    /// Nothing there, nothing granted.
    pub(crate) fn empty(limits: &Limits) -> Self {
        let secrets = Arc::default();
        Self {
            rights: Arc::default(),
            settings: BTreeMap::new(),
            variables: BTreeMap::new(),
            lines: Arc::new(Lines::new(None, Arc::clone(&secrets), limits)),
            secrets,
            files: None,
            image: None,
            candidate: Vec::new(),
            exec: None,
        }
    }

    pub(crate) fn of(call: &Call, limits: &Limits) -> Self {
        let plugin = &call.plugin;
        let name = plugin.name();
        let known = known(plugin, call);
        let (settings, secrets) = settings(plugin, &known);
        let secrets = Arc::new(secrets);
        let rights = Rights::new(&plugin.description, &known, &plugin.grants);
        let sink = (name.clone(), Arc::clone(&call.log));
        Self {
            rights: Arc::new(rights),
            settings,
            variables: call.variables.clone(),
            lines: Arc::new(Lines::new(Some(sink), Arc::clone(&secrets), limits)),
            secrets,
            files: call.files.clone(),
            image: call.image.clone(),
            candidate: call.candidate.clone(),
            exec: call.exec.clone(),
        }
    }
}

/// The plugin's settings under those of the call, which usually has them all.
fn known<'a>(plugin: &Installed, call: &'a Call) -> Cow<'a, BTreeMap<String, Variable>> {
    let mut own = plugin.settings.keys();
    if own.all(|name| call.settings.contains_key(name)) {
        return Cow::Borrowed(&call.settings);
    }
    let mut known = plugin.settings.clone();
    known.extend(call.settings.clone());
    Cow::Owned(known)
}

/// The settings as the guest sees them, and the secrets behind them.
fn settings(
    plugin: &Installed,
    known: &BTreeMap<String, Variable>,
) -> (BTreeMap<String, String>, Secrets) {
    let mut secrets = Secrets::default();
    let seen = known.iter().map(|(name, variable)| {
        let value = match variable {
            Variable::Plain(value) if !is_secret(plugin, name) => value.clone(),
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
    pub(crate) outward: Arc<Outward>,
    pub(crate) denials: Arc<Denials>,
    pub(crate) tape: Tape,
    pub(crate) grace: Grace,
    /// Probes and commands so far.
    pub(crate) commands: u32,
    handed_over: usize,
    meter: MemoryMeter,
    wasi: WasiCtx,
    pub(crate) wasi_http: WasiHttpCtx,
    pub(crate) wasi_http_hooks: wasi_http::Hooks,
    pub(crate) wasi_config: WasiConfigVariables,
    pub(crate) table: ResourceTable,
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
    pub(crate) fn new(
        scene: Scene,
        limits: Arc<Limits>,
        http: Arc<Http>,
        tape: Tape,
        grace: Grace,
    ) -> Self {
        let mut table = ResourceTable::new();
        table.set_max_capacity(limits.handles);
        let mut wasi_http = WasiHttpCtx::new();
        wasi_http.set_field_size_limit(FIELDS);
        let denials = Arc::new(Denials::new(Arc::clone(&scene.lines)));
        let outward = Arc::new(Outward::new(
            Arc::clone(&scene.rights),
            Arc::clone(&scene.secrets),
            scene.candidate.clone(),
            Arc::clone(&denials),
            http,
            &limits,
        ));
        let settings = scene.settings.iter();
        Self {
            wasi: output::empty_wasi(&scene.lines),
            wasi_config: settings
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            wasi_http,
            wasi_http_hooks: wasi_http::Hooks {
                outward: Arc::clone(&outward),
                body_limit: limits.http_body,
            },
            scene,
            outward,
            denials,
            tape,
            grace,
            commands: 0,
            handed_over: 0,
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

    pub(crate) fn seen(&self) -> Seen {
        Seen {
            memory_refused: self.meter.refused,
            last_words: self.scene.lines.last_words(),
            denied: self.denials.last(),
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
