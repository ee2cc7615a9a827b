//! The clock of the machine, and ids that sort by it.

use shipway_core::name::{DeploymentId, Timestamp};
use shipway_core::ports::clock::Clock;

/// Now, for what people read.
pub fn now() -> Timestamp {
    Timestamp(time::OffsetDateTime::now_utc())
}

#[derive(Debug, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        now()
    }

    fn new_deployment_id(&self) -> DeploymentId {
        DeploymentId(uuid::Uuid::now_v7())
    }
}
