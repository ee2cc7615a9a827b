//! Rules broken on purpose. Each mutant is an adapter that breaks one; a
//! simulation worth its name finds each within a thousand runs.

/// A rule that is broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Mutant {
    /// Health is taken for granted.
    SwitchBeforeHealthy,
    /// The fence of a write is ignored.
    WriteWithoutLease,
    /// What commands did is forgotten when the journal is read.
    RetryCommand,
    /// Nothing is removed after a failure.
    LeaveLeftovers,
    /// An idempotency key is ignored.
    IgnoreIdempotencyKey,
    /// An event is said to be delivered and is not.
    ForgetEvent,
    /// A command that may not be stopped is stopped.
    StopProtected,
}
