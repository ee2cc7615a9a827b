//! What goes over the wire, for the server and for its clients. A secret goes
//! in and never comes out. Plans, events and most settings are core's own
//! types; here stands what looks different from outside.

pub mod app;
pub mod audit;
pub mod deployment;
pub mod environment;
pub mod event;
pub mod health;
pub mod log;
pub mod page;
pub mod plan;
pub mod plugin;
pub mod problem;
pub mod release_command;
pub mod token;
pub mod variable;
pub mod webhook;
