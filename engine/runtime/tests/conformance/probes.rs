//! One bounded command in an image, with nothing around it.

use std::time::Duration;

use shipway_core::ports::runtime::{ProbeRequest, RuntimeError};

use super::Fixture;

pub async fn every_case(fixture: &Fixture) {
    a_probe_gives_what_was_written(fixture).await;
    a_probe_keeps_to_its_limit(fixture).await;
    a_probe_ends_in_time(fixture).await;
    a_probe_sees_only_its_variables(fixture).await;
    a_probe_has_no_network(fixture).await;
}

fn probe(fixture: &Fixture, script: &str) -> ProbeRequest {
    ProbeRequest {
        deployment: fixture.deployment(),
        image: fixture.image.clone(),
        argv: vec!["/bin/sh".into(), "-c".into(), script.into()],
        variables: vec![("ASKED".into(), "yes".into())],
        timeout: Duration::from_secs(20),
        limit: 1000,
    }
}

pub async fn a_probe_gives_what_was_written(fixture: &Fixture) {
    let request = probe(fixture, "echo out; echo err >&2; exit 4");
    let output = fixture.runtime.probe(&request).await.unwrap();
    assert_eq!(output.exit_code, 4);
    assert_eq!(output.stdout, b"out\n");
    assert_eq!(output.stderr, b"err\n");
    assert!(!output.truncated);
}

pub async fn a_probe_keeps_to_its_limit(fixture: &Fixture) {
    let script = "i=0; while [ $i -lt 20000 ]; do echo 0123456789; i=$((i+1)); done";
    let output = fixture
        .runtime
        .probe(&probe(fixture, script))
        .await
        .unwrap();
    assert_eq!(output.stdout.len(), 1000);
    assert!(output.truncated);
}

pub async fn a_probe_ends_in_time(fixture: &Fixture) {
    let request = ProbeRequest {
        timeout: Duration::from_secs(1),
        ..probe(fixture, "sleep 600")
    };
    let error = fixture.runtime.probe(&request).await.unwrap_err();
    assert!(
        matches!(error, RuntimeError::Timeout { seconds: 1, .. }),
        "{error}"
    );
}

pub async fn a_probe_sees_only_its_variables(fixture: &Fixture) {
    let output = fixture.runtime.probe(&probe(fixture, "env")).await.unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains("ASKED=yes"), "{text}");
    for absent in ["CARGO_", "PORT=", "DATABASE_URL"] {
        assert!(!text.contains(absent), "{absent}: {text}");
    }
}

/// No way to anywhere: `/proc/net/route` holds its heading at most.
pub async fn a_probe_has_no_network(fixture: &Fixture) {
    if !cfg!(target_os = "linux") {
        return;
    }
    let output = fixture
        .runtime
        .probe(&probe(fixture, "cat /proc/net/route"))
        .await
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.lines().count() <= 1, "{text}");
}
