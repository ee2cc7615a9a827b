//! What is outside the engines: instances, routes, containers, what commands
//! did, what notifiers heard. Promises that hold at every moment are checked
//! here, at every change.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use shipway_core::environment::EnvironmentKey;
use shipway_core::journal::{Exit, Image, Instance};
use shipway_core::name::{DeploymentId, PluginName};
use shipway_core::ports::router::Route;
use tokio::sync::Notify;
use tokio::time::Instant;

use crate::faults::Faults;
use crate::mutant::Mutant;

#[derive(Debug)]
pub struct World {
    state: Mutex<State>,
    faults: Mutex<Faults>,
    engines: Mutex<BTreeMap<usize, Standing>>,
    began: Instant,
    ids: AtomicU64,
    mutant: Option<Mutant>,
    /// Rung when an engine has died.
    pub died: Notify,
}

/// How an engine is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    Alive,
    /// It hears and does nothing until then.
    StalledUntil(Instant),
    Dead,
}

/// Everything that can be looked at from outside.
#[derive(Debug, Default, Clone)]
pub struct State {
    pub instances: BTreeMap<String, Running>,
    pub route: Option<Route>,
    pub working_directories: BTreeSet<DeploymentId>,
    pub containers: BTreeMap<DeploymentId, Container>,
    /// Whose remains are kept for a look inside.
    pub aside: BTreeSet<DeploymentId>,
    pub images: BTreeSet<String>,
    /// Every command that was run, in order.
    pub effects: Vec<Effect>,
    /// What each notifier was told and accepted, in order.
    pub told: Vec<(PluginName, DeploymentId, u64)>,
    /// The newest generation of the environment's lease.
    pub generation: u64,
    /// Sentences about promises that were broken.
    pub violations: Vec<String>,
    next_port: u16,
}

#[derive(Debug, Clone)]
pub struct Running {
    pub deployment: DeploymentId,
    pub instance: Instance,
    pub healthy: bool,
}

/// A release container with the command that runs in it, if one does.
#[derive(Debug, Clone, Default)]
pub struct Container {
    pub open: Option<Open>,
}

#[derive(Debug, Clone)]
pub struct Open {
    pub effect: usize,
    pub ends: Instant,
    pub exit: Exit,
}

/// One command that was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effect {
    pub deployment: DeploymentId,
    pub image: String,
    pub run: String,
    /// None while it runs, and for ever if its container was removed.
    pub exit: Option<Exit>,
}

impl World {
    pub fn new(faults: Faults, mutant: Option<Mutant>) -> Self {
        Self {
            ids: AtomicU64::new(1),
            mutant,
            died: Notify::new(),
            state: Mutex::default(),
            faults: Mutex::new(faults),
            engines: Mutex::default(),
            began: Instant::now(),
        }
    }

    /// The world as it is now: what ended meanwhile has ended.
    pub fn state(&self) -> MutexGuard<'_, State> {
        let mut state = lock(&self.state);
        state.pass_time();
        state
    }

    pub fn faults(&self) -> MutexGuard<'_, Faults> {
        lock(&self.faults)
    }

    pub fn standing(&self, engine: usize) -> Standing {
        lock(&self.engines)
            .get(&engine)
            .copied()
            .unwrap_or(Standing::Alive)
    }

    pub fn put(&self, engine: usize, standing: Standing) {
        lock(&self.engines).insert(engine, standing);
        if standing == Standing::Dead {
            self.died.notify_waiters();
        }
    }

    pub fn mutant(&self) -> Option<Mutant> {
        self.mutant
    }

    pub fn next_id(&self) -> u64 {
        self.ids.fetch_add(1, Ordering::Relaxed)
    }

    /// Since the run began.
    pub fn elapsed(&self) -> Duration {
        self.began.elapsed()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl State {
    fn pass_time(&mut self) {
        let now = Instant::now();
        for container in self.containers.values_mut() {
            if let Some(open) = container.open.as_ref().filter(|open| open.ends <= now) {
                if let Some(effect) = self.effects.get_mut(open.effect) {
                    effect.exit = Some(open.exit);
                }
                container.open = None;
            }
        }
    }

    /// One instance of a deployment; asked for again, the same one.
    pub fn start(
        &mut self,
        deployment: DeploymentId,
        process: &shipway_core::name::ProcessName,
        number: u32,
    ) -> Instance {
        let id = format!("{deployment}-{process}-{number}");
        if let Some(running) = self.instances.get(&id) {
            return running.instance.clone();
        }
        self.next_port += 1;
        let instance = Instance {
            id: id.clone(),
            process: process.clone(),
            address: Some(SocketAddr::from(([127, 0, 0, 1], 10_000 + self.next_port))),
        };
        let running = Running {
            deployment,
            instance: instance.clone(),
            healthy: false,
        };
        self.instances.insert(id, running);
        instance
    }

    pub fn stop(&mut self, id: &str) {
        if let Some(running) = self.instances.remove(id)
            && let Some(address) = running.instance.address
            && self.is_routed(address)
        {
            self.broken(format!("{id} was stopped while it was routed"));
        }
    }

    pub fn clean_up(&mut self, deployment: DeploymentId) {
        let theirs: Vec<String> = self
            .instances
            .iter()
            .filter(|(_, running)| running.deployment == deployment)
            .map(|(id, _)| id.clone())
            .collect();
        for id in theirs {
            self.stop(&id);
        }
        self.containers.remove(&deployment);
        self.aside.remove(&deployment);
    }

    pub fn set_aside(&mut self, deployment: DeploymentId) {
        self.clean_up(deployment);
        self.aside.insert(deployment);
    }

    /// False for a route of an older generation than the one there.
    pub fn switch(&mut self, route: &Route) -> bool {
        let there = self.route.as_ref().map_or(0, |there| there.generation);
        if there > route.generation {
            return false;
        }
        for target in &route.targets {
            let healthy = self
                .instances
                .values()
                .any(|running| running.instance.address == Some(*target) && running.healthy);
            if !healthy {
                self.broken(format!(
                    "{target} of {} was routed and was not healthy",
                    route.deployment
                ));
            }
        }
        self.route = Some(route.clone());
        true
    }

    pub fn remove_route(&mut self, _: &EnvironmentKey) {
        self.route = None;
    }

    pub fn build(&mut self, deployment: DeploymentId) -> Image {
        let reference = format!("image-{deployment}");
        self.images.insert(reference.clone());
        Image {
            tag: reference.clone(),
            reference,
            reused: false,
        }
    }

    /// False when there is no such instance.
    pub fn becomes_healthy(&mut self, target: SocketAddr) -> bool {
        let mut instances = self.instances.values_mut();
        let found = instances.find(|running| running.instance.address == Some(target));
        found.map(|running| running.healthy = true).is_some()
    }

    /// When a command of a deployment ends or has ended; none if it never began.
    pub fn begun(&self, deployment: DeploymentId, run: &str) -> Option<Instant> {
        let index = self
            .effects
            .iter()
            .rposition(|effect| effect.deployment == deployment && effect.run == run)?;
        let container = self.containers.get(&deployment)?;
        let open = container.open.as_ref().filter(|open| open.effect == index);
        Some(open.map_or_else(Instant::now, |open| open.ends))
    }

    /// Stops the command that runs, if it has not ended.
    pub fn cancel_command(&mut self, deployment: DeploymentId) -> Exit {
        if let Some(container) = self.containers.get_mut(&deployment)
            && let Some(open) = container.open.take()
        {
            if let Some(effect) = self.effects.get_mut(open.effect) {
                effect.exit = Some(Exit::Cancelled);
            }
            return Exit::Cancelled;
        }
        self.last_exit(deployment)
    }

    /// How the newest command of a deployment ended; killed with its container
    /// if nobody knows.
    pub fn last_exit(&self, deployment: DeploymentId) -> Exit {
        let mut newest = self.effects.iter().rev();
        newest
            .find(|effect| effect.deployment == deployment)
            .and_then(|effect| effect.exit)
            .unwrap_or(Exit::Signal { signal: 9 })
    }

    fn is_routed(&self, address: SocketAddr) -> bool {
        self.route
            .as_ref()
            .is_some_and(|route| route.targets.contains(&address))
    }

    pub fn broken(&mut self, sentence: String) {
        self.violations.push(sentence);
    }
}
