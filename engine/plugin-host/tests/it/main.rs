//! The plugin host with real components: the hostile guest of
//! `tests/guests/hostile`, and files that are none.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test says what is wrong by failing"
)]

mod compiler;
mod files;
mod harm;
mod harness;
mod http;
mod inspect;
mod results;
mod sandbox;
mod server;
