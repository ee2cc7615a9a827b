//! The real router, with a real store in memory and a small executor.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod world;

mod access;
mod audit;
mod conditional;
mod console;
mod deliveries;
mod deployments;
mod nouns;
mod openapi;
mod plugin_install;
mod plugins;
mod problems;
mod streams;
