//! The docker runtime on a real engine. Where none answers, each test says so
//! and returns; with `SHIPWAY_REQUIRE_PARTS` set, it fails.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "tests: a failure is a panic"
)]

#[path = "../conformance/mod.rs"]
mod conformance;

mod builds;
mod commands;
mod instances;
mod machine;
mod others;
mod recovery;

#[tokio::test(flavor = "multi_thread")]
async fn it_conforms() {
    let Some(machine) = machine::Machine::new("conforms").await else {
        return;
    };
    conformance::every_case(&machine.fixture(machine::WEB).await).await;
    machine.clean().await;
}
