//! `cargo xtask simulate`: the executor over thousands of simulated worlds, its
//! promises checked after each. Everything after `simulate` goes to the program
//! in `tests/simulation/`.

use crate::proof::Proof;

pub const SIMULATION: Proof = Proof {
    program: "simulate",
    starts: &[],
};
