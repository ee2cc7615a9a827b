//! What plugin authors use before the engine knows their plugin: a new project,
//! a component made of it, and a look at any component. The core of
//! `shipway plugin new`, `build` and of the static part of `inspect`.
//!
//! Start with [`toolbox::Toolbox`], which carries the contract and the SDK of
//! every language. Modules in reading order:
//!
//! * [`toolbox`]: the languages there are, and where caches lie;
//! * [`scaffold`]: a new project from a language's template;
//! * [`build`]: the steps from a project to a checked component;
//! * [`check`]: what a component must and may not have;
//! * [`inspect`](mod@inspect): what can be said of a component without running it;
//! * [`language`]: `language.toml`, how a language makes components;
//! * [`project`]: `shipway-plugin.toml`, what a project says of itself;
//! * [`progress`]: what is said while a build runs.
//!
//! Never runs a component, never asks an engine, and never fetches anything
//! itself: only a language's own toolchain does, in a step that says so.

pub mod toolbox;

pub mod build;
pub mod scaffold;

pub mod check;
pub mod inspect;

pub mod language;
pub mod progress;
pub mod project;

mod bindings;
mod component;
mod contract;
mod embedded;
mod lock;
mod process;
mod step;
mod tool;
mod words;
