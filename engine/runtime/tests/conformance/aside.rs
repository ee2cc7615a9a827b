//! What failed is kept, ended, for a look inside.

use shipway_core::journal::Exit;
use shipway_core::ports::runtime::{CommandRun, InstanceStatus, WhenFailed};

use super::instances::{answers, request};
use super::recorder::{Recorder, record};
use super::{Fixture, eventually, shell};

pub async fn every_case(fixture: &Fixture) {
    a_failed_run_and_its_instances_are_kept(fixture).await;
    a_run_that_did_not_fail_is_not(fixture).await;
    nothing_is_kept_unasked(fixture).await;
}

pub async fn a_failed_run_and_its_instances_are_kept(fixture: &Fixture) {
    let runtime = &fixture.runtime;
    let run = keeping(fixture, "sleep 600 & echo begun; exit 3");
    let start = request(fixture, run.deployment, fixture.web_process(), 1);
    let instance = runtime.start(&start).await.unwrap();
    let address = instance.address.unwrap();
    eventually("it answers", || answers(address)).await;
    let recorder = record(&**runtime, &run).await;
    assert_eq!(recorder.exits(), [Exit::Code { code: 3 }]);

    let mut kept = runtime.set_aside(run.deployment).await.unwrap();
    kept.sort_by(|one, other| one.what.cmp(&other.what));
    let what: Vec<&str> = kept.iter().map(|kept| kept.what.as_str()).collect();
    assert_eq!(what, ["release commands", "web.1"]);
    for one in &kept {
        let is_a_place = one.place.starts_with("container ") || one.place.starts_with("folder ");
        assert!(is_a_place, "{one:?}");
    }
    assert!(!answers(address).await, "it has ended");
    let status = runtime.status(&instance).await.unwrap();
    assert!(
        matches!(status, InstanceStatus::Exited(_) | InstanceStatus::Gone),
        "{status:?}"
    );
    assert_eq!(runtime.set_aside(run.deployment).await.unwrap().len(), 2);

    runtime.clean_up(run.deployment).await.unwrap();
    assert_eq!(runtime.set_aside(run.deployment).await.unwrap(), []);
}

pub async fn a_run_that_did_not_fail_is_not(fixture: &Fixture) {
    let run = keeping(fixture, "true");
    record(&*fixture.runtime, &run).await;
    let kept = fixture.runtime.set_aside(run.deployment).await.unwrap();
    assert_eq!(kept, []);

    let run = keeping(fixture, "echo begun; sleep 600");
    let cancelling = Recorder::cancelling_on("begun");
    fixture
        .runtime
        .run_commands(&run, cancelling)
        .await
        .unwrap();
    let kept = fixture.runtime.set_aside(run.deployment).await.unwrap();
    assert_eq!(kept, []);
}

pub async fn nothing_is_kept_unasked(fixture: &Fixture) {
    let run = CommandRun {
        when_failed: WhenFailed::Discard,
        ..keeping(fixture, "exit 3")
    };
    record(&*fixture.runtime, &run).await;
    let kept = fixture.runtime.set_aside(run.deployment).await.unwrap();
    assert_eq!(kept, []);
}

fn keeping(fixture: &Fixture, script: &str) -> CommandRun {
    CommandRun {
        when_failed: WhenFailed::Keep,
        ..fixture.command_run(vec![shell(script)])
    }
}
