//! `cargo xtask crash`: the engine is killed at each point of a deployment's
//! journal, on both runtimes, started again, and the world is looked at.
//! Everything after `crash` goes to the program in `tests/crash/`.

use crate::proof::Proof;

pub const CRASH_LOOP: Proof = Proof {
    program: "crash",
    starts: &["shipway", "shipway-proxy"],
};
