//! The plugin host with real components: the hostile guest of
//! `tests/guests/hostile`, and files that are none.

mod files;
mod harm;
mod harness;
mod http;
mod inspect;
mod results;
mod sandbox;
mod server;
