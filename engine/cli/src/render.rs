//! Texts for people, made from what the API answers. Nothing here prints.

pub mod audit;
pub mod deployment;
pub mod plan;
pub mod plugin;
pub mod settings;
pub mod update;
pub mod webhook;
