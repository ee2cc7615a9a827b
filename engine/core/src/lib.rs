//! Shipway decides here and acts elsewhere.
//!
//! The nouns, the plan, the pipeline and the ports of the deploy engine. A
//! deployment is a [`pipeline::Pipeline`]: a fold of its journal that always
//! knows the one next action. Adapters implement the traits in [`ports`] and
//! depend on this crate only; the executor drives them.
//!
//! Never here: input and output, the clock, random numbers, an async runtime,
//! WebAssembly. Times and ids come in as arguments, actions go out as values.
//!
//! In reading order:

pub mod name;

pub mod app;
pub mod environment;
pub mod health;
pub mod secret;
pub mod settings;

pub mod file;
pub mod process;
pub mod procfile;

pub mod plan;
pub mod release;

pub mod ending;
pub mod journal;
pub mod pipeline;

pub mod audit;
pub mod grant;
pub mod plugin;
pub mod redact;
pub mod session;
pub mod token;
pub mod update;
pub mod webhook;

pub mod ports;
