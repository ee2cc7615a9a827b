//! Where images are built and where instances run, and how they are asked
//! whether they are well.
//!
//! A runtime implements [`shipway_core::ports::runtime::Runtime`]; all of them
//! pass the one suite in `tests/conformance`. They are siblings: none knows of
//! another, and the wiring chooses.
//!
//! Never here: what a deployment does next, the store, the proxy's routes.
//!
//! In reading order:

pub mod docker;
pub mod process;
pub mod supervise;

pub mod health;
pub mod lines;
pub mod services;
