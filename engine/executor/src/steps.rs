//! One module per step of the pipeline, in its order. A step gets the state it
//! needs, acts, and gives its output; it never decides what comes next.

pub mod services;

pub mod checkout;

pub mod build;

pub mod plan;

/// Release and gate, and the commands of the other phases.
pub mod commands;

pub mod start;

pub mod self_test;

pub mod switch;

pub mod retire;

/// What happens when a step fails, and how an ending is told.
pub mod clean_up;
