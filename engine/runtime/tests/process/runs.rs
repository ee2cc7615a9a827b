//! Runs of release commands.

use std::time::{Duration, Instant};

use shipway_core::journal::Exit;
use shipway_core::ports::Stream;
use shipway_core::ports::runtime::Command;

use crate::conformance::recorder::{Recorder, record};
use crate::conformance::{argv, shell, variables};
use crate::fixture::{House, entries, is_alive, is_dead_soon, written};

pub async fn variables_are_these_and_no_others() {
    let house = House::new();
    let fixture = house.fixture(None).await;
    let mut run = fixture.command_run(vec![argv(&["env"])]);
    run.variables = variables(&[("DATABASE_URL", "sqlite://x"), ("PORT", "1")]);
    let recorder = record(&*fixture.runtime, &run).await;
    let mut names: Vec<String> = recorder
        .lines(Stream::Stdout)
        .iter()
        .filter_map(|line| line.split_once('=').map(|(name, _)| name.to_owned()))
        .collect();
    names.sort();
    assert_eq!(
        names,
        ["DATABASE_URL", "HOME", "LANG", "PATH", "PORT", "TMPDIR"]
    );
    let port = recorder.lines(Stream::Stdout);
    assert!(port.contains(&"PORT=8000".to_owned()), "{port:?}");
}

pub async fn a_run_that_nobody_waits_for_goes_on_until_it_is_cleaned_up() {
    let house = House::new();
    let fixture = house.fixture(None).await;
    let pid = house.path("pid");
    let script = format!("echo $$ > {}; sleep 600", pid.display());
    let run = fixture.command_run(vec![shell(&script)]);
    let (runtime, deployment) = (fixture.runtime.clone(), run.deployment);
    let task = tokio::spawn(async move { runtime.run_commands(&run, Recorder::new()).await });
    let pid = written(&pid).await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    assert!(is_alive(&pid));
    fixture.runtime.clean_up(deployment).await.unwrap();
    is_dead_soon(&pid).await;
    assert_eq!(entries(&house.path("state/runs")), 0);
}

pub async fn what_left_its_session_is_killed_too() {
    if !cfg!(target_os = "linux") {
        return;
    }
    let house = House::new();
    let fixture = house.fixture(None).await;
    let pid = house.path("pid");
    let script = format!(
        "setsid sh -c 'echo $$ > {0}; exec sleep 600' & while [ ! -s {0} ]; do sleep 0.05; done",
        pid.display()
    );
    let began = Instant::now();
    let recorder = record(
        &*fixture.runtime,
        &fixture.command_run(vec![shell(&script)]),
    )
    .await;
    assert_eq!(recorder.exits(), [Exit::Code { code: 0 }]);
    is_dead_soon(&written(&pid).await).await;
    assert!(began.elapsed() < Duration::from_secs(20));
    assert_eq!(entries(&house.path("state/runs")), 0);
}

pub async fn a_command_that_ignores_sigterm_is_killed() {
    let house = House::new();
    let fixture = house.fixture(None).await;
    let command = Command {
        timeout: Duration::from_secs(1),
        ..shell("trap '' TERM; while :; do sleep 0.1; done")
    };
    let began = Instant::now();
    let recorder = record(&*fixture.runtime, &fixture.command_run(vec![command])).await;
    assert_eq!(recorder.exits(), [Exit::TimedOut { after_seconds: 1 }]);
    assert!(began.elapsed() >= Duration::from_secs(11));
}

pub async fn an_image_that_is_not_there() {
    let house = House::new();
    let fixture = house.fixture(None).await;
    for reference in ["guestbook/none", "../../etc", "/etc", "guestbook", ""] {
        let mut run = fixture.command_run(vec![shell("echo never")]);
        run.image.reference = reference.to_owned();
        let error = fixture
            .runtime
            .run_commands(&run, Recorder::new())
            .await
            .unwrap_err();
        assert!(error.to_string().contains("use the image"), "{error}");
    }
}
