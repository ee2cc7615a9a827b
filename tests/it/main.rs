//! Every integration test: one binary, one file per subject, through the
//! surfaces that users have. The harness is this package's library.

#![expect(
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests"
)]

mod apps;

mod aldryn;
mod guestbook;
mod scalingo;

mod api_examples;
mod bad_apps;
mod bad_plugins;
mod bad_requests;
mod cli;
mod cli_complete;
mod cli_contexts;
mod cli_curl;
mod cli_doctor;
mod cli_follow;
mod cli_init;
mod cli_output;
mod console;
mod console_pages;
mod engine_logs;
mod events;
mod git_push;
mod golden;
mod health;
mod images;
mod kept;
mod machine;
mod many;
mod metrics;
mod notifications;
mod openid;
mod output;
mod plugin_updates;
mod processes;
mod proxy;
mod queue;
mod registry;
mod release_commands;
mod repositories;
mod restart;
mod rollback;
mod secrets;
mod self_tests;
mod services;
mod signatures;
mod statuses;
mod switch;
mod traces;
mod variables;
mod webhooks;
