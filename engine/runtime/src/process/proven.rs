//! The engine has found an instance healthy, and says so to its supervisor: in
//! a file, at which the supervisor looks when the instance ends.

use std::time::{Duration, Instant};

use shipway_core::journal::Instance;
use shipway_core::ports::runtime::{InstanceStatus, RuntimeError};

use super::instances;
use super::state::{State, failed};
use crate::supervise::spec::{Status, Up, write_proven};

/// How long a supervisor may take to decide about an instance that ended.
const DECISION: Duration = Duration::from_secs(10);
const LOOK: Duration = Duration::from_millis(20);

/// From now on the instance is started again when it ends. An error if it ended
/// before that was known.
pub async fn note(state: &State, instance: &Instance) -> Result<(), RuntimeError> {
    let what = format!("let the {} instance be started again", instance.process);
    let lost = |why: String| RuntimeError::Other {
        what: what.clone(),
        source: why.into(),
    };
    let gone = || lost("it disappeared just after it was healthy".to_owned());
    let place = instances::place(state, instance).ok_or_else(gone)?;
    write_proven(&place.folder).map_err(|error| failed(what.clone(), error))?;
    let until = Instant::now() + DECISION;
    loop {
        let status = Status::read(&place.folder).ok_or_else(gone)?;
        match (place.status(), status.up) {
            (InstanceStatus::Running(_), _) | (InstanceStatus::Exited(_), Up::Once) => {
                return Ok(());
            }
            (InstanceStatus::Gone, _) => return Err(gone()),
            // It ended while we wrote: the supervisor ends too, or says that
            // it has seen what we wrote.
            (InstanceStatus::Exited(exit), Up::NotYet) => {
                if !status.supervisor.is_running() || Instant::now() >= until {
                    return Err(lost(format!("it {exit} just after it was healthy")));
                }
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}
