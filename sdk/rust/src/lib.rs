//! Write Shipway plugins in Rust: a plugin is a type and a trait.
//!
//! ```
//! use shipway_sdk::prelude::*;
//!
//! struct Makefile;
//!
//! impl Plugin for Makefile {
//!     fn describe() -> Manifest {
//!         Manifest::new("makefile", "1.0.0", "Runs the target `release` of the Makefile.")
//!             .request(Request::files(["Makefile"], "to see whether it has a target `release`"))
//!     }
//! }
//!
//! impl ReleaseSource for Makefile {
//!     fn collect(_: &Deployment) -> Result<Collected, Failure> {
//!         let Some(text) = source::read_text_if_there("Makefile")? else {
//!             return Ok(Collected::nothing());
//!         };
//!         let line = text.lines().position(|line| line.starts_with("release:"));
//!         Ok(Collected::from_iter(line.map(|line| {
//!             Command::shell("make release").at("Makefile", format!("line {}", line + 1))
//!         })))
//!     }
//! }
//!
//! shipway_sdk::export!(Makefile: release-source);
//! # fn main() {}
//! ```
//!
//! `cargo build --release --target wasm32-wasip2` makes the component of a
//! crate with `crate-type = ["cdylib"]`; no other tool is needed.
//!
//! Modules in reading order. What a plugin **is**:
//!
//! * [`plugin`]: the trait every plugin has, and its manifest;
//! * [`deployment`]: what a call is about;
//! * [`release`], [`notify`], [`self_test`]: the three roles;
//! * [`stage`]: how far a deployment is, for notifiers that set a status;
//! * [`failure`]: how a plugin says that something could not be done;
//! * [`macro@export`]: makes the component, with the roles that are named and
//!   no others.
//!
//! What a plugin may **ask the host**: [`source`] (files of the commit),
//! [`image`] (the image probe), [`http`], [`settings`], [`variables`] (of the
//! environment), [`candidate`], [`log`](mod@log).
//!
//! How it is **tested**: [`testing`] is an in-memory host, so that a whole
//! plugin runs in `cargo test`.
//!
//! A plugin never sees a secret, never reaches a file, a host or an image that
//! it did not ask for in its manifest, and keeps nothing between two calls.

pub mod plugin;

pub mod deployment;
pub mod notify;
pub mod release;
pub mod self_test;
pub mod stage;

pub mod failure;

pub mod candidate;
pub mod http;
pub mod image;
pub mod log;
pub mod settings;
pub mod source;
pub mod variables;

#[cfg(not(target_family = "wasm"))]
pub mod testing;

pub mod prelude;

mod export;
mod host;

#[cfg(target_family = "wasm")]
#[doc(hidden)]
pub mod bindings;
