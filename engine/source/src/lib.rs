//! Where code comes from: Git repositories over https and ssh, or on this
//! machine.
//!
//! Start at [`GitSource`], whose `check_out` is the main flow: bring the mirror
//! up to date, resolve the reference, write the tree. A repository has one bare
//! mirror under `mirrors/`, however many apps deploy from it; a deployment has
//! one working directory under `work/`, which holds the files of the commit and
//! its submodules and nothing of Git.
//!
//! What is pushed to the engine itself comes in by [`push`], the one place where
//! the stock `git` program runs, with a hook of ours.
//!
//! Never in a checkout: a hook, a filter, a shell, the `git` program. Nothing is written
//! outside the state directory and nothing is read outside the commit, whatever
//! names and links the commit contains.
//!
//! In reading order:

mod config;
mod git;

mod location;

mod known_hosts;
mod mirror;
mod session;

pub mod push;

mod submodule;
mod tree;

mod files;

mod failure;

pub use config::GitConfig;
pub use files::Tree;
pub use git::GitSource;
pub use push::{GitPushes, PushConfig};
