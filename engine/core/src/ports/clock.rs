//! The time and new ids, so that a simulation can decide them.

use crate::name::{DeploymentId, Timestamp};

pub trait Clock: Send + Sync + std::fmt::Debug {
    fn now(&self) -> Timestamp;

    /// A new id, later in order than every earlier one.
    fn new_deployment_id(&self) -> DeploymentId;
}
