//! Refusals of one call: `denied` for the guest, one line for the operator.

use std::sync::{Arc, Mutex, PoisonError};

use shipway_core::grant::Denied;
use shipway_core::ports::plugins::Level;

use crate::bindings::model::Failure;
use crate::imports::{Code, failure};
use crate::lines::Lines;

#[derive(Debug)]
pub(crate) struct Denials {
    lines: Arc<Lines>,
    told: Mutex<Vec<Denied>>,
}

impl Denials {
    pub(crate) fn new(lines: Arc<Lines>) -> Self {
        Self {
            lines,
            told: Mutex::default(),
        }
    }

    pub(crate) fn lines(&self) -> Arc<Lines> {
        Arc::clone(&self.lines)
    }

    /// Tells the operator, once, what would allow it.
    pub(crate) fn refuse(&self, denied: Denied) -> Failure {
        let said = denied.to_string();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        if !told.contains(&denied) {
            self.lines.host(Level::Warn, &said);
            told.push(denied);
        }
        failure(Code::Denied, said)
    }

    /// The last refusal; it names the command that would allow it.
    pub(crate) fn last(&self) -> Option<Denied> {
        let told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.last().cloned()
    }
}
