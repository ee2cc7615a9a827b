//! Plugins in OCI registries, as the artifact that the WebAssembly ecosystem
//! agreed on: a config `application/vnd.wasm.config.v0+json` and one layer
//! `application/wasm`, so that other tools read what we push, and we what they
//! push.
//!
//! Start at [`Registry`]. Never here: a byte that was not counted and checked
//! against its digest; a password in a message; plain HTTP to another machine
//! that nobody asked for; a second TLS beside rustls with ring.
//!
//! In reading order:

pub mod address;
pub mod login;
pub mod registry;

pub mod error;

pub use address::Address;
pub use error::RegistryError;
pub use login::Login;
pub use registry::{Pulled, Registry, Transport};
