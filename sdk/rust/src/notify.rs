//! The role of a notifier: who must be told?

use crate::deployment::{Attributes, Deployment};
use crate::failure::Failure;
use crate::plugin::Plugin;

/// Tells others what happens in deployments.
pub trait Notifier: Plugin {
    /// Delivers one event. It may come again with the same id, after a failure
    /// or a crash, and never changes the deployment's result.
    ///
    /// # Errors
    /// Why it could not be delivered. A retryable failure asks for another try
    /// later; any other gives this event up.
    fn deliver(event: &Event) -> Result<(), Failure>;
}

/// One line of a deployment's journal, as others see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Event {
    /// The same in every retry, so that a receiver can drop repeats.
    pub id: String,
    /// The event's number in its deployment, from 1, without a gap.
    pub sequence: u64,
    /// RFC 3339, UTC.
    pub time: String,
    /// `deployment.queued`, `step.started`, … The list grows: expect words you
    /// do not know.
    pub kind: String,
    pub deployment: Deployment,
    /// One sentence for a person.
    pub summary: String,
    /// The event's own data as JSON, as in the API.
    pub data: String,
    pub attributes: Attributes,
}
