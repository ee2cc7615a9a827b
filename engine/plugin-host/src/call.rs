//! One call: a fresh store, the clocks, the question, and what came of it.

use std::sync::Arc;
use std::time::Instant;

use futures::future::BoxFuture;
use shipway_core::plugin::Role;
use tokio::sync::Semaphore;
use wasmtime::component::Instance;
use wasmtime::{Engine, Store};

use crate::clock::{self, CpuMeter, Grace};
use crate::config::Limits;
use crate::fault::{self, Fault, Stop};
use crate::http::{Http, Outside};
use crate::loaded::Loaded;
use crate::sandbox::{Sandbox, Scene, Seen};
use crate::tape::Tape;
use crate::ticker::Ticker;

/// What every call needs of the host.
#[derive(Debug)]
pub(crate) struct Caller {
    engine: Engine,
    http: Arc<Http>,
    tape: Tape,
    ticker: Arc<Ticker>,
    /// In front of the pool: a call waits here rather than fail there.
    slots: Arc<Semaphore>,
}

/// What a guest answered, and what the host saw meanwhile.
#[derive(Debug)]
pub(crate) struct Answer<T> {
    pub(crate) value: T,
    pub(crate) seen: Seen,
}

impl Caller {
    pub(crate) fn new(engine: Engine, limits: &Limits, http: Arc<Http>, ticker: Ticker) -> Self {
        let slots = Semaphore::new(usize::try_from(limits.calls_at_once).unwrap_or(1));
        Self {
            engine,
            http,
            tape: Tape::Off,
            ticker: Arc::new(ticker),
            slots: Arc::new(slots),
        }
    }

    /// The same engine and limits, with a tape and perhaps another world
    /// outside.
    pub(crate) fn rehearsing(&self, tape: Tape, outside: Option<Arc<dyn Outside>>) -> Self {
        Self {
            engine: self.engine.clone(),
            http: match outside {
                Some(outside) => Arc::new(self.http.rehearsing(outside)),
                None => Arc::clone(&self.http),
            },
            tape,
            ticker: Arc::clone(&self.ticker),
            slots: Arc::clone(&self.slots),
        }
    }

    /// Instantiates the component and asks it one question. Waiting for a
    /// free slot is not the plugin's time.
    pub(crate) async fn ask<T: Send>(
        &self,
        loaded: &Loaded,
        scene: Scene,
        limits: Arc<Limits>,
        role: Option<Role>,
        question: impl for<'a> FnOnce(&'a mut Store<Sandbox>, Instance) -> Asked<'a, T> + Send,
    ) -> Result<Answer<T>, Fault> {
        let _slot = self.slots.acquire().await.map_err(|_| closing())?;
        let _ticking = self.ticker.tick();
        let (cpu, grace) = (CpuMeter::default(), Grace::default());
        let wall = limits.wall(role);
        let mut store = self
            .sandbox(scene, &limits, &grace)
            .into_store(&self.engine, cpu.clone());
        let started = Instant::now();
        let work = async {
            let instance = loaded.instantiate(&mut store).await.map_err(not_started)?;
            question(&mut store, instance).await
        };
        let outcome = clock::within(wall, &grace, cpu.measure(work)).await;
        let took = started.elapsed();
        tracing::Span::current().record("cpu_ms", cpu.total().as_secs_f64() * 1000.0);
        let seen = store.data().seen();
        match outcome {
            Some(Ok(value)) => Ok(Answer { value, seen }),
            Some(Err(error)) => Err(fault::ended(&error, &seen, took, &limits)),
            None => Err(fault::timed_out(wall, took)),
        }
    }

    fn sandbox(&self, scene: Scene, limits: &Arc<Limits>, grace: &Grace) -> Sandbox {
        let (limits, http) = (Arc::clone(limits), Arc::clone(&self.http));
        Sandbox::new(scene, limits, http, self.tape.clone(), grace.clone())
    }
}

/// The future of a question.
pub(crate) type Asked<'a, T> = BoxFuture<'a, wasmtime::Result<T>>;

fn not_started(error: wasmtime::Error) -> wasmtime::Error {
    error.context(Stop::NotStarted)
}

fn closing() -> Fault {
    Fault::host("was not called: the plugin host is closing")
}
