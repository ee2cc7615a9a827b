//! An engine that dies in the middle of a run, and the next one that goes on.
//!
//! The dying is a dropped future and a dropped runtime; adapters kill a real
//! process in tests of their own. Whatever the dead one was told counts as
//! stored.

use std::sync::Arc;
use std::time::{Duration, Instant};

use shipway_core::environment::Volume;
use shipway_core::journal::Exit;
use shipway_core::ports::Stream;
use shipway_core::ports::runtime::{Command, CommandRun, OpenCommand, Resumed};

use super::recorder::{Heard, Recorder, Silent, record};
use super::{Fixture, argv, shell};

const OK: Exit = Exit::Code { code: 0 };
const MOMENT: Duration = Duration::from_millis(10);

pub async fn every_case(fixture: &Fixture) {
    a_command_goes_on_without_its_engine(fixture).await;
    a_command_that_ended_unobserved_is_not_run_again(fixture).await;
    a_run_between_two_commands_is_taken_up(fixture).await;
    a_command_that_had_not_begun_begins_once(fixture).await;
    a_run_that_is_gone_is_lost(fixture).await;
    no_line_is_lost_or_repeated(fixture).await;
    a_time_limit_goes_on(fixture).await;
    a_command_can_be_cancelled_after_it(fixture).await;
    commands_that_ran_are_left_out(fixture).await;
    runs_are_told_apart_by_their_names(fixture).await;
    what_is_slow_to_listen_loses_nothing(fixture).await;
}

/// Runs until the recorder falls silent, and drops all that knew of it.
pub async fn crash(fixture: &Fixture, run: &CommandRun, at: Silent) -> Arc<Recorder> {
    let recorder = Recorder::silent(at);
    let runtime = (fixture.another)();
    let task = {
        let (run, recorder) = (run.clone(), recorder.clone());
        tokio::spawn(async move { runtime.run_commands(&run, recorder).await })
    };
    recorder.has_fallen_silent().await;
    task.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    recorder
}

pub async fn resume(
    fixture: &Fixture,
    run: &CommandRun,
    open: Option<&OpenCommand>,
) -> (Resumed, Arc<Recorder>) {
    let recorder = Recorder::new();
    let next = (fixture.another)();
    let resumed = next.resume_commands(run, open, recorder.clone()).await;
    (resumed.unwrap(), recorder)
}

/// By which a test and its commands tell each other how far they are.
fn shared(name: &str) -> Vec<Volume> {
    vec![Volume {
        name: name.parse().unwrap(),
        path: format!("/data/{name}"),
    }]
}

/// Another run on the same volumes.
async fn beside(fixture: &Fixture, run: &CommandRun, script: &str) {
    let mut beside = fixture.command_run(vec![shell(script)]);
    beside.volumes = run.volumes.clone();
    let recorder = record(&*fixture.runtime, &beside).await;
    assert_eq!(recorder.exits(), [OK]);
}

pub async fn a_command_goes_on_without_its_engine(fixture: &Fixture) {
    let volume = "$SHIPWAY_VOLUME_GOES_ON";
    let mut run = fixture.command_run(vec![
        shell(&format!(
            "echo one; echo first >&2; while [ ! -e {volume}/go ]; do sleep 0.1; done; echo two"
        )),
        shell("echo three; exit 3"),
        shell("echo never"),
    ]);
    run.volumes = shared("goes-on");
    let before = crash(fixture, &run, Silent::AfterLines(2)).await;
    let open = before.open(MOMENT).unwrap();
    beside(fixture, &run, &format!("touch {volume}/go")).await;
    let (resumed, after) = resume(fixture, &run, Some(&open)).await;
    assert_eq!(resumed, Resumed::Ended);
    let out = [before.lines(Stream::Stdout), after.lines(Stream::Stdout)].concat();
    assert_eq!(out, ["one", "two", "three"]);
    let err = [before.lines(Stream::Stderr), after.lines(Stream::Stderr)].concat();
    assert_eq!(err, ["first"]);
    assert_eq!(after.exits(), [OK, Exit::Code { code: 3 }]);
    assert!(!after.heard().contains(&Heard::Starting(0)));
    assert!(after.heard().contains(&Heard::Starting(1)));
    assert!(!after.heard().contains(&Heard::Starting(2)));
    assert_lost(fixture, &run).await;
}

/// Its time limit, which has passed by then, is none of its business any more.
pub async fn a_command_that_ended_unobserved_is_not_run_again(fixture: &Fixture) {
    let volume = "$SHIPWAY_VOLUME_UNOBSERVED";
    let mut run = fixture.command_run(vec![
        shell("echo zero"),
        shell(&format!(
            "echo one; echo ran >> {volume}/ran; sleep 1; echo two; printf three; touch {volume}/done"
        )),
        shell(&format!("cat {volume}/ran")),
    ]);
    run.volumes = shared("unobserved");
    let before = crash(fixture, &run, Silent::AfterLines(4)).await;
    let open = before.open(Duration::from_secs(3600)).unwrap();
    assert_eq!((open.index, open.stdout), (1, 1));
    beside(
        fixture,
        &run,
        &format!("while [ ! -e {volume}/done ]; do sleep 0.1; done"),
    )
    .await;
    let (resumed, after) = resume(fixture, &run, Some(&open)).await;
    assert_eq!(resumed, Resumed::Ended);
    assert_eq!(after.lines(Stream::Stdout), ["two", "three", "ran"]);
    assert_eq!(after.exits(), [OK, OK]);
}

pub async fn a_run_between_two_commands_is_taken_up(fixture: &Fixture) {
    let mut run = fixture.command_run(vec![
        shell("echo one; echo kept > \"${TMPDIR:-/tmp}/file\""),
        shell("cat \"${TMPDIR:-/tmp}/file\""),
        shell("echo three"),
    ]);
    let before = crash(fixture, &run, Silent::BeforeStart(1)).await;
    assert_eq!(before.open(MOMENT), None);
    run.from = 1;
    let (resumed, after) = resume(fixture, &run, None).await;
    assert_eq!(resumed, Resumed::Ended);
    assert_eq!(after.lines(Stream::Stdout), ["kept", "three"]);
    assert_eq!(after.exits(), [OK, OK]);
    assert!(after.heard().contains(&Heard::Starting(1)));
    assert_lost(fixture, &run).await;
}

/// Its start was written down, and then the engine died.
pub async fn a_command_that_had_not_begun_begins_once(fixture: &Fixture) {
    let run = fixture.command_run(vec![shell("echo one"), shell("echo two")]);
    for index in [0, 1] {
        let run = CommandRun {
            deployment: fixture.deployment(),
            ..run.clone()
        };
        let before = crash(fixture, &run, Silent::AfterStart(index)).await;
        let open = before.open(MOMENT).unwrap();
        assert_eq!(open.index, index);
        let (resumed, after) = resume(fixture, &run, Some(&open)).await;
        assert_eq!(resumed, Resumed::Ended, "{index}");
        let lines = [before.lines(Stream::Stdout), after.lines(Stream::Stdout)].concat();
        assert_eq!(lines, ["one", "two"]);
        assert_eq!(after.exits().len(), 2 - index);
    }
}

pub async fn a_run_that_is_gone_is_lost(fixture: &Fixture) {
    let run = fixture.command_run(vec![shell("echo one; sleep 600"), shell("echo never")]);
    let before = crash(fixture, &run, Silent::AfterLines(1)).await;
    let open = before.open(MOMENT).unwrap();
    fixture.runtime.clean_up(run.deployment).await.unwrap();
    let (resumed, after) = resume(fixture, &run, Some(&open)).await;
    assert_eq!(resumed, Resumed::Lost);
    assert_eq!(after.heard(), []);
    assert_lost(fixture, &run).await;
}

async fn assert_lost(fixture: &Fixture, run: &CommandRun) {
    let (resumed, recorder) = resume(fixture, run, None).await;
    assert_eq!(resumed, Resumed::Lost);
    assert_eq!(recorder.heard(), []);
}

/// Long lines, lines without an end and bytes that are no text among them.
pub async fn no_line_is_lost_or_repeated(fixture: &Fixture) {
    let script = "printf 'a\\377\\303b\\n'; printf '%016384d\\n%040000d\\n\\n' 1 2; \
         i=0; while [ $i -lt 3000 ]; do printf '\\303\\251 and \\342\\202'; i=$((i+1)); done; echo; \
         i=0; while [ $i -lt 100000 ]; do echo \"line $i\"; \
         [ $((i % 10)) -gt 0 ] || echo \"other $i\" >&2; i=$((i+1)); done; printf end";
    let whole = record(
        &*fixture.runtime,
        &fixture.command_run(vec![shell(script), shell("echo more")]),
    )
    .await;
    let expected = [Stream::Stdout, Stream::Stderr].map(|stream| whole.lines(stream));
    assert!(expected[0].len() > 100_003, "{}", expected[0].len());
    assert_eq!(expected[1].len(), 10_000);
    for lines in [1, 2, 40_000] {
        let run = fixture.command_run(vec![shell(script), shell("echo more")]);
        let before = crash(fixture, &run, Silent::AfterLines(lines)).await;
        let open = before.open(MOMENT).unwrap();
        let (resumed, after) = resume(fixture, &run, Some(&open)).await;
        assert_eq!(resumed, Resumed::Ended);
        for (stream, expected) in [Stream::Stdout, Stream::Stderr].into_iter().zip(&expected) {
            let all = [before.lines(stream), after.lines(stream)].concat();
            let same = all.iter().zip(expected).take_while(|(a, b)| a == b).count();
            assert_eq!(
                (same, all.len()),
                (expected.len(), expected.len()),
                "{stream:?}"
            );
        }
    }
}

pub async fn a_time_limit_goes_on(fixture: &Fixture) {
    let command = Command {
        timeout: Duration::from_secs(3),
        ..shell("echo begun; sleep 600; echo never")
    };
    let run = fixture.command_run(vec![command, shell("echo never")]);
    let before = crash(fixture, &run, Silent::AfterLines(1)).await;
    let open = before.open(Duration::from_secs(2)).unwrap();
    let began = Instant::now();
    let (resumed, after) = resume(fixture, &run, Some(&open)).await;
    assert_eq!(resumed, Resumed::Ended);
    assert_eq!(after.exits(), [Exit::TimedOut { after_seconds: 3 }]);
    assert_eq!(after.lines(Stream::Stdout), [""; 0]);
    assert!(began.elapsed() < Duration::from_secs(30));
}

pub async fn a_command_can_be_cancelled_after_it(fixture: &Fixture) {
    let volume = "$SHIPWAY_VOLUME_CANCEL";
    let mut run = fixture.command_run(vec![
        shell(&format!(
            "echo one; while [ ! -e {volume}/go ]; do sleep 0.1; done; echo begun; sleep 600"
        )),
        shell("echo never"),
    ]);
    run.volumes = shared("cancel");
    let before = crash(fixture, &run, Silent::AfterLines(1)).await;
    let open = before.open(MOMENT).unwrap();
    beside(fixture, &run, &format!("touch {volume}/go")).await;
    let began = Instant::now();
    let recorder = Recorder::cancelling_on("begun");
    let next = (fixture.another)();
    let resumed = next.resume_commands(&run, Some(&open), recorder.clone());
    assert_eq!(resumed.await.unwrap(), Resumed::Ended);
    assert_eq!(recorder.exits(), [Exit::Cancelled]);
    assert_eq!(recorder.lines(Stream::Stdout), ["begun"]);
    assert!(began.elapsed() < Duration::from_secs(30));
}

pub async fn commands_that_ran_are_left_out(fixture: &Fixture) {
    let mut run = fixture.command_run(vec![
        shell("echo never"),
        argv(&["echo", "never"]),
        shell("echo two"),
        shell("echo three"),
    ]);
    run.from = 2;
    let recorder = record(&*fixture.runtime, &run).await;
    assert_eq!(recorder.lines(Stream::Stdout), ["two", "three"]);
    assert_eq!(recorder.heard().first(), Some(&Heard::Starting(2)));
    run.from = 4;
    let recorder = record(&*fixture.runtime, &run).await;
    assert_eq!(recorder.heard(), []);
}

pub async fn runs_are_told_apart_by_their_names(fixture: &Fixture) {
    let run = fixture.command_run(vec![shell("echo one; sleep 600")]);
    let before = crash(fixture, &run, Silent::AfterLines(1)).await;
    let other = CommandRun {
        name: "undo-1".parse().unwrap(),
        commands: vec![shell("echo undone")],
        ..run.clone()
    };
    let (resumed, _) = resume(fixture, &other, None).await;
    assert_eq!(resumed, Resumed::Lost);
    let recorder = record(&*fixture.runtime, &other).await;
    assert_eq!(recorder.lines(Stream::Stdout), ["undone"]);

    // The first is at work still.
    let mut open = before.open(MOMENT).unwrap();
    open.stdout = 0;
    let recorder = Recorder::cancelling_on("one");
    let next = (fixture.another)();
    let resumed = next.resume_commands(&run, Some(&open), recorder.clone());
    assert_eq!(resumed.await.unwrap(), Resumed::Ended);
    assert_eq!(recorder.exits(), [Exit::Cancelled]);
}

/// A log that takes no more holds the command back, or keeps it elsewhere; a
/// cancel still reaches the command.
pub async fn what_is_slow_to_listen_loses_nothing(fixture: &Fixture) {
    let script = "i=0; while [ $i -lt 20000 ]; do echo \"a line that is a little longer $i\"; \
         i=$((i+1)); done; echo last";
    let run = fixture.command_run(vec![shell(script)]);
    let recorder = Recorder::slow();
    let runtime = fixture.runtime.clone();
    runtime.run_commands(&run, recorder.clone()).await.unwrap();
    let lines = recorder.lines(Stream::Stdout);
    assert_eq!(lines.len(), 20_001);
    assert_eq!(lines.last().unwrap(), "last");
    assert_eq!(recorder.exits(), [OK]);
}
