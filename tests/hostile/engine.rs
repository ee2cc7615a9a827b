//! Attacks on a real `shipway serve`: hostile plugins are installed through
//! its API, and apps are deployed with them. All the while somebody asks it
//! whether it is well, and looks at its memory.

use std::os::unix::fs::symlink;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use shipway_tests::api::Api;
use shipway_tests::app::Environment;
use shipway_tests::deployment::Deployment;
use shipway_tests::machine;
use shipway_tests::repo::Repo;
use shipway_tests::ship::Ship;

use crate::attack::{Attack, Must, Outcome, Seen};
use crate::bench::SECRET;
use crate::watch::Memory;
use crate::world::World;

const CLASS: &str = "engine";
/// The longest that an answer about its health may take on a machine where
/// guests spin on every core.
const PATIENCE: Duration = Duration::from_secs(5);
/// MiB that the engine may take beside what it has at rest.
const MOST_GROWTH: u64 = 320;
/// The app that nobody attacks, whose plugin settings and variables are its own.
const NEIGHBOURS: &str = "http://only.the.neighbour.knows";

pub fn attacks() -> Vec<Attack> {
    let mut attacks = installs();
    attacks.extend(sources());
    attacks.extend(reaches());
    attacks.extend(roles());
    attacks
}

/// What `plugin add` refuses.
fn installs() -> Vec<Attack> {
    let rejects = |name, says, bytes: fn(&World) -> Vec<u8>| {
        let must = Must::Tell("plugin-rejected", says);
        Attack::new(CLASS, name, must, move |world| {
            let ship = &scene(world)?.ship;
            let answer = ship
                .api
                .post_bytes("/v1/plugins", "application/wasm", bytes(world));
            Ok(vec![problem(&answer.json())])
        })
    };
    vec![
        rejects("installing half a plugin", "truncated", |world| {
            world.guest[..world.guest.len() / 2].to_vec()
        }),
        rejects(
            "installing a plugin that never says who it is",
            "it may",
            |world| world.describing("loop"),
        ),
        rejects(
            "installing a plugin that wants all memory",
            "memory",
            |world| world.describing("grow"),
        ),
        rejects("installing a plugin that traps", "trapped", |world| {
            world.describing("trap")
        }),
    ]
}

/// Deployments whose release source misbehaves.
fn sources() -> Vec<Attack> {
    let acts = |name, act: &'static str, reason, says| {
        let must = Must::Tell(reason, says);
        Attack::new(CLASS, name, must, move |world| {
            Ok(vec![scene(world)?.collects(act)])
        })
        .logs("plugin hostile 1.0.0 (release-source)")
    };
    vec![
        acts(
            "a release source that never ends",
            "loop",
            "timeout",
            "of processor time",
        ),
        acts(
            "a release source that wants all memory",
            "grow",
            "plugin",
            "128 MiB",
        ),
        acts(
            "a release source with an endless stack",
            "stack",
            "plugin",
            "trapped",
        ),
        acts(
            "a release source that reads .git",
            "read .git/config",
            "plugin",
            "(denied)",
        )
        .logs("no plugin may have it"),
        acts(
            "a file that is a link out of the commit",
            "read link",
            "plugin",
            "failed (",
        ),
        acts(
            "a folder that is a link out of the commit",
            "read linked/passwd",
            "plugin",
            "failed (",
        ),
        acts(
            "a variable of the app that is secret",
            "variable API_KEY",
            "plugin",
            "(denied)",
        )
        .logs("which is secret"),
    ]
}

/// What a release source finds that is not its own.
fn reaches() -> Vec<Attack> {
    let brings = |name, words, act: &'static str| {
        Attack::new(CLASS, name, Must::Bring(words), move |world| {
            let seen = scene(world)?.collects(act);
            ensure!(!seen.log.contains(NEIGHBOURS), "{}", seen.log);
            Ok(vec![seen])
        })
    };
    vec![
        brings("a flood of lines in a deployment's log", &[], "log-flood")
            .logs("lines were dropped"),
        brings("terminal escapes in a deployment's log", &[], "escapes").logs("]52;c;ZXZpbA=="),
        brings(
            "another app's setting",
            &["! hostile: None"],
            "settings url",
        ),
        brings(
            "another app's variable",
            &["! hostile: None"],
            "variable STAGE",
        ),
        brings(
            "links in a search",
            &["no release commands\n\n"],
            "find *link*",
        ),
    ]
}

/// The other two roles.
fn roles() -> Vec<Attack> {
    let tells = |name, says, run: fn(&World) -> Result<Seen>| {
        Attack::new(CLASS, name, Must::Tell("plugin", says), move |world| {
            Ok(vec![run(world)?])
        })
    };
    vec![
        tells("a self-test that traps", "(self-test) trapped", |world| {
            Ok(scene(world)?.tests("trap", ""))
        }),
        tells(
            "a self-test that asks another app's instance",
            "(denied)",
            |world| {
                let scene = scene(world)?;
                let environment = scene.of("neighbour").get("/env").json();
                let port = environment["PORT"].as_str().context("a port")?.to_owned();
                Ok(scene.tests("http", &format!("http://127.0.0.1:{port}/")))
            },
        )
        .logs("shipway plugin grant hostile --http"),
        tells(
            "a self-test that asks the engine's own API",
            "(denied)",
            |world| {
                let scene = scene(world)?;
                let address = scene.ship.api_address();
                Ok(scene.tests("http", &format!("http://{address}/v1/plugins")))
            },
        )
        .logs("shipway plugin grant hostile --http"),
        Attack::new(
            CLASS,
            "a notifier that sleeps for an hour",
            Must::Bring(&[]),
            |world| {
                let scene = scene(world)?;
                let began = Instant::now();
                let seen = scene.notifies("sleep");
                ensure!(
                    began.elapsed() < Duration::from_secs(15),
                    "the deployment waited for it"
                );
                Ok(vec![seen])
            },
        ),
        Attack::new(
            CLASS,
            "a granted secret, searched for in all that the engine tells and keeps",
            Must::Bring(&["shipway-secret-"]),
            searched_for,
        ),
    ]
}

/// The secret is sent to where it is granted, echoed, logged, and reported;
/// then everything that people and programs can read is read.
fn searched_for(world: &World) -> Result<Vec<Seen>> {
    let scene = scene(world)?;
    let (ship, hook) = (&scene.ship, world.hook.origin());
    let attacked = scene.of("attacked");
    let settings = attacked.path("/plugins/hostile/settings");
    let grants = json!({
        "files": ["**"],
        "http": [{"origin": hook, "addresses": "any", "secrets": ["token"]}],
    });
    ship.api.put("/v1/plugins/hostile/grants", &grants).ok();
    let wish = json!({
        "token": {"value": SECRET, "type": "secret"},
        "url": {"value": format!("{hook}/echo")},
        "collector": {"value": format!("{hook}/memory")},
        "headers": {"value": "authorization: Bearer {token}"},
    });
    ship.api.patch(&settings, &wish).ok();
    let count = world.hook.count();
    let seen = scene.collects("spy");
    let sent = world.hook.since(count);
    ensure!(
        sent.iter().any(|request| request.head.contains(SECRET)),
        "it was not sent: {seen:?}"
    );
    let deployments = ship.api.get(&attacked.path("/deployments")).ok();
    let last = deployments["items"][0]["id"]
        .as_str()
        .context("a deployment")?;
    let deployment = Deployment::new(ship, last.to_owned());
    let told = [
        ("the log", deployment.log()),
        ("the events", json!(deployment.events()).to_string()),
        ("the plan", deployment.plan().to_string()),
        ("the deployment", deployment.now().to_string()),
        ("the settings", ship.api.get(&settings).text()),
        ("the plugin", ship.api.get("/v1/plugins/hostile").text()),
        ("the engine's own log", ship.engine_log()),
    ];
    for (place, text) in told {
        ensure!(!text.is_empty(), "{place} is empty");
        ensure!(!text.contains(SECRET), "{place} has the secret: {text}");
    }
    Ok(vec![seen])
}

/// A real engine, an app that is attacked, one beside it, and who watches.
pub struct Scene {
    pub ship: Ship,
    watch: Watch,
    attacked: Names,
    neighbour: Names,
    _repositories: [Repo; 2],
}

/// An environment without its borrow of the ship.
struct Names {
    app: String,
    domain: String,
}

impl Names {
    fn of(environment: &Environment<'_>) -> Self {
        Self {
            app: environment.app.clone(),
            domain: environment.domain.clone(),
        }
    }
}

fn scene(world: &World) -> Result<&Scene> {
    let scene = world.scene.get_or_init(|| Scene::set(world));
    scene.as_ref().context("the machine lacks a part")
}

impl Scene {
    fn set(world: &World) -> Option<Self> {
        let ship = Ship::start()?;
        let name = ship.install(world.describing("eager"));
        assert_eq!(name, "hostile");
        let watch = Watch::start(&ship);
        let (one, other) = (repository(), repository());
        let quick = json!({
            "runtime": "process",
            "processes": {"web": {"health": {"tries": 50}}},
            "drain_seconds": 1,
        });
        let neighbour = ship
            .app("neighbour", &other)
            .environment("live", quick.clone());
        neighbour
            .variable("STAGE", NEIGHBOURS)
            .plugin_setting("hostile", "url", NEIGHBOURS);
        neighbour.deploy().succeeded();
        let attacked = ship.app("attacked", &one).environment("live", quick);
        attacked.secret("API_KEY", "a secret of the app");
        attacked.deploy().succeeded();
        let (attacked, neighbour) = (Names::of(&attacked), Names::of(&neighbour));
        Some(Self {
            ship,
            watch,
            attacked,
            neighbour,
            _repositories: [one, other],
        })
    }

    fn of(&self, name: &str) -> Environment<'_> {
        let names = match name {
            "neighbour" => &self.neighbour,
            _ => &self.attacked,
        };
        Environment {
            ship: &self.ship,
            app: names.app.clone(),
            name: "live".to_owned(),
            domain: names.domain.clone(),
        }
    }

    fn collects(&self, act: &str) -> Seen {
        self.deploys(&json!({"release-sources": ["hostile"]}), act, "")
    }

    fn tests(&self, act: &str, url: &str) -> Seen {
        let plugins = json!({"release-sources": [], "self-tests": ["hostile"]});
        self.deploys(&plugins, act, url)
    }

    fn notifies(&self, act: &str) -> Seen {
        let plugins = json!({"release-sources": [], "self-tests": [], "notifiers": ["hostile"]});
        self.deploys(&plugins, act, "")
    }

    /// Deploys the attacked app with the plugin in some role, and tells what
    /// came of it. Whatever it was, the app still serves.
    fn deploys(&self, plugins: &Value, act: &str, url: &str) -> Seen {
        let attacked = self.of("attacked");
        attacked.change(json!({"plugins": plugins}));
        attacked.plugin_setting("hostile", "act", act);
        if !url.is_empty() {
            attacked.plugin_setting("hostile", "url", url);
        }
        let deployment = attacked.deploy();
        let (now, log) = (deployment.now(), deployment.log());
        assert_eq!(attacked.get("/").status, 200, "the app serves");
        match now["status"].as_str() {
            Some("succeeded") => Seen {
                outcome: Outcome::Brought(log.clone()),
                log,
            },
            _ => told(&now["ending"]["failure"], log),
        }
    }
}

/// What a failed deployment says: its reason, message and hint.
fn told(failure: &Value, log: String) -> Seen {
    let text = |name: &str| failure[name].as_str().unwrap_or_default().to_owned();
    Seen {
        outcome: Outcome::Told {
            reason: text("reason"),
            words: format!("{} {}", text("message"), text("hint")),
        },
        log,
    }
}

/// What the API says of a request that it refuses.
fn problem(problem: &Value) -> Seen {
    let text = |name: &str| problem[name].as_str().unwrap_or_default().to_owned();
    Seen {
        outcome: Outcome::Told {
            reason: text("type").trim_start_matches("/problems/").to_owned(),
            words: format!("{} {}", text("detail"), text("hint")),
        },
        log: String::new(),
    }
}

/// A commit with a link to a file and one to a folder, neither of which is in
/// it.
fn repository() -> Repo {
    let repo = Repo::of("tests/apps/tiny");
    symlink("/etc/passwd", repo.path().join("link")).expect("a link");
    symlink("/etc", repo.path().join("linked")).expect("a link");
    repo.commit("Links that lead out");
    repo
}

/// Asks the engine all the time whether it is well.
struct Watch {
    seen: Arc<Mutex<Health>>,
    memory: Memory,
    at_rest: u64,
    end: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug, Default, Clone)]
struct Health {
    answers: u64,
    slowest: Duration,
    highest: u64,
    wrong: Option<String>,
}

impl Watch {
    fn start(ship: &Ship) -> Self {
        let pid = engine_of(ship).expect("the engine's process");
        let memory = Memory::of(&pid.to_string());
        let (seen, end) = (
            Arc::new(Mutex::new(Health::default())),
            Arc::new(AtomicBool::new(false)),
        );
        let (told, ended, api) = (Arc::clone(&seen), Arc::clone(&end), ship.api.clone());
        let thread = thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                let look = look(&api);
                let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
                told.answers += 1;
                told.slowest = told.slowest.max(look.slowest);
                told.wrong = told.wrong.take().or(look.wrong);
                drop(told);
                thread::sleep(Duration::from_millis(10));
            }
        });
        let at_rest = memory.now();
        Self {
            seen,
            memory,
            at_rest,
            end,
            thread: Some(thread),
        }
    }

    fn health(&self) -> Health {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.highest = seen.highest.max(self.memory.highest());
        seen.clone()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.end.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn look(api: &Api) -> Health {
    let began = Instant::now();
    let answer = api.try_get("/healthz").map(|answer| answer.status);
    let slowest = began.elapsed();
    let well = answer == Some(200) && slowest < PATIENCE;
    Health {
        slowest,
        wrong: (!well).then(|| format!("/healthz: {answer:?} after {slowest:?}")),
        ..Health::default()
    }
}

fn engine_of(ship: &Ship) -> Option<u32> {
    let folder = ship.state_dir().display().to_string();
    machine::processes_with(&folder).into_iter().find(|pid| {
        let line = std::fs::read(format!("/proc/{pid}/cmdline")).unwrap_or_default();
        line.split(|byte| *byte == 0).nth(1) == Some(b"serve")
    })
}

/// Whether the engine, if there is one by now, answered all the time and kept
/// within its memory.
pub fn still_serves(world: &World) -> Result<()> {
    let Some(Some(scene)) = world.scene.get() else {
        return Ok(());
    };
    let health = scene.watch.health();
    ensure!(
        health.wrong.is_none(),
        "the engine was not well: {:?}",
        health.wrong
    );
    let most = scene.watch.at_rest + MOST_GROWTH;
    ensure!(
        health.highest <= most,
        "the engine's memory went up to {} MiB, from {} MiB at rest",
        health.highest,
        scene.watch.at_rest
    );
    Ok(())
}

/// How the engine was, for people.
pub fn summary(world: &World) -> String {
    let Some(Some(scene)) = world.scene.get() else {
        return "the engine: not started".to_owned();
    };
    let health = scene.watch.health();
    format!(
        "the engine: {} times well, the slowest answer took {} ms\n\
         memory of the engine: {} MiB at rest, {} MiB at most, {} MiB when all was over",
        health.answers,
        health.slowest.as_millis(),
        scene.watch.at_rest,
        health.highest,
        scene.watch.memory.now(),
    )
}
