//! Calls to the hostile guest, in the making: granted nothing unless said.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use shipway_core::environment::{EnvironmentKey, Variable};
use shipway_core::grant::{Addresses, Grants, HttpGrant};
use shipway_core::journal::{BuildWish, Entry, Event, Trigger};
use shipway_core::name::{DeploymentId, PluginName, Timestamp};
use shipway_core::plugin::{Description, Enabled, Installed, PluginLimits};
use shipway_core::ports::plugins::{Call, Level, PluginLog, Plugins};
use shipway_core::secret::Secret;
use shipway_plugin_host::PluginHost;
use shipway_tests::wait::{block, runtime};

use crate::attack::{Outcome, Seen};
use crate::commit::Tree;
use crate::world::World;

/// The value of the secret setting `token` in every call. No guest ever knows
/// it, and nobody is ever told.
pub const SECRET: &str = "s3cr3t.hunter22/Value";

#[derive(Clone)]
pub struct Bench {
    pub host: Arc<PluginHost>,
    pub call: Call,
    log: Arc<Kept>,
}

/// As whom the guest is called.
#[derive(Debug, Clone, Copy)]
pub enum Role {
    Source,
    Notifier,
    SelfTest,
}

impl Bench {
    /// The guest that asks for everything and does this.
    pub fn new(world: &World, act: &str) -> Self {
        Self::of(world, world.eager.clone()).set("act", act)
    }

    pub fn of(world: &World, description: Description) -> Self {
        let log = Arc::new(Kept::default());
        let call = call(description, Arc::clone(&log));
        let host = Arc::clone(&world.host);
        let bench = Self { host, call, log };
        bench.secret("token", SECRET)
    }

    pub fn set(mut self, name: &str, value: &str) -> Self {
        let value = Variable::Plain(value.to_owned());
        self.call.settings.insert(name.to_owned(), value);
        self
    }

    pub fn secret(mut self, name: &str, value: &str) -> Self {
        let value = Variable::Secret(Secret::new(value));
        self.call.settings.insert(name.to_owned(), value);
        self
    }

    pub fn grant(mut self, change: impl FnOnce(&mut Grants)) -> Self {
        change(&mut Arc::make_mut(&mut self.call.plugin).grants);
        self
    }

    /// Grants an origin, with these uses of secrets.
    pub fn http(self, origin: &str, addresses: Addresses, secrets: &[&str]) -> Self {
        let grant = HttpGrant {
            origin: origin.to_owned(),
            methods: Vec::new(),
            addresses,
            secrets: secrets.iter().map(|name| (*name).to_owned()).collect(),
        };
        self.grant(|grants| grants.http.push(grant))
    }

    /// Files in the commit, all of them granted.
    pub fn files(mut self, files: &[(&str, &str)]) -> Self {
        self.call.files = Some(Arc::new(Tree::new(files)));
        self.grant(|grants| grants.files = vec!["**".to_owned()])
    }

    pub fn change(mut self, act: impl FnOnce(&mut Call)) -> Self {
        act(&mut self.call);
        self
    }

    /// The operator's own limit for this plugin, where the usual would only
    /// make the suite slow.
    pub fn wall_seconds(self, seconds: u32) -> Self {
        self.limit(|limits| limits.wall_seconds = Some(seconds))
    }

    pub fn cpu_ms(self, cpu: u32) -> Self {
        self.limit(|limits| limits.cpu_ms = Some(cpu))
    }

    pub fn limit(mut self, change: impl FnOnce(&mut PluginLimits)) -> Self {
        change(&mut Arc::make_mut(&mut self.call.plugin).limits);
        self
    }

    /// Calls it as a release source.
    pub fn go(self) -> Seen {
        self.go_as(Role::Source)
    }

    /// On the runtime's own threads, where everything else runs too.
    pub fn go_as(self, role: Role) -> Seen {
        block(runtime().spawn(self.called(role))).expect("the call does not panic")
    }

    pub async fn called(self, role: Role) -> Seen {
        let host = &self.host;
        let outcome = match role {
            Role::Source => host.collect(&self.call).await.map(|gave| {
                let commands = gave
                    .commands
                    .iter()
                    .map(|command| command.label.to_string());
                let mut lines: Vec<String> = gave.warnings.clone();
                lines.extend(commands);
                lines.join("\n")
            }),
            Role::Notifier => host
                .deliver(&self.call, &entry())
                .await
                .map(|()| String::new()),
            Role::SelfTest => host.self_test(&self.call).await.map(|checks| {
                let messages = checks.into_iter().map(|check| check.message);
                messages.collect::<Vec<_>>().join("\n")
            }),
        };
        Seen {
            outcome: match outcome {
                Ok(brought) => Outcome::Brought(brought),
                Err(error) => Outcome::Failed(error),
            },
            log: self.log.text(),
        }
    }
}

/// Takes a file in, as `plugin add` does.
pub fn inspect(world: &World, component: &[u8]) -> Seen {
    let (host, component) = (Arc::clone(&world.host), component.to_vec());
    let inspected = block(runtime().spawn(async move { host.inspect(&component).await }));
    let outcome = match inspected.expect("looking does not panic") {
        Ok(description) => Outcome::Brought(description.name.to_string()),
        Err(error) => Outcome::Failed(error),
    };
    Seen {
        outcome,
        log: String::new(),
    }
}

fn call(description: Description, log: Arc<Kept>) -> Call {
    let plugin = Installed {
        description,
        grants: Grants::default(),
        settings: BTreeMap::new(),
        enabled: Enabled::Yes,
        limits: PluginLimits::default(),
        origin: Default::default(),
        installed_at: Timestamp::from_millis(0),
    };
    Call {
        plugin: Arc::new(plugin),
        settings: BTreeMap::new(),
        variables: BTreeMap::new(),
        deployment: DeploymentId(uuid::Uuid::nil()),
        environment: environment(),
        commit: Some("c".repeat(40).parse().expect("a commit")),
        reference: "main".to_owned(),
        files: None,
        image: None,
        candidate: Vec::new(),
        exec: None,
        log,
    }
}

fn environment() -> EnvironmentKey {
    EnvironmentKey {
        app: "guestbook".parse().expect("a name"),
        environment: "live".parse().expect("a name"),
    }
}

fn entry() -> Entry {
    Entry {
        deployment: DeploymentId(uuid::Uuid::nil()),
        sequence: 7,
        at: Timestamp::from_millis(1_000),
        event: Event::Queued(Trigger {
            key: environment(),
            reference: "main".to_owned(),
            by: "ci".to_owned(),
            idempotency_key: None,
            build: BuildWish::Reuse,
            subject: shipway_core::journal::Subject::Commit,
        }),
    }
}

/// The log of a call.
#[derive(Debug, Default)]
struct Kept(Mutex<Vec<String>>);

impl Kept {
    fn text(&self) -> String {
        self.0.lock().expect("the log").join("\n")
    }
}

impl PluginLog for Kept {
    fn line(&self, _: &PluginName, _: Level, message: &str) {
        self.0.lock().expect("the log").push(message.to_owned());
    }
}
