//! Runs plugins: WebAssembly components, each call in a sandbox of its own.
//!
//! Start at [`PluginHost`], which implements the engine's
//! [`Plugins`](shipway_core::ports::plugins::Plugins). It loads a component by
//! its digest, checks what it imports and exports, compiles it once, and then
//! gives every call a fresh store with limits on CPU, wall time, memory and
//! output. Whatever a component does wrong comes back as a
//! [`PluginError`](shipway_core::ports::plugins::PluginError) of that plugin.
//!
//! Never here: ambient authority. A component has no file, no network, no
//! variable and no terminal; what the host does for it,
//! [`Rights`](shipway_core::grant::Rights) have decided. No value of a secret
//! enters a component, and no generated binding leaves this crate.
//!
//! In reading order:

mod config;
mod host;

mod call;
mod clock;
mod denials;
mod fault;
mod lines;
mod sandbox;
mod secrets;
mod tape;
mod ticker;

mod cache;
mod check;
mod compiler;
mod engine;
mod library;
mod loaded;

mod bindings;
mod convert;
mod describe;

mod http;
mod imports;
mod outward;

pub mod measure;

pub use compiler::Compiler;
pub use compiler::child::compile_child;
pub use config::{HostConfig, HostError, Limits};
pub use host::{Event, PluginHost, Rehearsal};
pub use http::{Names, Outside, OutsideAnswer, OutsideRequest, SystemNames};
pub use tape::{HostCall, Player, Recorder, Tape};
