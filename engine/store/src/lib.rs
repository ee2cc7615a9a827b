//! Where Shipway keeps its state: one schema, one set of rules, several
//! adapters of `shipway_core::ports::store`.
//!
//! Start at [`SqliteStore`]. What a journal, a lease or a token may do is
//! decided in `rules`, once, and both adapters ask there; they differ only in
//! where they put the result. One conformance suite (`tests/conformance.rs`)
//! holds for each of them.
//!
//! Never here: the clock, ids, or a look into an event beyond what the
//! projection of a deployment needs.
//!
//! In reading order:

mod rules;

mod keyring;
mod sqlite;

mod memory;

pub use keyring::{Keyring, KeyringError};
pub use memory::MemoryStore;
pub use sqlite::{OpenError, SqliteStore};
