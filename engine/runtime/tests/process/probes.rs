//! Probes: what keeps them in.

use std::fs;
use std::net::TcpListener;
use std::time::Duration;

use libtest_mimic::Trial;
use shipway_core::ports::runtime::{ProbeOutput, ProbeRequest, Runtime};

use crate::fixture::House;
use crate::{not_here, trial};

pub fn trials() -> Vec<Trial> {
    [
        on_linux(
            "probes::even_the_loopback_is_out_of_reach",
            even_the_loopback_is_out_of_reach,
        ),
        on_linux(
            "probes::nothing_is_written_outside",
            nothing_is_written_outside,
        ),
        on_linux(
            "probes::a_program_that_is_not_there",
            a_program_that_is_not_there,
        ),
    ]
    .into()
}

fn on_linux<F: Future<Output = ()> + 'static>(name: &str, test: fn() -> F) -> Trial {
    if cfg!(target_os = "linux") {
        trial(name, test)
    } else {
        not_here(name, "needs Linux, to run a program without network")
    }
}

async fn probe(house: &House, script: &str) -> ProbeOutput {
    let fixture = house.fixture(None).await;
    let request = ProbeRequest {
        deployment: fixture.deployment(),
        image: fixture.image.clone(),
        argv: vec!["/bin/bash".into(), "-c".into(), script.into()],
        variables: Vec::new(),
        timeout: Duration::from_secs(20),
        limit: 10_000,
    };
    house.runtime.probe(&request).await.unwrap()
}

async fn even_the_loopback_is_out_of_reach() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let house = House::new();
    let script = format!("exec 3<>/dev/tcp/127.0.0.1/{port} && echo connected");
    let output = probe(&house, &script).await;
    assert_ne!(output.exit_code, 0);
    assert_eq!(
        output.stdout,
        b"",
        "{:?}",
        String::from_utf8_lossy(&output.stderr)
    );
}

async fn nothing_is_written_outside() {
    let house = House::new();
    let outside = house.path("outside");
    let script = format!(
        "echo x > \"$TMPDIR/in\" && cat \"$TMPDIR/in\"; echo x 2>/dev/null > {}; echo x > here",
        outside.display()
    );
    let output = probe(&house, &script).await;
    assert_eq!(output.stdout, b"x\n");
    if has_landlock() {
        assert!(!outside.exists());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.contains("Permission denied"), "{said}");
    }
}

fn has_landlock() -> bool {
    fs::read_to_string("/sys/kernel/security/lsm").map_or(true, |all| all.contains("landlock"))
}

async fn a_program_that_is_not_there() {
    let house = House::new();
    let fixture = house.fixture(None).await;
    let request = ProbeRequest {
        deployment: fixture.deployment(),
        image: fixture.image.clone(),
        argv: vec!["no-such-program".into()],
        variables: Vec::new(),
        timeout: Duration::from_secs(20),
        limit: 10_000,
    };
    let output = house.runtime.probe(&request).await.unwrap();
    assert_eq!(output.exit_code, 127);
    assert!(String::from_utf8_lossy(&output.stderr).contains("no-such-program"));
}
