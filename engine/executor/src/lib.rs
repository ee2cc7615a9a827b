//! Shipway acts here: load, decide, journal, act, undo, recover.
//!
//! In reading order:

pub mod bell;
pub mod command;
