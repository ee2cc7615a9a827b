//! The API: HTTP in, a command to the executor or a change in the store,
//! answers and event streams out.
//!
//! Start at [`router`]: every route, its limits and its layers. A handler is a
//! few lines; what JSON looks like stands in [`wire`], which the command line
//! uses too, and what is allowed is decided by `shipway-core`.
//!
//! Never here: a concrete store, runtime or plugin host; a secret on its way
//! out; an answer without a stable `type` when something is refused.
//!
//! In reading order:

pub mod router;
pub mod state;

pub mod wire;
pub mod words;

pub mod route;
pub mod tail;

pub mod observe;
pub mod vitals;

pub mod access;
pub mod address;
pub mod audit;
pub mod bearer;
pub mod delivery;
pub mod signature;

pub mod conditional;
pub mod rate;

pub mod extract;
pub mod negotiate;
pub mod patch;

pub mod console;

pub mod openapi;
pub mod problem;
pub mod reference;

pub use bearer::new_token;
pub use router::router;
pub use state::ApiState;
