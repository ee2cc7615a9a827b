//! A restart without losing a connection: the running proxy starts its
//! program anew and hands over its sockets.
//!
//! - [`line`]: what the two say to each other, and how sockets pass
//! - [`give`]: the running proxy's side
//! - [`take`]: the new one's side
//! - [`earlier`]: what the new one still asks of the old one
//!
//! The order is: the new one has the sockets and everything else ready; the
//! old one lets no more routes change; the new one reads the routes and
//! serves; the old one stops accepting. Until that moment the old one can
//! kill the new one and go on as if nothing had been. From it on the new one
//! leads, and tells the old one of each change for as long as that still has
//! requests under way: a connection of the old one must not reach an instance
//! that was retired by the new one.

pub(crate) mod earlier;
pub(crate) mod give;
pub(crate) mod line;
pub(crate) mod take;

pub use give::HandOverError;
pub use line::Program;
pub use take::Inherited;
