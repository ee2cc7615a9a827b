//! What only containers can do to a run whose engine died.

use std::sync::Arc;
use std::time::Duration;

use shipway_core::journal::Exit;
use shipway_core::ports::Stream;
use shipway_core::ports::runtime::{Command, CommandRun, OpenCommand, Resumed, Runtime};
use shipway_core::release::Entrypoint;

use crate::conformance::recorder::{Recorder, Silent};
use crate::conformance::recovery::{crash, resume};
use crate::conformance::{Fixture, argv, shell};
use crate::machine::Machine;

const OK: Exit = Exit::Code { code: 0 };

async fn crashed(fixture: &Fixture, run: &CommandRun, at: Silent) -> (Arc<Recorder>, OpenCommand) {
    let before = crash(fixture, run, at).await;
    let open = before.open(Duration::from_millis(10)).unwrap();
    (before, open)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_whose_container_was_killed_is_lost() {
    let Some(machine) = Machine::new("lost").await else {
        return;
    };
    let fixture = machine.fixture("true").await;
    let run = fixture.command_run(vec![
        shell("echo one; sleep 600; echo never"),
        shell("echo never"),
    ]);
    let (_, open) = crashed(&fixture, &run, Silent::AfterLines(1)).await;
    let label = format!("shipway.deployment={}", run.deployment);
    let name = machine.containers(&label).await.remove(0);
    let name = name.trim_start_matches('/');
    machine.docker.kill_container(name, None).await.unwrap();

    let (resumed, after) = resume(&fixture, &run, Some(&open)).await;
    assert_eq!(resumed, Resumed::Lost);
    assert_eq!(after.heard(), []);
    assert_eq!(machine.containers(&label).await, Vec::<String>::new());
    machine.clean().await;
}

/// Some of the commands have a container of their own, and the one of the others
/// waits meanwhile.
#[tokio::test(flavor = "multi_thread")]
async fn a_command_with_a_container_of_its_own_is_resumed() {
    let Some(machine) = Machine::new("own").await else {
        return;
    };
    machine.write("enter", "#!/bin/sh\necho entered\nexec \"$@\"\n");
    let dockerfile = "FROM shipway-test/static:1\nCOPY enter /enter\nRUN chmod +x /enter\n\
         ENTRYPOINT [\"/enter\"]\n";
    let fixture = machine.fixture_from(dockerfile, "true").await;
    let keep = |script: &str| Command {
        entrypoint: Entrypoint::Keep,
        ..shell(script)
    };
    let run = fixture.command_run(vec![
        shell("echo kept > /file; echo zero"),
        keep("echo one; sleep 1; echo two"),
        shell("cat /file"),
        keep("exit 7"),
    ]);
    for at in [
        Silent::AfterStart(1),
        Silent::AfterLines(4),
        Silent::AfterLines(5),
    ] {
        let run = CommandRun {
            deployment: fixture.deployment(),
            ..run.clone()
        };
        let (before, open) = crashed(&fixture, &run, at).await;
        assert_eq!(open.index, 1);
        let (resumed, after) = resume(&fixture, &run, Some(&open)).await;
        assert_eq!(resumed, Resumed::Ended);
        let lines = [before.lines(Stream::Stdout), after.lines(Stream::Stdout)].concat();
        assert_eq!(lines, ["zero", "entered", "one", "two", "kept", "entered"]);
        assert_eq!(after.exits(), [OK, OK, Exit::Code { code: 7 }]);
        let label = format!("shipway.deployment={}", run.deployment);
        assert_eq!(machine.containers(&label).await, Vec::<String>::new());
    }
    machine.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_in_an_image_without_a_shell_is_resumed() {
    let Some(machine) = Machine::new("bare").await else {
        return;
    };
    let dockerfile = "FROM shipway-test/static:1 AS base\nFROM scratch\n\
         COPY --from=base /bin/busybox /tools/echo\nCOPY --from=base /bin/busybox /tools/seq\n\
         ENV PATH=/tools\n";
    let fixture = machine.fixture_from(dockerfile, "true").await;
    let run = fixture.command_run(vec![argv(&["seq", "1", "5000"]), argv(&["echo", "last"])]);
    let (before, open) = crashed(&fixture, &run, Silent::AfterLines(100)).await;
    let (resumed, after) = resume(&fixture, &run, Some(&open)).await;
    assert_eq!(resumed, Resumed::Ended);
    let lines = [before.lines(Stream::Stdout), after.lines(Stream::Stdout)].concat();
    let mut expected: Vec<String> = (1..=5000).map(|number| number.to_string()).collect();
    expected.push("last".to_owned());
    assert!(lines == expected, "{} lines", lines.len());
    assert_eq!(after.exits(), [OK, OK]);
    machine.runtime.clean_up(run.deployment).await.unwrap();
    machine.clean().await;
}
