//! A component that misbehaves on demand. It has every role, knows no SDK, and
//! does what its setting `act` says:
//!
//! * [`harm`]: what ends a call: traps, loops, memory, floods of data;
//! * [`lies`]: answers that no plugin may give;
//! * [`reach`]: honest or dishonest use of what the host offers;
//! * [`wasi`]: the same of WASI, around the contract;
//! * [`spy`]: looks for a secret in its own memory.
//!
//! `describe` sees no settings; its act is written into the file by the tests,
//! over [`DESCRIBE`].

mod bindings;
mod harm;
mod lies;
mod reach;
mod spy;
mod wasi;

use bindings::exports::shipway::notify::notifier;
use bindings::exports::shipway::plugin::manifest;
use bindings::exports::shipway::release::commands::{self, Collected};
use bindings::exports::shipway::self_test::checks;
use bindings::shipway::plugin::model::{Deployment, Failure};
use bindings::shipway::plugin::settings;

/// The tests find this text in the file and write another act over it.
#[used]
static DESCRIBE: [u8; 32] = *b"describe-act:honest             ";

struct Hostile;

impl manifest::Guest for Hostile {
    fn describe() -> manifest::Description {
        // Volatile: the file is changed after it was built.
        let act = std::hint::black_box(&DESCRIBE).map(std::hint::black_box);
        let act = String::from_utf8_lossy(&act);
        let act = act.trim().trim_start_matches("describe-act:").to_owned();
        harm::on_demand(&act);
        lies::description(&act)
    }
}

impl commands::Guest for Hostile {
    fn collect(deployment: Deployment) -> Result<Collected, Failure> {
        let act = setting("act");
        harm::on_demand(&act);
        if let Some(lie) = lies::collected(&act) {
            return Ok(lie);
        }
        reach::on_demand(&act, &deployment).map(|warnings| Collected {
            commands: Vec::new(),
            skipped: Vec::new(),
            warnings,
            attributes: Vec::new(),
        })
    }
}

impl checks::Guest for Hostile {
    fn run(deployment: Deployment) -> Result<checks::Report, Failure> {
        let act = setting("act");
        harm::on_demand(&act);
        if let Some(lie) = lies::report(&act) {
            return Ok(lie);
        }
        let checks = reach::on_demand(&act, &deployment)?;
        Ok(checks::Report {
            checks: checks.into_iter().map(passed).collect(),
            attributes: Vec::new(),
        })
    }
}

impl notifier::Guest for Hostile {
    fn deliver(event: notifier::Event) -> Result<(), Failure> {
        let act = setting("act");
        harm::on_demand(&act);
        reach::tell(&event);
        reach::on_demand(&act, &event.deployment).map(|_| ())
    }
}

fn passed(message: String) -> checks::Check {
    checks::Check {
        name: "seen".to_owned(),
        outcome: checks::Outcome::Pass,
        message,
        duration_ms: 1,
        attributes: Vec::new(),
    }
}

fn setting(name: &str) -> String {
    settings::get(name).unwrap_or_default()
}
