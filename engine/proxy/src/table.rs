//! Host → targets. Every request reads it without a lock; `control` alone
//! replaces it, as a whole.
//!
//! **No request is lost between two tables.** A request counts itself on its
//! target and then looks at the generation; a switch stores the table, then
//! the generation, and then reads the counts. All of these are sequentially
//! consistent, so of a request and a switch at the same moment either the
//! request sees the new generation and chooses again, or the switch sees the
//! request in the count that it reports.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use arc_swap::ArcSwap;
use shipway_core::ports::router::Route;

use crate::stats::Traffic;
use crate::target::{InFlight, Target};

#[derive(Debug, Default)]
pub(crate) struct Routing {
    table: ArcSwap<Table>,
    generation: AtomicU64,
}

#[derive(Debug, Default)]
pub(crate) struct Table {
    pub generation: u64,
    pub entries: Vec<Arc<Entry>>,
    hosts: HashMap<Box<str>, Arc<Entry>>,
}

/// A route with its targets.
#[derive(Debug)]
pub(crate) struct Entry {
    pub route: Route,
    pub targets: Vec<Arc<Target>>,
    /// The same from switch to switch.
    pub traffic: Arc<Traffic>,
    /// Where the next search for a target begins.
    next: AtomicUsize,
}

/// Why a request has no target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Miss {
    UnknownHost,
    NoTarget,
}

impl Routing {
    pub fn table(&self) -> Arc<Table> {
        self.table.load_full()
    }

    /// From its return on, every request is on a target of this table or was
    /// counted on its old one.
    pub fn publish(&self, table: Table) {
        let generation = table.generation;
        self.table.store(Arc::new(table));
        self.generation.store(generation, Ordering::SeqCst);
    }

    /// Where requests to this host are counted.
    pub fn traffic(&self, host: &str) -> Option<Arc<Traffic>> {
        let table = self.table.load();
        let entry = table.hosts.get(host)?;
        Some(Arc::clone(&entry.traffic))
    }

    /// The target for the next request to this host (lower case, no port),
    /// other than those already tried; the request is counted on it.
    pub fn pick(&self, host: &str, tried: &[SocketAddr]) -> Result<InFlight, Miss> {
        loop {
            let table = self.table.load();
            let entry = table.hosts.get(host).ok_or(Miss::UnknownHost)?;
            let target = entry.choose(tried).ok_or(Miss::NoTarget)?;
            let in_flight = InFlight::new(target);
            if self.generation.load(Ordering::SeqCst) <= table.generation {
                return Ok(in_flight);
            }
        }
    }
}

impl Table {
    pub fn new(generation: u64, entries: Vec<Entry>) -> Self {
        let entries: Vec<_> = entries.into_iter().map(Arc::new).collect();
        let mut hosts = HashMap::new();
        for entry in &entries {
            for domain in &entry.route.domains {
                hosts.insert(domain.as_str().into(), Arc::clone(entry));
            }
        }
        Self {
            generation,
            entries,
            hosts,
        }
    }
}

impl Entry {
    pub fn new(route: Route, targets: Vec<Arc<Target>>, traffic: Arc<Traffic>) -> Self {
        Self {
            route,
            targets,
            traffic,
            next: AtomicUsize::new(0),
        }
    }

    /// The target with the fewest requests; of equals, the next in turn. One
    /// that is put aside comes last.
    fn choose(&self, tried: &[SocketAddr]) -> Option<&Arc<Target>> {
        let count = self.targets.len();
        let first = self.next.fetch_add(1, Ordering::Relaxed) % count.max(1);
        let (before, after) = self.targets.split_at_checked(first)?;
        after
            .iter()
            .chain(before)
            .filter(|target| !tried.contains(&target.address()))
            .min_by_key(|target| (target.is_aside(), target.in_flight()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn routing(ports: &[u16]) -> Routing {
        let routing = Routing::default();
        routing.publish(table(1, ports));
        routing
    }

    fn table(generation: u64, ports: &[u16]) -> Table {
        let targets: Vec<_> = ports
            .iter()
            .map(|port| {
                let address = ([127, 0, 0, 1], *port).into();
                Arc::new(Target::new(address, 1, Arc::default()))
            })
            .collect();
        let route = Route {
            key: shipway_core::environment::EnvironmentKey {
                app: "shop".parse().unwrap(),
                environment: "live".parse().unwrap(),
            },
            domains: vec!["shop.example.com".parse().unwrap()],
            targets: targets.iter().map(|target| target.address()).collect(),
            deployment: "01936c5e-7f00-7000-8000-000000000001".parse().unwrap(),
            generation: 1,
        };
        Table::new(generation, vec![Entry::new(route, targets, Arc::default())])
    }

    fn port(pick: &InFlight) -> u16 {
        pick.address().port()
    }

    #[test]
    fn targets_take_turns_and_the_least_busy_is_preferred() {
        let routing = routing(&[1, 2, 3]);
        let busy = routing.pick("shop.example.com", &[]).unwrap();
        let mut ports = Vec::new();
        for _ in 0..4 {
            let pick = routing.pick("shop.example.com", &[]).unwrap();
            ports.push(port(&pick));
        }
        assert!(!ports.contains(&port(&busy)), "{ports:?}");
        ports.sort_unstable();
        ports.dedup();
        assert_eq!(ports.len(), 2, "both others have their turn");
    }

    #[test]
    fn a_target_that_refused_comes_last() {
        let routing = routing(&[1, 2]);
        let first = routing.pick("shop.example.com", &[]).unwrap();
        first.refused();
        for _ in 0..4 {
            let pick = routing.pick("shop.example.com", &[]).unwrap();
            assert_ne!(port(&pick), port(&first));
        }
        first.answered();
        assert!(!first.is_aside());
    }

    #[test]
    fn what_cannot_be_routed_is_told_apart() {
        let one = routing(&[1]);
        assert_eq!(one.pick("other", &[]).unwrap_err(), Miss::UnknownHost);
        let tried = [SocketAddr::from(([127, 0, 0, 1], 1))];
        let none = routing(&[]);
        assert_eq!(
            none.pick("shop.example.com", &[]).unwrap_err(),
            Miss::NoTarget
        );
        assert_eq!(
            one.pick("shop.example.com", &tried).unwrap_err(),
            Miss::NoTarget
        );
    }

    /// Threads pick as fast as they can while tables are replaced. Each table
    /// has one target, and its port is the table's generation. Once a switch
    /// has returned and the old target's count was seen at zero, nobody may
    /// hold the old target.
    #[test]
    fn after_a_switch_no_request_has_an_old_target() {
        const LAST: u16 = 3000;
        let routing = routing(&[1]);
        let retired = AtomicU64::new(0);
        std::thread::scope(|scope| {
            for _ in 0..3 {
                scope.spawn(|| {
                    loop {
                        let pick = routing.pick("shop.example.com", &[]).unwrap();
                        let generation = u64::from(port(&pick));
                        assert!(retired.load(Ordering::SeqCst) < generation);
                        if generation == u64::from(LAST) {
                            break;
                        }
                    }
                });
            }
            for generation in 2..=LAST {
                let old = routing.table();
                routing.publish(table(generation.into(), &[generation]));
                let target = old.entries.first().unwrap().targets.first().unwrap();
                while target.in_flight() > 0 {
                    std::thread::yield_now();
                }
                retired.store(old.generation, Ordering::SeqCst);
            }
        });
    }
}
