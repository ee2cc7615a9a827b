//! Everything the executor acts on, chosen once at the wiring.

use std::collections::BTreeMap;
use std::sync::Arc;

use shipway_core::environment::RuntimeKind;
use shipway_core::ports::clock::Clock;
use shipway_core::ports::plugins::Plugins;
use shipway_core::ports::prober::Prober;
use shipway_core::ports::router::Router;
use shipway_core::ports::runtime::{Runtime, RuntimeError};
use shipway_core::ports::source::Source;
use shipway_core::ports::store::Store;

#[derive(Debug, Clone)]
pub struct World {
    pub store: Arc<dyn Store>,
    pub source: Arc<dyn Source>,
    pub runtimes: BTreeMap<RuntimeKind, Arc<dyn Runtime>>,
    pub router: Arc<dyn Router>,
    pub prober: Arc<dyn Prober>,
    pub plugins: Arc<dyn Plugins>,
    pub clock: Arc<dyn Clock>,
}

impl World {
    /// The runtime of an environment, if this engine has it.
    pub fn runtime(&self, kind: RuntimeKind) -> Result<Arc<dyn Runtime>, RuntimeError> {
        self.runtimes
            .get(&kind)
            .cloned()
            .ok_or_else(|| RuntimeError::NotReady {
                kind,
                message: "this engine was started without it".to_owned(),
            })
    }
}
