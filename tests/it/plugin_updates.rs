//! A new version of a plugin: shown beside the old, accepted if it asks for
//! more, and used by the next call while running ones finish; switched off and
//! on, and limited.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use serde_json::json;
use shipway_tests::ship::Ship;

use crate::apps::tiny;
use crate::bad_plugins::hostile;

/// Shorter than a plugin's call may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// The guest with some of its texts replaced by others as long.
fn changed(guest: &[u8], texts: &[(&str, &str)]) -> Vec<u8> {
    let mut changed = guest.to_vec();
    for (from, to) in texts {
        assert_eq!(from.len(), to.len());
        let places: Vec<usize> = guest
            .windows(from.len())
            .enumerate()
            .filter(|(_, part)| *part == from.as_bytes())
            .map(|(at, _)| at)
            .collect();
        let [at] = places.as_slice() else {
            panic!("{from:?} stands {} times in the guest", places.len());
        };
        changed[*at..at + to.len()].copy_from_slice(to.as_bytes());
    }
    changed
}

/// Asks for HTTP to the origin of another setting.
fn asks_for_more(guest: &[u8]) -> Vec<u8> {
    changed(guest, &[("setting:url", "setting:act"), ("1.0.0", "1.1.0")])
}

fn asks_for_the_same(guest: &[u8]) -> Vec<u8> {
    changed(guest, &[("1.0.0", "1.0.1")])
}

#[test]
fn a_version_that_asks_for_more_is_accepted_or_changes_nothing() {
    let Some(guest) = hostile() else { return };
    let Some(ship) = Ship::start() else { return };
    let (cli, folder) = (ship.cli(), ship.state_dir());
    for (name, bytes) in [
        ("old.wasm", guest.clone()),
        ("same.wasm", asks_for_the_same(&guest)),
        ("more.wasm", asks_for_more(&guest)),
    ] {
        std::fs::write(folder.join(name), bytes).expect("a file");
    }
    cli.ok(&["plugin", "add", "old.wasm", "--files", "Procfile"]);
    let same = cli.ok(&["plugin", "add", "same.wasm"]).stdout;
    assert!(same.contains("hostile 1.0.0 -> 1.0.1"), "{same}");
    assert!(same.contains("what it asked for before"), "{same}");

    let before = ship.api.get("/v1/plugins/hostile").ok();
    let refused = cli.run(&["plugin", "add", "more.wasm"]);
    assert_ne!(refused.code, 0, "{refused:#?}");
    assert!(refused.stderr.contains("nothing was changed") && refused.stderr.contains("--accept"));
    for shown in [
        "1.0.1 -> 1.1.0",
        "+ asks for HTTP to setting:act",
        "- asks for HTTP to setting:url",
    ] {
        assert!(refused.stdout.contains(shown), "{shown:?} in {refused:#?}");
    }
    let component = std::fs::read(folder.join("more.wasm")).expect("a file");
    let answer = ship
        .api
        .post_bytes("/v1/plugins", "application/wasm", component);
    let problem = answer.problem(409, "asks-for-more");
    assert_eq!(
        problem["difference"]["requests_more"][0]["targets"],
        json!(["setting:act"])
    );
    assert_eq!(ship.api.get("/v1/plugins/hostile").ok(), before);

    let accepted = cli.json(&["plugin", "add", "more.wasm", "--accept", "--json"]);
    assert_eq!(accepted["version"], "1.1.0");
    assert_eq!(
        accepted["grants"], before["grants"],
        "a request is no grant"
    );
    // Back again asks for more than 1.1.0 does.
    assert_ne!(cli.run(&["plugin", "add", "old.wasm"]).code, 0);
}

#[test]
fn running_calls_finish_on_the_old_version_and_the_next_uses_the_new() {
    let Some(guest) = hostile() else { return };
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    let slow = Slow::start();
    ship.install(guest.clone());
    let grant = json!({"http": [{"origin": slow.origin, "addresses": "any"}]});
    ship.api.put("/v1/plugins/hostile/grants", &grant).ok();
    live.change(json!({"plugins": {"release-sources": ["hostile"]}}));
    live.plugin_setting("hostile", "url", &format!("{}/", slow.origin));
    live.plugin_setting("hostile", "act", "http");

    std::thread::scope(|scope| {
        let running = scope.spawn(|| live.plan(json!({})).ok());
        slow.asked.recv_timeout(PATIENCE).expect("the plugin asks");
        let new = ship
            .api
            .post_bytes("/v1/plugins", "application/wasm", asks_for_the_same(&guest))
            .ok();
        assert_eq!(new["version"], "1.0.1");
        slow.answer.send(()).expect("an answer");
        let plan = running.join().expect("a plan");
        assert_eq!(plan["plugins"][0]["version"], "1.0.0", "{plan:#}");
        assert!(plan["warnings"].to_string().contains("200"), "{plan:#}");
    });
    slow.answer.send(()).expect("an answer");
    let next = live.plan(json!({})).ok();
    assert_eq!(next["plugins"][0]["version"], "1.0.1", "{next:#}");
    assert!(next["warnings"].to_string().contains("200"), "{next:#}");
}

/// A server that answers when it is told to.
struct Slow {
    origin: String,
    asked: Receiver<()>,
    answer: Sender<()>,
}

impl Slow {
    fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let origin = format!("http://{}", listener.local_addr().expect("its address"));
        let ((ask, asked), (answer, answers)) = (channel(), channel());
        // It ends with the test's process.
        std::thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut lines = BufReader::new(stream.try_clone().expect("twice")).lines();
                while lines
                    .next()
                    .is_some_and(|line| line.is_ok_and(|it| !it.is_empty()))
                {}
                let _ = ask.send(());
                if answers.recv().is_err() {
                    return;
                }
                let reply = "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
                let _ = stream.write_all(reply.as_bytes());
                let _ = stream.shutdown(std::net::Shutdown::Write);
                let _ = stream.read(&mut [0; 16]);
            }
        });
        Self {
            origin,
            asked,
            answer,
        }
    }
}

#[test]
fn a_plugin_is_limited_and_switched_off_and_on() {
    let Some(guest) = hostile() else { return };
    let Some(ship) = Ship::start() else { return };
    let cli = ship.cli();
    ship.install(guest);
    let limited = cli.ok(&[
        "plugin", "limit", "hostile", "--cpu", "500ms", "--memory", "64MiB",
    ]);
    assert!(
        limited
            .stdout
            .contains("processor time 500 ms, memory 64 MiB"),
        "{limited:?}"
    );
    let more = cli.json(&["plugin", "limit", "hostile", "--wall", "5s", "--json"]);
    assert_eq!(
        more["limits"],
        json!({"cpu_ms": 500, "memory_mib": 64, "wall_seconds": 5})
    );
    let wrong = cli.run(&["plugin", "limit", "hostile", "--cpu", "10m"]);
    assert!(
        wrong.code != 0 && wrong.stderr.contains("cpu_ms"),
        "{wrong:?}"
    );
    assert_eq!(cli.run(&["plugin", "limit", "hostile"]).code, 2);

    cli.ok(&["plugin", "disable", "hostile"]);
    let shown = cli.ok(&["plugin", "show", "hostile"]).stdout;
    for words in [
        "switched off",
        "time in all 5 s",
        "signed  nobody",
        "source",
    ] {
        assert!(shown.contains(words), "{words:?} in {shown}");
    }
    let listed = cli.ok(&["plugin", "list"]).stdout;
    assert!(
        listed.contains("memory 64 MiB") && listed.contains(" no "),
        "{listed}"
    );
    cli.ok(&["plugin", "enable", "hostile"]);
    let reset = cli.json(&["plugin", "limit", "hostile", "--reset", "--json"]);
    assert_eq!(
        (&reset["limits"], &reset["enabled"]),
        (&json!({}), &json!("yes"))
    );
}
