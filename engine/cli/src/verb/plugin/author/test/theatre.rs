//! Where cases are played: the production host with one component in it.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use anyhow::{Context, bail};
use serde_json::Value;
use shipway_core::environment::{EnvironmentKey, Variable};
use shipway_core::grant::Grants;
use shipway_core::name::Timestamp;
use shipway_core::plugin::{Description, Enabled, Installed, Origin, Role};
use shipway_core::ports::plugins::{Call, PluginError, Plugins};
use shipway_core::ports::store::Registry;
use shipway_core::secret::Secret;
use shipway_plugin_host::{Event, Player, PluginHost, Rehearsal, Tape};
use shipway_plugin_tools::toolbox::Toolbox;
use shipway_store::MemoryStore;

use super::case::Case;
use super::expect;
use super::outcome::{self, Outcome};
use super::report::Played;
use super::stage::{self, Commands, Heard, Servers, World};
use super::tape::{self, Taping};
use crate::failure::Failure;
use crate::verb::plugin::source;
use crate::wire;

pub struct Theatre {
    host: PluginHost,
    description: Description,
    compile_ms: u64,
}

impl Theatre {
    /// Compiles the component, or finds it compiled, and asks it to describe
    /// itself.
    pub async fn open(component: &Path, tools: &Toolbox) -> Result<Self, Failure> {
        let bytes = source::read(component)?;
        let store = Arc::new(MemoryStore::default());
        let registry: Arc<dyn Registry> = store;
        let config = wire::plugin_host(tools.caches().join("compiled"))?;
        let host = PluginHost::new(config, registry).map_err(anyhow::Error::new)?;
        let began = Instant::now();
        let description = host.inspect(&bytes).await.map_err(|error| Failure {
            hint: error.hint.clone(),
            ..Failure::new(error.message)
        })?;
        Ok(Self {
            host,
            description,
            compile_ms: u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
        })
    }

    pub fn description(&self) -> &Description {
        &self.description
    }

    pub fn compile_ms(&self) -> u64 {
        self.compile_ms
    }

    pub async fn play(&self, path: &Path, case: &Case, taping: &Taping) -> anyhow::Result<Played> {
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let role = self
            .role(case)
            .with_context(|| format!("the case {name}"))?;
        let beside = path.parent().unwrap_or_else(|| Path::new("."));
        let began = Instant::now();
        let (outcome, mut mismatches) = match taping {
            Taping::Replay(folder) => self.replay(case, role, beside, folder, &name).await?,
            Taping::Off | Taping::Record(_) => {
                let outcome = self.perform(case, role, beside, None).await?;
                (outcome, Vec::new())
            }
        };
        let took = began.elapsed();
        if let Taping::Record(folder) = taping {
            tape::write(folder, &name, &outcome)?;
        }
        mismatches.extend(expect::mismatches(&expected(case, taping), &outcome));
        Ok(Played {
            name,
            case: path.to_owned(),
            summary: case.summary.clone(),
            role,
            passed: mismatches.is_empty(),
            took_ms: u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
            outcome,
            mismatches,
        })
    }

    async fn replay(
        &self,
        case: &Case,
        role: Role,
        beside: &Path,
        folder: &Path,
        name: &str,
    ) -> anyhow::Result<(Outcome, Vec<String>)> {
        let tape = tape::read(folder, name)?;
        let player = Arc::new(Player::new(tape.calls));
        let outcome = self
            .perform(case, role, beside, Some(Arc::clone(&player)))
            .await?;
        let mut mismatches = Vec::new();
        if outcome.answer() != tape.answer {
            mismatches.push(format!(
                "replay: it answered {} when the tape was recorded, and now {}",
                tape.answer,
                outcome.answer()
            ));
        }
        if player.rest() > 0 {
            mismatches.push(format!(
                "replay: {} host calls were not made",
                player.rest()
            ));
        }
        Ok((outcome, mismatches))
    }

    async fn perform(
        &self,
        case: &Case,
        role: Role,
        beside: &Path,
        player: Option<Arc<Player>>,
    ) -> anyhow::Result<Outcome> {
        let servers = Servers::start(&case.candidate).await?;
        let heard = Arc::new(Heard::default());
        let world = World::of(case);
        let tape = match player {
            Some(player) => Tape::Play(player),
            None => Tape::Record(heard.clone()),
        };
        let host = self.host.rehearse(Rehearsal {
            outside: Some(world.clone()),
            tape,
        });
        let mut call = self.call(case, role, beside, Arc::clone(&heard))?;
        if role == Role::SelfTest {
            call.candidate.clone_from(&servers.endpoints);
            call.exec = Some(Commands::of(case));
        }
        let mut outcome = Outcome::of(ask(&host, role, &call, case).await);
        outcome.log = heard.lines().into_iter().map(outcome::line).collect();
        outcome.calls = heard.calls();
        outcome.requests = world.sent().into_iter().map(outcome::sent).collect();
        Ok(outcome)
    }

    fn role(&self, case: &Case) -> anyhow::Result<Role> {
        let roles = &self.description.roles;
        match (case.role, roles.as_slice()) {
            (Some(role), _) if roles.contains(&role) => Ok(role),
            (Some(role), _) => bail!("the plugin has no role {role}"),
            (None, [role]) => Ok(*role),
            (None, _) => bail!("it says no role, and the plugin has several"),
        }
    }

    fn call(
        &self,
        case: &Case,
        role: Role,
        beside: &Path,
        heard: Arc<Heard>,
    ) -> anyhow::Result<Call> {
        let settings = variables(&case.settings, &case.secrets);
        let grants = match &case.grants {
            Some(grants) => grants.clone(),
            None => Grants::requested(&self.description, &settings),
        };
        if let Some(problem) = grants.problem().or_else(|| case.limits.problem()) {
            bail!("the case's grants or limits make no sense: {problem}");
        }
        let installed = Installed {
            description: self.description.clone(),
            grants,
            settings: BTreeMap::new(),
            enabled: Enabled::Yes,
            limits: case.limits,
            origin: Origin::default(),
            installed_at: Timestamp::from_millis(0),
        };
        let deployment = &case.deployment;
        let image = (!case.image.is_empty()).then(|| Commands::of(case) as _);
        Ok(Call {
            plugin: Arc::new(installed),
            settings,
            variables: variables(&case.variables, &case.secret_variables),
            deployment: deployment.id,
            environment: EnvironmentKey {
                app: deployment.app.parse()?,
                environment: deployment.environment.parse()?,
            },
            commit: deployment.commit.clone(),
            reference: deployment.reference.clone(),
            files: stage::files(case, role, beside)?,
            image,
            candidate: Vec::new(),
            exec: None,
            log: heard,
        })
    }
}

/// On a replay nothing leaves, so there is nothing to compare.
fn expected(case: &Case, taping: &Taping) -> super::case::Expect {
    let mut expected = case.expect.clone();
    if matches!(taping, Taping::Replay(_)) {
        expected.requests = None;
        expected.log.clear();
    }
    expected
}

fn variables<K: Ord + Clone>(
    plain: &BTreeMap<K, String>,
    secret: &BTreeMap<K, String>,
) -> BTreeMap<K, Variable> {
    let plain = plain
        .iter()
        .map(|(name, value)| (name.clone(), Variable::Plain(value.clone())));
    let secret = secret.iter().map(|(name, value)| {
        let value = Secret::new(value.clone());
        (name.clone(), Variable::Secret(value))
    });
    plain.chain(secret).collect()
}

async fn ask(
    host: &PluginHost,
    role: Role,
    call: &Call,
    case: &Case,
) -> Result<Value, PluginError> {
    match role {
        Role::ReleaseSource => host
            .collect(call)
            .await
            .map(|found| outcome::collected(&found)),
        Role::SelfTest => host
            .self_test(call)
            .await
            .map(|found| outcome::report(&found)),
        Role::Notifier => {
            let event = Event {
                id: case.event.id.clone(),
                sequence: case.event.sequence,
                time: case.event.time.clone(),
                kind: case.event.kind.clone(),
                summary: case.event.summary.clone(),
                data: case.event.data.clone(),
            };
            host.deliver_event(call, &event).await.map(|()| Value::Null)
        }
    }
}
