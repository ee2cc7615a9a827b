//! Health and readiness name the part that fails, and a service manager hears
//! of both.

use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use serde_json::{Value, json};
use shipway_tests::machine;
use shipway_tests::repo::Repo;
use shipway_tests::ship::Ship;
use shipway_tests::wait::until;

const PATIENCE: Duration = Duration::from_secs(30);

fn status_of(answer: &Value, part: &str) -> String {
    let parts = answer["parts"].as_array().expect("parts");
    let part = parts.iter().find(|one| one["name"] == part);
    part.map_or("missing", |part| part["status"].as_str().expect("a status"))
        .to_owned()
}

#[test]
fn an_engine_that_is_well_names_its_parts() {
    let Some(ship) = Ship::start() else { return };
    let stranger = ship.api.with_token(None);
    let alive = stranger.get("/healthz").ok();
    assert_eq!(alive["status"], "ok");
    for part in ["loop patrol", "loop outbox", "loop sweep", "loop pruning"] {
        assert_eq!(status_of(&alive, part), "ok", "{alive}");
    }
    let ready = stranger.get("/readyz").ok();
    for part in ["store", "proxy", "runtime process"] {
        assert_eq!(status_of(&ready, part), "ok", "{ready}");
    }
    assert_eq!(
        status_of(&ready, "runtime docker"),
        "missing",
        "nobody uses it"
    );
}

#[test]
fn a_proxy_that_is_gone_makes_the_engine_unready_and_not_unwell() {
    let Some(ship) = Ship::start() else { return };
    machine::kill(ship.proxy_pid().expect("a proxy"));
    let problem = until("the engine is not ready", PATIENCE, || {
        let answer = ship.api.get("/readyz");
        (answer.status == 503).then(|| answer.problem(503, "not-ready"))
    });
    assert_eq!(status_of(&problem, "proxy"), "failing", "{problem}");
    assert_eq!(status_of(&problem, "store"), "ok", "{problem}");
    let detail = problem["detail"].as_str().expect("a detail");
    assert!(detail.starts_with("proxy: "), "{detail}");
    assert!(!detail.contains('/'), "a stranger hears no path: {detail}");
    ship.api.get("/healthz").ok();
}

#[test]
fn a_runtime_that_is_used_and_not_there_is_named() {
    let nowhere = [("DOCKER_HOST", "unix:///nowhere/docker.sock")];
    let Some(ship) = Ship::start_with(&nowhere) else {
        return;
    };
    let repo = Repo::of("tests/apps/tiny");
    let settings = json!({"runtime": "docker"});
    let _live = ship.app("tiny", &repo).environment("live", settings);
    // What is used is looked at again after a while; an engine that starts
    // looks at once.
    ship.stop_serve();
    ship.serve_unready();
    let problem = until("the engine is not ready", PATIENCE, || {
        let answer = ship.api.try_get("/readyz")?;
        (answer.status == 503).then(|| answer.problem(503, "not-ready"))
    });
    assert_eq!(
        status_of(&problem, "runtime docker"),
        "failing",
        "{problem}"
    );
    assert_eq!(status_of(&problem, "runtime process"), "ok", "{problem}");
}

#[test]
fn a_service_manager_hears_that_it_is_ready_alive_and_stopping() {
    let folder = tempfile::tempdir().expect("a folder");
    let socket = folder.path().join("notify");
    let manager = UnixDatagram::bind(&socket).expect("a socket");
    manager.set_read_timeout(Some(PATIENCE)).expect("a limit");
    let heard = || {
        let mut text = [0; 256];
        let length = manager.recv(&mut text).expect("a word in time");
        String::from_utf8_lossy(&text[..length]).trim().to_owned()
    };
    let variables = [
        ("NOTIFY_SOCKET", socket.to_str().expect("a path")),
        ("WATCHDOG_USEC", "300000"),
    ];
    let Some(ship) = Ship::start_with(&variables) else {
        return;
    };
    assert_eq!(
        heard(),
        "READY=1",
        "once: the proxy is no service of this manager"
    );
    assert_eq!(heard(), "WATCHDOG=1");
    assert_eq!(heard(), "WATCHDOG=1");
    assert_eq!(ship.stop_serve(), Some(0));
    until("it says that it stops", PATIENCE, || {
        (heard() == "STOPPING=1").then_some(())
    });
}
