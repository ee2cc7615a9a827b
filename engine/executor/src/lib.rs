//! Shipway acts here: load, decide, journal, act, undo, recover.
//!
//! Start at [`deploy`]: `Deploying::run` is the main flow, and one function in
//! [`steps`] stands for each step of the pipeline. What comes next is decided
//! by `shipway_core::pipeline`; this crate never chooses.
//!
//! Rules: "started" is in the journal before anything is done, "done" after.
//! Whoever loses its lease can write nothing and stops. A notifier never
//! changes an ending. No adapter is named here; all come through [`world`].
//!
//! In reading order:

pub mod world;

pub mod command;
pub mod engine;
mod worker;

pub mod deploy;
pub mod earlier;
mod scene;
mod steps;

mod failures;
mod journal;
mod kept;
mod log;
mod notify;
mod origins;
mod space;
mod sweep;
mod variables;
mod way_back;

pub mod bell;
pub mod measure;
pub mod pulse;

#[cfg(test)]
mod fixture;
