//! The harness of the integration tests: the real binary, real plugins, real
//! Git repositories, a real Docker engine; everything through the surfaces
//! that users have.
//!
//! Start at [`ship::Ship`]: an engine of the test's own, with its proxy, on free
//! ports, that takes everything with it when it goes.
//!
//! ```no_run
//! use serde_json::json;
//! use shipway_tests::{repo::Repo, ship::Ship};
//!
//! let Some(ship) = Ship::start() else { return };
//! let repo = Repo::of("tests/apps/tiny");
//! let live = ship.app("tiny", &repo).environment("live", json!({"runtime": "process"}));
//! live.deploy().succeeded();
//! assert_eq!(live.get("/").text(), "version 1\n");
//! ```
//!
//! A part that the machine lacks (Docker, a built plugin) makes a test say
//! `not run: …` and return; with `SHIPWAY_REQUIRE_PARTS` set it fails. Never
//! here: a sleep that hopes. Whatever is waited for is asked for again and
//! again, with a bound.
//!
//! In reading order:

#![expect(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a harness that cannot go on fails its test"
)]

pub mod ship;

pub mod app;
pub mod deployment;

pub mod api;
pub mod browser;
pub mod cli;
pub mod stream;
pub mod terminal;

pub mod docker;
pub mod machine;
pub mod numbers;
pub mod parts;
pub mod repo;

pub mod collector;
pub mod load;
pub mod prometheus;
pub mod provider;
pub mod receiver;
pub mod registry;

pub mod wait;
