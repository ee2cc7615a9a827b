//! The data plane: a process of its own that carries requests to instances.
//!
//! [`run`] is the whole proxy; [`ProxyRouter`] is how the engine speaks to
//! it, over its admin socket. In reading order:
//!
//! - [`config`]: what it is told when it starts, and its limits
//! - [`serve`]: how it starts, runs and stops; `threads`: one a core
//! - `listen`: sockets, one per thread where the system can share a port
//! - `table`: host → targets, read by every request, replaced as a whole
//! - `target`: one instance: who is on it, its kept-alive connections, whether
//!   it is there; `health` looks after those that are not
//! - `control`: the only writer of the table: switch, remove, drain
//! - `state_file`: the routes on disk, written beside and renamed
//! - `handover`: a restart that loses no connection; `leaving`, `phase`: the way
//!   out
//! - `pid_file`, `notify`: what a service manager wants to know
//! - `admin`: HTTP and JSON on the admin socket, spoken as in [`protocol`]
//! - `worker`: accepts connections on one thread
//! - `connection`: one client's, TLS or plain, HTTP/1.1 or HTTP/2; `tls`, `sniff`
//! - `acme`: certificates for hosts that were given none
//! - `forward`: one request, from its host to an answer
//! - `pool`, `body`, `headers`, `upgrade`, `pages`: what `forward` needs
//! - `meter`, `patient`, `deadline`: those who send, take or answer too slowly
//! - [`router`]: the engine's side of the admin socket; `call`: one call on it
//!
//! A switch is acknowledged only when its routes are on disk, every new
//! request sees them, and every request that does not is counted.
//!
//! Never asks the control plane for anything: it serves what its state file
//! says from the first moment, whoever else is up. Never sends a request
//! twice once an instance may have acted on it. Never names its version to
//! clients.

mod acme;
mod admin;
mod body;
mod call;
pub mod config;
mod connection;
mod control;
mod deadline;
pub mod error;
mod forward;
mod handover;
mod headers;
mod health;
mod leaving;
mod listen;
mod meter;
mod notify;
mod pages;
mod patient;
mod phase;
mod pid_file;
mod pool;
pub mod protocol;
pub mod router;
pub mod serve;
mod sniff;
mod sockets;
mod state_file;
mod stats;
mod table;
mod target;
mod threads;
mod tls;
mod upgrade;
mod worker;

pub use acme::AcmeConfig;
pub use config::{Limits, Plain, ProxyConfig};
pub use error::ProxyError;
pub use handover::{HandOverError, Inherited, Program};
pub use router::ProxyRouter;
pub use serve::{Proxy, ProxyHandle, run};
