//! Every integration test: one binary, one file per subject, through the
//! surfaces that users have. The harness is this package's library.

mod apps;

mod aldryn;
mod guestbook;
mod scalingo;

mod bad_apps;
mod bad_plugins;
mod bad_requests;
mod cli;
mod events;
mod images;
mod machine;
mod notifications;
mod release_commands;
mod restart;
mod secrets;
mod self_tests;
mod services;

mod simulation;
