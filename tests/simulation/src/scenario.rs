//! What a run is about: an app, its commands, and what people ask for.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use shipway_core::app::{App, Repository};
use shipway_core::environment::{
    Environment, EnvironmentKey, PluginChoice, ProcessSettings, QueuePolicy, RuntimeKind, Service,
};
use shipway_core::journal::ReleaseCommands;
use shipway_core::name::{PluginName, Timestamp};
use shipway_core::release::{CancelPolicy, Invocation, Phase, SettingsCommand, When};

use crate::faults::{Fault, Rates};

/// The notifier of every run.
pub const HERALD: &str = "herald";

/// By then the deployment before has ended, with all that follows.
const LONG_AFTER: Duration = Duration::from_secs(30 * 60);

#[derive(Debug, Clone)]
pub struct Scenario {
    pub seed: u64,
    pub app: App,
    pub environment: Environment,
    pub asks: Vec<Ask>,
    pub rates: Rates,
    /// Instead of all that the rates bring.
    pub fault: Option<Fault>,
    /// Engines that share the store.
    pub engines: usize,
}

/// Somebody wants something, some time after the start.
#[derive(Debug, Clone)]
pub struct Ask {
    pub after: Duration,
    pub what: Wanted,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// Triggered so many times with the same idempotency key.
    Deployment { copies: u32 },
    /// Back to what served before, asked for so many times with the same key.
    Rollback {
        copies: u32,
        release_commands: ReleaseCommands,
    },
    /// The newest deployment is to stop.
    Cancel,
}

impl Scenario {
    pub fn of(seed: u64) -> Self {
        let mut rng = StdRng::seed_from_u64(seed);
        let key = key();
        Self {
            seed,
            app: app(&key),
            environment: environment(&key, &mut rng),
            asks: asks(&mut rng),
            rates: Rates::draw(&mut rng),
            fault: None,
            engines: rng.random_range(1..=2),
        }
    }

    /// Two deployments one after the other, with commands of every phase, and
    /// one fault in the second.
    pub fn with_one(fault: Fault) -> Self {
        let mut calm = Self::of(0);
        let deployment = |after| Ask {
            after,
            what: Wanted::Deployment { copies: 1 },
        };
        calm.asks = [Duration::ZERO, LONG_AFTER].map(deployment).into();
        calm.environment.release_commands = one_of_each();
        calm.environment.queue = QueuePolicy::Queue;
        calm.rates = Rates::CALM;
        calm.fault = Some(fault);
        calm.engines = 1;
        calm
    }
}

pub fn key() -> EnvironmentKey {
    EnvironmentKey {
        app: name("shop"),
        environment: name("live"),
    }
}

pub fn herald() -> PluginName {
    name(HERALD)
}

/// A name that is written here.
fn name<T: std::str::FromStr<Err: std::fmt::Debug>>(text: &str) -> T {
    match text.parse() {
        Ok(name) => name,
        Err(error) => unreachable!("{text}: {error:?}"),
    }
}

fn app(key: &EnvironmentKey) -> App {
    App {
        name: key.app.clone(),
        repository: Repository {
            url: "https://git.example.com/shop.git".to_owned(),
            default_reference: "main".to_owned(),
            credentials: None,
        },
        mirror_of: None,
        created_at: Timestamp::from_millis(0),
    }
}

fn environment(key: &EnvironmentKey, rng: &mut StdRng) -> Environment {
    let at = Timestamp::from_millis(0);
    let mut environment = Environment::new(key.clone(), RuntimeKind::Process, at);
    environment.domains = vec![name("shop.example.com")];
    environment.services = vec![Service {
        name: "database".to_owned(),
        url: "tcp://db.example.com:1".to_owned(),
        timeout_seconds: 5,
    }];
    let web = ProcessSettings {
        instances: Some(rng.random_range(1..=3)),
        ..ProcessSettings::default()
    };
    environment.processes.insert(name("web"), web);
    environment.queue = match rng.random_range(0..4) {
        0 => QueuePolicy::Queue,
        1 => QueuePolicy::Reject,
        _ => QueuePolicy::LatestWins,
    };
    environment.release_commands = commands(rng);
    environment.plugins = Some(PluginChoice {
        notifiers: Some(vec![herald()]),
        ..PluginChoice::default()
    });
    environment
}

/// Up to five commands, of every phase and kind.
fn commands(rng: &mut StdRng) -> Vec<SettingsCommand> {
    let count = rng.random_range(0..=5);
    (0..count).map(|number| command(number, rng)).collect()
}

/// A `once` command among them, and one that is undone.
fn one_of_each() -> Vec<SettingsCommand> {
    let each = Phase::ALL.iter().copied().chain([Phase::Release]);
    let each = each.enumerate().map(|(number, phase)| {
        let label = format!("{phase}-{number}");
        let has_undo = number == 0;
        SettingsCommand {
            run: Invocation::Shell(label.clone()),
            undo: has_undo.then(|| Invocation::Shell(format!("undo {label}"))),
            label: name(&label),
            phase,
            timeout_seconds: None,
            when: match number >= Phase::ALL.len() {
                true => When::Once,
                false => When::Always,
            },
            cancel: CancelPolicy::Allowed,
        }
    });
    each.collect()
}

fn command(number: u32, rng: &mut StdRng) -> SettingsCommand {
    let phase = match rng.random_range(0..8) {
        0 | 1 => Phase::Gate,
        2 => Phase::After,
        3 => Phase::Failed,
        _ => Phase::Release,
    };
    let when = match rng.random_range(0..4) {
        0 => When::Once,
        1 => When::FirstDeploy,
        _ => When::Always,
    };
    let label = format!("{phase}-{number}");
    let has_undo = rng.random_range(0..3) == 0;
    SettingsCommand {
        run: Invocation::Shell(label.clone()),
        undo: has_undo.then(|| Invocation::Shell(format!("undo {label}"))),
        label: name(&label),
        phase,
        timeout_seconds: None,
        when,
        cancel: match rng.random_range(0..4) {
            0 => CancelPolicy::Never,
            _ => CancelPolicy::Allowed,
        },
    }
}

fn asks(rng: &mut StdRng) -> Vec<Ask> {
    let count = rng.random_range(1..=5);
    let mut after = Duration::ZERO;
    let mut asks = Vec::new();
    for number in 0..count {
        let what = match rng.random_range(0..5) {
            0 if number > 0 => Wanted::Cancel,
            1 => Wanted::Deployment {
                copies: rng.random_range(2..=4),
            },
            _ => Wanted::Deployment { copies: 1 },
        };
        asks.push(Ask { after, what });
        // Sometimes at once, sometimes long after the one before.
        let pause = match rng.random_range(0..4) {
            0 => 0,
            1 => rng.random_range(0..2_000),
            2 => rng.random_range(0..60_000),
            _ => rng.random_range(0..600_000),
        };
        after += Duration::from_millis(pause);
    }
    if rng.random_range(0..3) == 0 {
        // Mostly when the others have ended: there is something to go back to.
        after += Duration::from_millis(rng.random_range(0..3_600_000));
        let what = Wanted::Rollback {
            copies: rng.random_range(1..=3),
            release_commands: match rng.random_range(0..2) {
                0 => ReleaseCommands::Skip,
                _ => ReleaseCommands::Run,
            },
        };
        asks.push(Ask { after, what });
    }
    asks
}
