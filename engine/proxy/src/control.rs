//! The only writer of the table. A change is on disk before any request sees
//! it, and is acknowledged after every request sees it; those of an earlier
//! proxy, which still finishes its requests after a restart, too.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use shipway_core::environment::EnvironmentKey;
use shipway_core::name::Domain;
use shipway_core::ports::router::{Drained, Route, Switched};
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::time::timeout;

use crate::error::ProxyError;
use crate::handover::earlier::Earlier;
use crate::protocol::{Changes, RouteStats, TargetState, TargetStats};
use crate::state_file::{Routes, StateFile};
use crate::stats::{Traffic, count};
use crate::table::{Entry, Routing, Table};
use crate::target::Target;

#[derive(Debug)]
pub(crate) struct Control {
    routing: Arc<Routing>,
    file: StateFile,
    workers: usize,
    switches: AtomicU64,
    drains: AtomicU64,
    cut_off: AtomicU64,
    /// Held for the whole of a change, so that changes come one by one.
    state: Arc<Mutex<State>>,
}

/// Who asks for a change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asker {
    /// On the admin socket.
    Engine,
    /// The proxy that has taken over from this one. It has saved the change.
    Successor,
}

/// Who owns the routes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Lead {
    #[default]
    Ours,
    Successors,
}

#[derive(Debug, Default)]
struct State {
    lead: Lead,
    /// The proxy before this one, while it has requests under way.
    earlier: Option<Arc<Earlier>>,
    routes: Routes,
    generation: u64,
    /// Every target that is routed or has a request on it. Who is in neither
    /// state is gone from memory, and so has no request to wait for.
    targets: HashMap<SocketAddr, Weak<Target>>,
    /// Of every route, for as long as it is there.
    traffic: HashMap<EnvironmentKey, Arc<Traffic>>,
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum ChangeError {
    #[error("the domain {domain} belongs to {owner}; remove it there before {asker} can have it")]
    DomainTaken {
        domain: Domain,
        owner: EnvironmentKey,
        asker: EnvironmentKey,
    },
    #[error(
        "the route of {key} was set under a newer lease (generation {newest}, asked with {asked}); \
         if the engine's store was replaced by an older one, stop the proxy and remove its routes"
    )]
    Outdated {
        key: EnvironmentKey,
        newest: u64,
        asked: u64,
    },
    #[error(transparent)]
    NotSaved(#[from] ProxyError),
    #[error("the state file could not be written: the task that wrote it was stopped")]
    Stopped,
    #[error("another proxy has taken over at this moment; nothing was changed, ask it")]
    HandedOver,
}

/// While this lives, no route changes.
pub(crate) struct Frozen(OwnedMutexGuard<State>);

impl Frozen {
    /// From now on only the proxy that has taken over can change routes.
    pub fn hand_over(mut self) {
        self.0.lead = Lead::Successors;
    }
}

impl Control {
    /// Begins with the routes on disk, which are served at once.
    pub fn start(
        routing: Arc<Routing>,
        file: StateFile,
        workers: usize,
    ) -> Result<Self, ProxyError> {
        let mut state = State {
            routes: file.load()?,
            ..State::default()
        };
        routing.publish(state.next_table(workers));
        Ok(Self {
            routing,
            file,
            workers,
            switches: AtomicU64::new(0),
            drains: AtomicU64::new(0),
            cut_off: AtomicU64::new(0),
            state: Arc::new(Mutex::new(state)),
        })
    }

    /// The proxy that this one has taken over from hears of every change.
    pub async fn tell(&self, earlier: Arc<Earlier>) {
        self.state.lock().await.earlier = Some(earlier);
    }

    pub async fn earlier(&self) -> Option<Arc<Earlier>> {
        self.state.lock().await.earlier.clone()
    }

    /// Returns when the change under way is done; the next ones wait.
    pub async fn freeze(&self) -> Frozen {
        Frozen(Arc::clone(&self.state).lock_owned().await)
    }

    /// Replaces one route. Do not drop this future half-way.
    pub async fn switch(&self, asker: Asker, route: Route) -> Result<Switched, ChangeError> {
        let mut state = self.state.lock().await;
        state.admit(asker)?;
        refuse_outdated(&state.routes, &route)?;
        refuse_taken_domains(&state.routes, &route)?;
        let key = route.key.clone();
        let mut routes = state.routes.clone();
        routes.insert(key.clone(), route.clone());
        let mut switched = self.change(&mut state, routes, &key).await?;
        if let Some(earlier) = &state.earlier {
            switched.in_flight_on_old += earlier.switch(&route).await;
        }
        count(&self.switches);
        Ok(switched)
    }

    /// Forgets one route, if there is one. Do not drop this future half-way.
    pub async fn remove(&self, asker: Asker, key: &EnvironmentKey) -> Result<(), ChangeError> {
        let mut state = self.state.lock().await;
        state.admit(asker)?;
        let mut routes = state.routes.clone();
        if routes.remove(key).is_some() {
            self.change(&mut state, routes, key).await?;
            if let Some(earlier) = &state.earlier {
                earlier.remove(key).await;
            }
        }
        Ok(())
    }

    async fn change(
        &self,
        state: &mut State,
        routes: Routes,
        changed: &EnvironmentKey,
    ) -> Result<Switched, ChangeError> {
        state.routes = match state.lead {
            Lead::Ours => save(self.file.clone(), routes).await?,
            Lead::Successors => routes,
        };
        let old = self.routing.table();
        let new = state.next_table(self.workers);
        let left = retired(&old, &new);
        self.routing.publish(new);
        for target in &left {
            target.retire();
        }
        let in_flight_on_old = replaced(&old, state.routes.get(changed), changed)
            .map(|target| target.in_flight())
            .sum();
        tracing::info!(route = %changed, in_flight_on_old, "routes changed");
        Ok(Switched { in_flight_on_old })
    }

    pub async fn route(&self, key: &EnvironmentKey) -> Option<Route> {
        self.state.lock().await.routes.get(key).cloned()
    }

    pub async fn routes(&self) -> Vec<Route> {
        self.state.lock().await.routes.values().cloned().collect()
    }

    /// Waits until no request is on these targets, in this proxy and in an
    /// earlier one that still has some.
    pub async fn drain(&self, addresses: &[SocketAddr], limit: Duration) -> Drained {
        let (targets, earlier) = {
            let state = self.state.lock().await;
            let known = addresses.iter().filter_map(|a| state.targets.get(a));
            let targets: Vec<_> = known.filter_map(Weak::upgrade).collect();
            (targets, state.earlier.clone())
        };
        let of_earlier = async {
            match &earlier {
                Some(earlier) => earlier.drain(addresses, limit).await,
                None => 0,
            }
        };
        let (own, of_earlier) = tokio::join!(drain_own(&targets, limit), of_earlier);
        let unfinished = own + of_earlier;
        count(&self.drains);
        self.cut_off.fetch_add(unfinished, Ordering::Relaxed);
        Drained { unfinished }
    }

    /// How many routes there are, and how often they were replaced.
    pub fn size(&self) -> (usize, u64) {
        let table = self.routing.table();
        (table.entries.len(), table.generation)
    }

    pub fn stats(&self) -> Vec<RouteStats> {
        let table = self.routing.table();
        let stats = table.entries.iter().map(|entry| RouteStats {
            key: entry.route.key.clone(),
            deployment: entry.route.deployment,
            targets: entry.targets.iter().map(target_stats).collect(),
            answers: entry.traffic.sum(),
        });
        stats.collect()
    }

    pub fn changes(&self) -> Changes {
        Changes {
            switches: self.switches.load(Ordering::Relaxed),
            drains: self.drains.load(Ordering::Relaxed),
            cut_off: self.cut_off.load(Ordering::Relaxed),
        }
    }
}

/// Waits for each target in turn: nobody new comes to one that is out of the
/// table, so those that were quiet stay quiet.
async fn drain_own(targets: &[Arc<Target>], limit: Duration) -> u64 {
    let all_quiet = async {
        for target in targets {
            target.quiet().await;
        }
    };
    match timeout(limit, all_quiet).await {
        Ok(()) => 0,
        Err(_) => targets.iter().map(|target| target.in_flight()).sum(),
    }
}

impl State {
    fn admit(&self, asker: Asker) -> Result<(), ChangeError> {
        match (asker, self.lead) {
            (Asker::Engine, Lead::Successors) => Err(ChangeError::HandedOver),
            _ => Ok(()),
        }
    }

    /// A table of the routes. A target that is still known is the same one,
    /// with its count and its connections.
    fn next_table(&mut self, workers: usize) -> Table {
        self.targets.retain(|_, target| target.strong_count() > 0);
        self.traffic.retain(|key, _| self.routes.contains_key(key));
        let mut entries = Vec::with_capacity(self.routes.len());
        for route in self.routes.values() {
            let traffic = self.traffic.entry(route.key.clone());
            let traffic = traffic.or_insert_with(|| Arc::new(Traffic::new(workers)));
            let targets = route.targets.iter();
            let targets =
                targets.map(|address| known(&mut self.targets, *address, workers, traffic));
            entries.push(Entry::new(
                route.clone(),
                targets.collect(),
                Arc::clone(traffic),
            ));
        }
        let generation = self.generation;
        self.generation += 1;
        Table::new(generation, entries)
    }
}

fn known(
    targets: &mut HashMap<SocketAddr, Weak<Target>>,
    address: SocketAddr,
    workers: usize,
    traffic: &Arc<Traffic>,
) -> Arc<Target> {
    if let Some(target) = targets.get(&address).and_then(Weak::upgrade) {
        target.reinstate();
        return target;
    }
    let target = Arc::new(Target::new(address, workers, Arc::clone(traffic)));
    targets.insert(address, Arc::downgrade(&target));
    target
}

/// Whoever has lost its lease may not know it yet.
fn refuse_outdated(routes: &Routes, asked: &Route) -> Result<(), ChangeError> {
    match routes.get(&asked.key) {
        Some(there) if there.generation > asked.generation => Err(ChangeError::Outdated {
            key: asked.key.clone(),
            newest: there.generation,
            asked: asked.generation,
        }),
        _ => Ok(()),
    }
}

fn refuse_taken_domains(routes: &Routes, route: &Route) -> Result<(), ChangeError> {
    let others = routes.values().filter(|other| other.key != route.key);
    for other in others {
        for domain in &route.domains {
            if other.domains.contains(domain) {
                return Err(ChangeError::DomainTaken {
                    domain: domain.clone(),
                    owner: other.key.clone(),
                    asker: route.key.clone(),
                });
            }
        }
    }
    Ok(())
}

/// On a thread of its own: a slow disk must not keep others from the proxy.
async fn save(file: StateFile, routes: Routes) -> Result<Routes, ChangeError> {
    let saved = tokio::task::spawn_blocking(move || file.save(&routes).map(|()| routes));
    Ok(saved.await.map_err(|_| ChangeError::Stopped)??)
}

/// The targets of the old table that the new one has not.
fn retired(old: &Table, new: &Table) -> Vec<Arc<Target>> {
    let mut left: HashMap<_, _> = targets_of(old).map(|t| (t.address(), t)).collect();
    for target in targets_of(new) {
        left.remove(&target.address());
    }
    left.into_values().cloned().collect()
}

fn targets_of(table: &Table) -> impl Iterator<Item = &Arc<Target>> {
    table.entries.iter().flat_map(|entry| &entry.targets)
}

/// The targets that this route had before and has no more.
fn replaced<'a>(
    old: &'a Table,
    new: Option<&'a Route>,
    key: &'a EnvironmentKey,
) -> impl Iterator<Item = &'a Arc<Target>> {
    let before = old.entries.iter().filter(move |e| e.route.key == *key);
    before
        .flat_map(|entry| &entry.targets)
        .filter(move |target| new.is_none_or(|route| !route.targets.contains(&target.address())))
}

fn target_stats(target: &Arc<Target>) -> TargetStats {
    TargetStats {
        address: target.address(),
        in_flight: target.in_flight(),
        state: match target.is_aside() {
            true => TargetState::Aside,
            false => TargetState::InUse,
        },
        failures: target.failures(),
    }
}
