//! `shipway doctor`, with an engine, without one, and where things are wrong.

use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use shipway_tests::ship::{Ship, free_address};

/// The checks by their names, and the exit code.
fn examined(ship: &Ship, more: &[&str]) -> (Value, i32) {
    let (state, listen, proxy) = (
        ship.state_dir().to_str().expect("a path").to_owned(),
        ship.api_address().to_string(),
        ship.proxy.to_string(),
    );
    let arguments = [
        &[
            "doctor",
            "--json",
            "--state-dir",
            &state,
            "--listen",
            &listen,
        ][..],
        &["--proxy-listen", &proxy],
        more,
    ];
    let ran = ship.cli().run(&arguments.concat());
    let checks: Value =
        serde_json::from_str(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {ran:?}"));
    let named = checks.as_array().expect("a list").iter();
    let named = named.map(|check| {
        let name = check["name"].as_str().expect("a name").to_owned();
        (name, check.clone())
    });
    (named.collect::<serde_json::Map<_, _>>().into(), ran.code)
}

fn verdict<'a>(checks: &'a Value, name: &str) -> &'a str {
    checks[name]["verdict"].as_str().unwrap_or("not checked")
}

#[test]
fn a_machine_with_a_running_engine_is_well() {
    let Some(ship) = Ship::start() else { return };
    let (checks, code) = examined(&ship, &[]);
    assert_eq!(code, 0, "{checks:#}");
    for name in [
        "state directory",
        "git",
        "sandbox",
        "API port",
        "proxy port",
        "proxy",
        "server",
        "readiness",
        "clock",
        "token",
        "plugins",
    ] {
        assert_eq!(verdict(&checks, name), "ok", "{name}: {checks:#}");
    }
    for check in checks.as_object().expect("checks").values() {
        let sound = check["verdict"] == "ok";
        assert_eq!(check["to_do"].is_null(), sound, "{check}");
    }
    assert!(
        checks["token"]["said"]
            .as_str()
            .expect("text")
            .contains("scope admin"),
        "{checks:#}"
    );
    let text = ship.cli().run(&["doctor"]).stdout;
    assert!(
        !text.contains(&ship.token) && text.contains("problems"),
        "{text}"
    );
}

#[test]
fn it_works_without_an_engine_and_says_how_to_start_one() {
    let Some(ship) = Ship::start() else { return };
    ship.kill_serve();
    let (checks, code) = examined(&ship, &[]);
    assert_eq!(code, 0, "{checks:#}");
    assert_eq!(verdict(&checks, "server"), "warning");
    assert!(
        checks["server"]["to_do"]
            .as_str()
            .expect("a hint")
            .contains("shipway serve"),
        "{checks:#}"
    );
    assert_eq!(verdict(&checks, "API port"), "ok", "{checks:#}");
    assert_eq!(verdict(&checks, "token"), "not checked");
}

#[test]
fn each_thing_that_is_wrong_is_a_problem_with_something_to_do() {
    let Some(ship) = Ship::start() else { return };
    let taken = TcpListener::bind(free_address()).expect("a port");
    let address = taken.local_addr().expect("its address").to_string();
    let open = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(ship.state_dir(), open).expect("an open folder");
    let wrong = ship
        .cli()
        .with_variable("SHIPWAY_TOKEN", &format!("shipway_{}", "0".repeat(64)));
    let state = ship.state_dir().to_str().expect("a path").to_owned();
    let ran = wrong.run(&[
        "doctor",
        "--state-dir",
        &state,
        "--listen",
        &address,
        "--proxy-listen",
        &ship.proxy.to_string(),
    ]);
    assert_eq!(ran.code, 1, "{ran:?}");
    for said in [
        format!("problem  API port         {address} is taken by another program"),
        "warning  state directory".to_owned(),
        "problem  token            the token does not work".to_owned(),
        format!("to do: chmod 700 {state}"),
        "2 problems".to_owned(),
    ] {
        assert!(ran.stdout.contains(&said), "{said:?} in\n{}", ran.stdout);
    }
}

#[test]
fn a_server_far_away_that_does_not_answer_is_a_problem() {
    let Some(ship) = Ship::start() else { return };
    // Nobody listens there, and it counts as far away by its name alone.
    let nowhere = format!("http://nowhere.invalid:{}", free_address().port());
    let (checks, code) = examined(&ship, &["--server", &nowhere]);
    assert_eq!(
        (verdict(&checks, "server"), code),
        ("problem", 1),
        "{checks:#}"
    );
}
