//! The proxy as a program of its own: restarts under load, and what a killed
//! one leaves. This binary is the tests and, called with the word `proxy`,
//! the program.

mod acme;
#[path = "../proxy/client.rs"]
#[expect(dead_code, reason = "shared with the other tests of the proxy")]
mod client;
mod fixture;
#[path = "../proxy/harness.rs"]
#[expect(dead_code, reason = "shared with the other tests of the proxy")]
mod harness;
#[path = "../proxy/instance.rs"]
#[expect(dead_code, reason = "shared with the other tests of the proxy")]
mod instance;
mod killing;
mod load;
mod memory;
mod program;
mod restarting;

use anyhow::Result;
use libtest_mimic::{Arguments, Failed, Trial};

fn main() -> Result<std::process::ExitCode> {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let Some((word, arguments)) = arguments.split_first()
        && word == "proxy"
    {
        return program::run(arguments);
    }
    let trials = [
        restarting::trials(),
        killing::trials(),
        memory::trials(),
        acme::trials(),
    ];
    let conclusion = libtest_mimic::run(
        &Arguments::from_args(),
        trials.into_iter().flatten().collect(),
    );
    Ok(conclusion.exit_code())
}

/// A test with a runtime of its own.
fn trial<F>(name: &str, test: fn() -> F) -> Trial
where
    F: Future<Output = Result<()>> + 'static,
{
    Trial::test(name, move || {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()?;
        runtime
            .block_on(test())
            .map_err(|error| Failed::from(format!("{error:?}")))
    })
}
