//! What a guest returns, and what becomes of it.

use shipway_core::journal::{CheckOutcome, Entry, Event, Trigger};
use shipway_core::name::{DeploymentId, Timestamp};
use shipway_core::ports::plugins::{PluginErrorKind, Plugins};
use shipway_core::release::{Invocation, Phase};

use crate::harness::{Bench, assert_fault};

pub fn entry() -> Entry {
    Entry {
        deployment: DeploymentId(uuid::Uuid::nil()),
        sequence: 7,
        at: Timestamp::from_millis(1_000),
        event: Event::Queued(Trigger {
            key: shipway_core::environment::EnvironmentKey {
                app: "guestbook".parse().unwrap(),
                environment: "live".parse().unwrap(),
            },
            reference: "main".to_owned(),
            by: "ci".to_owned(),
            idempotency_key: None,
            build: shipway_core::journal::BuildWish::Reuse,
            subject: shipway_core::journal::Subject::Commit,
        }),
    }
}

#[tokio::test]
async fn honest_commands_are_taken_with_their_provenance() {
    let collected = Bench::new("honest").await.collect().await.unwrap();
    let [command] = collected.commands.as_slice() else {
        panic!("{collected:?}")
    };
    assert_eq!(command.label.as_str(), "./migrate", "made from the command");
    assert_eq!(command.run, Invocation::Shell("./migrate".to_owned()));
    assert_eq!(command.phase, Phase::Release);
    assert_eq!(
        command.provenance.to_string(),
        "plugin hostile, file line 1"
    );
}

#[tokio::test]
async fn nonsense_is_refused_with_a_sentence() {
    for (act, says) in [
        ("bad-phase", "unknown phase \"lunch\""),
        ("nul", "NUL"),
        ("many", "65 release commands"),
        ("huge", "hand over"),
    ] {
        let error = Bench::new(act).await.fail().await;
        assert_fault(&error, PluginErrorKind::Nonsense, says);
    }
}

#[tokio::test]
async fn a_failure_of_its_own_is_passed_on() {
    let error = Bench::new("fail the file\u{7} is gone").await.fail().await;
    assert_fault(
        &error,
        PluginErrorKind::Failure,
        "failed (broken): the file is gone",
    );
    assert!(error.retryable);
}

#[tokio::test]
async fn a_report_is_taken_check_by_check() {
    let checks = Bench::new("honest").await.self_test().await.unwrap();
    assert_eq!(checks.len(), 2);
    assert_eq!(checks[1].name, "two");
    assert_eq!(checks[1].outcome, CheckOutcome::Fail);
    assert_eq!(checks[1].message, "a b");
    assert_eq!(checks[1].took.as_millis(), 7);
    for (act, says) in [("many", "1001 checks"), ("nameless", "without a name")] {
        let error = Bench::new(act).await.self_test().await.unwrap_err();
        assert_fault(&error, PluginErrorKind::Nonsense, says);
    }
}

#[tokio::test]
async fn an_event_is_told_with_its_data() {
    let bench = Bench::new("").await;
    bench.host.deliver(&bench.call(), &entry()).await.unwrap();
    let said = bench.log.text();
    let id = "00000000-0000-0000-0000-000000000000/7 7 deployment.queued: ";
    let data = said.strip_prefix(id).unwrap_or_else(|| panic!("{said}"));
    assert!(
        data.starts_with('{') && data.contains("\"reference\":\"main\""),
        "{data}"
    );
}

#[tokio::test]
async fn a_call_knows_its_deployment() {
    let seen = Bench::new("deployment").await.see().await.unwrap();
    for part in ["guestbook", "live", "main", &"c".repeat(40)] {
        assert!(seen[0].contains(part), "{seen:?}");
    }
}
