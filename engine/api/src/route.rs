//! The handlers, one file per noun.

pub mod app;
pub mod audit;
pub mod delivery;
pub mod deployment;
pub mod environment;
pub mod event;
pub mod health;
pub mod log;
pub mod plan;
pub mod plugin;
pub mod plugin_install;
pub mod plugin_settings;
pub mod push;
pub mod release_command;
pub mod token;
pub mod variable;
pub mod webhook;
