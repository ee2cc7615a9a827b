//! An in-memory host, so that a whole plugin runs in `cargo test`.
//!
//! ```
//! # use shipway_sdk::prelude::*;
//! # struct Hello;
//! # impl Plugin for Hello {
//! #     fn describe() -> Manifest {
//! #         Manifest::new("hello", "1.0.0", "").request(Request::files(["hello.txt"], ""))
//! #     }
//! # }
//! # impl ReleaseSource for Hello {
//! #     fn collect(_: &Deployment) -> Result<Collected, Failure> {
//! #         Ok(Collected::nothing().command(Command::shell(source::read_text("hello.txt")?)))
//! #     }
//! # }
//! use shipway_sdk::testing::{self, Host};
//!
//! let host = Host::of::<Hello>().file("hello.txt", "echo hello");
//! let collected = host.run(|| Hello::collect(&testing::deployment())).unwrap();
//! assert_eq!(collected.commands()[0].label, "echo hello");
//! ```
//!
//! As the engine's host does, this one grants what the manifest asks for and
//! denies everything else, so a request that the manifest forgets fails the
//! test. It answers the same codes. It keeps no time and no limits of number.

mod grants;
mod host;

pub(crate) mod calls;

pub use host::{ExecCall, Host, ImageCall, Line, deployment, event};
