//! Where the host's functions come from: the component's imports, or in a
//! native build the host of [`testing`](crate::testing).

#[cfg(target_family = "wasm")]
pub(crate) use crate::bindings::calls::*;

#[cfg(not(target_family = "wasm"))]
pub(crate) use crate::testing::calls::*;
