//! One container, many commands.

use std::time::{Duration, Instant};

use shipway_core::environment::Volume;
use shipway_core::journal::Exit;
use shipway_core::ports::Stream;
use shipway_core::ports::runtime::{Command, CommandRun};

use super::instances::request;
use super::recorder::{Heard, Recorder, record};
use super::{Fixture, argv, eventually, shell, variables};

pub async fn every_case(fixture: &Fixture) {
    an_exit_in_one_command_does_not_end_the_next(fixture).await;
    commands_share_files_and_nothing_else(fixture).await;
    a_failing_command_stops_the_run(fixture).await;
    a_program_that_is_not_there(fixture).await;
    a_command_that_is_killed(fixture).await;
    a_command_that_never_ends(fixture).await;
    a_run_that_is_cancelled(fixture).await;
    a_run_that_is_halted(fixture).await;
    outputs_are_told_apart(fixture).await;
    long_lines_and_strange_bytes(fixture).await;
    variables_are_exact(fixture).await;
    arguments_arrive_as_they_are(fixture).await;
    what_it_leaves_running_is_killed(fixture).await;
    a_volume_outlives_the_run(fixture).await;
    a_run_that_is_begun_again_ends_the_old_one(fixture).await;
}

pub async fn an_exit_in_one_command_does_not_end_the_next(fixture: &Fixture) {
    let run = fixture.command_run(vec![shell("echo a; exit 0"), shell("echo b")]);
    let recorder = record(&*fixture.runtime, &run).await;
    assert_eq!(
        recorder.heard(),
        [
            Heard::Starting(0),
            Heard::Line(0, Stream::Stdout, "a".into()),
            Heard::Finished(0, Exit::Code { code: 0 }),
            Heard::Starting(1),
            Heard::Line(1, Stream::Stdout, "b".into()),
            Heard::Finished(1, Exit::Code { code: 0 }),
        ]
    );
}

pub async fn commands_share_files_and_nothing_else(fixture: &Fixture) {
    let run = fixture.command_run(vec![
        shell("echo kept > \"${TMPDIR:-/tmp}/file\"; cd /; GONE=1; export GONE"),
        shell("cat \"${TMPDIR:-/tmp}/file\"; echo \"[${GONE:-}]\"; test \"$PWD\" != /"),
    ]);
    let recorder = record(&*fixture.runtime, &run).await;
    assert_eq!(recorder.lines(Stream::Stdout), ["kept", "[]"]);

    let next = fixture.command_run(vec![shell("test ! -e \"${TMPDIR:-/tmp}/file\"")]);
    let recorder = record(&*fixture.runtime, &next).await;
    assert_eq!(recorder.exits(), [Exit::Code { code: 0 }], "discarded");
}

pub async fn a_failing_command_stops_the_run(fixture: &Fixture) {
    let run = fixture.command_run(vec![shell("true"), shell("exit 3"), shell("echo never")]);
    let recorder = record(&*fixture.runtime, &run).await;
    assert_eq!(
        recorder.exits(),
        [Exit::Code { code: 0 }, Exit::Code { code: 3 }]
    );
    assert!(!recorder.heard().contains(&Heard::Starting(2)));
}

pub async fn a_program_that_is_not_there(fixture: &Fixture) {
    let run = fixture.command_run(vec![shell("no-such-program --now")]);
    let recorder = record(&*fixture.runtime, &run).await;
    assert_eq!(recorder.exits(), [Exit::Code { code: 127 }]);
    let said = recorder.lines(Stream::Stderr).join("\n");
    assert!(said.contains("no-such-program"), "{said}");

    let run = fixture.command_run(vec![argv(&["no-such-program"]), shell("echo never")]);
    let recorder = record(&*fixture.runtime, &run).await;
    assert!(
        matches!(
            recorder.exits()[..],
            [Exit::NotStarted | Exit::Code { code: 127 }]
        ),
        "{:?}",
        recorder.exits()
    );
}

pub async fn a_command_that_is_killed(fixture: &Fixture) {
    let run = fixture.command_run(vec![shell("kill -9 $$")]);
    let recorder = record(&*fixture.runtime, &run).await;
    assert!(
        matches!(
            recorder.exits()[..],
            [Exit::Signal { signal: 9 } | Exit::Code { code: 137 }]
        ),
        "{:?}",
        recorder.exits()
    );
}

pub async fn a_command_that_never_ends(fixture: &Fixture) {
    let command = Command {
        timeout: Duration::from_secs(1),
        ..shell("echo begun; sleep 600; echo never")
    };
    let run = fixture.command_run(vec![command, shell("echo never")]);
    let began = Instant::now();
    let recorder = record(&*fixture.runtime, &run).await;
    assert_eq!(recorder.exits(), [Exit::TimedOut { after_seconds: 1 }]);
    assert_eq!(recorder.lines(Stream::Stdout), ["begun"]);
    assert!(began.elapsed() < Duration::from_secs(30));
}

pub async fn a_run_that_is_cancelled(fixture: &Fixture) {
    let recorder = Recorder::cancelling_on("begun");
    let run = fixture.command_run(vec![shell("echo begun; sleep 600"), shell("echo never")]);
    let began = Instant::now();
    fixture
        .runtime
        .run_commands(&run, recorder.clone())
        .await
        .unwrap();
    assert_eq!(recorder.exits(), [Exit::Cancelled]);
    assert!(!recorder.heard().contains(&Heard::Starting(1)));
    assert!(began.elapsed() < Duration::from_secs(30));
}

pub async fn a_run_that_is_halted(fixture: &Fixture) {
    let recorder = Recorder::halting_at(1);
    let run = fixture.command_run(vec![shell("echo one"), shell("echo never")]);
    fixture
        .runtime
        .run_commands(&run, recorder.clone())
        .await
        .unwrap();
    assert_eq!(recorder.exits(), [Exit::Code { code: 0 }]);
    assert_eq!(recorder.lines(Stream::Stdout), ["one"]);
}

pub async fn outputs_are_told_apart(fixture: &Fixture) {
    let run = fixture.command_run(vec![shell(
        "echo out; echo err >&2; printf 'no end'; printf 'crlf\\r\\n' >&2",
    )]);
    let recorder = record(&*fixture.runtime, &run).await;
    assert_eq!(recorder.lines(Stream::Stdout), ["out", "no end"]);
    assert_eq!(recorder.lines(Stream::Stderr), ["err", "crlf"]);
}

pub async fn long_lines_and_strange_bytes(fixture: &Fixture) {
    let run = fixture.command_run(vec![
        shell("i=0; while [ $i -lt 5000 ]; do printf 'ten bytes '; i=$((i+1)); done; echo"),
        shell("printf 'a\\377b\\n'"),
    ]);
    let recorder = record(&*fixture.runtime, &run).await;
    let lines = recorder.lines(Stream::Stdout);
    let (strange, long) = lines.split_last().unwrap();
    assert_eq!(strange, "a\u{fffd}b");
    assert!(long.len() > 1 && long.iter().all(|line| line.len() <= 16 * 1024));
    assert_eq!(long.concat(), "ten bytes ".repeat(5000));
}

/// The image's own variables, those that were given, `PORT`, and nothing of
/// the engine's.
pub async fn variables_are_exact(fixture: &Fixture) {
    let mut run = fixture.command_run(vec![shell("env")]);
    run.variables = variables(&[
        ("DATABASE_URL", "postgres://u:p@db/x"),
        ("ODD", "two words, 'quotes' \"more\" $HOME `id`"),
        ("LANG", "de_CH.UTF-8"),
    ]);
    let recorder = record(&*fixture.runtime, &run).await;
    let lines = recorder.lines(Stream::Stdout);
    for expected in [
        "DATABASE_URL=postgres://u:p@db/x",
        "ODD=two words, 'quotes' \"more\" $HOME `id`",
        "LANG=de_CH.UTF-8",
        &format!("PORT={}", fixture.port),
    ] {
        assert!(
            lines.iter().any(|line| line == expected),
            "{expected}: {lines:?}"
        );
    }
    let leaked = lines.iter().find(|line| line.starts_with("CARGO_"));
    assert_eq!(leaked, None, "the engine's own variables stay with it");
}

pub async fn arguments_arrive_as_they_are(fixture: &Fixture) {
    let run = fixture.command_run(vec![argv(&["echo", "$HOME", "two  words", "; ls"])]);
    let recorder = record(&*fixture.runtime, &run).await;
    assert_eq!(recorder.lines(Stream::Stdout), ["$HOME two  words ; ls"]);
}

/// A command that leaves something in the background is over when its shell
/// is, and what it left goes with the run.
pub async fn what_it_leaves_running_is_killed(fixture: &Fixture) {
    let run = fixture.command_run(vec![shell("sleep 600 & echo done")]);
    let began = Instant::now();
    let recorder = record(&*fixture.runtime, &run).await;
    assert_eq!(recorder.exits(), [Exit::Code { code: 0 }]);
    assert_eq!(recorder.lines(Stream::Stdout), ["done"]);
    assert!(began.elapsed() < Duration::from_secs(30));
}

/// The instances of the environment see the same.
pub async fn a_volume_outlives_the_run(fixture: &Fixture) {
    let volumes = vec![Volume {
        name: "user-media".parse().unwrap(),
        path: "/data/media".to_owned(),
    }];
    let mut write = fixture.command_run(vec![shell("echo kept > $SHIPWAY_VOLUME_USER_MEDIA/file")]);
    write.volumes = volumes.clone();
    let recorder = record(&*fixture.runtime, &write).await;
    assert_eq!(recorder.exits(), [Exit::Code { code: 0 }]);

    let read = "cat $SHIPWAY_VOLUME_USER_MEDIA/file; rm $SHIPWAY_VOLUME_USER_MEDIA/file";
    let process = fixture.process("worker", &format!("{read}; sleep 600"), None);
    let mut request = request(fixture, fixture.deployment(), process, 1);
    request.volumes = volumes;
    let instance = fixture.runtime.start(&request).await.unwrap();
    eventually("the file is read", || async {
        let lines = fixture.runtime.last_lines(&instance, 1).await.unwrap();
        lines.first().is_some_and(|line| line == "kept")
    })
    .await;
    fixture.runtime.clean_up(request.deployment).await.unwrap();
}

/// An engine that lost its lease left its run at work; the next one ends it
/// first, and what the old one does then leaves the new run alone.
pub async fn a_run_that_is_begun_again_ends_the_old_one(fixture: &Fixture) {
    let run = fixture.command_run(vec![shell("echo begun; sleep 600")]);
    let old = Recorder::new();
    let running = {
        let (runtime, run, old) = (fixture.runtime.clone(), run.clone(), old.clone());
        tokio::spawn(async move { runtime.run_commands(&run, old).await })
    };
    eventually("the command began", || async {
        !old.lines(Stream::Stdout).is_empty()
    })
    .await;

    let again = CommandRun {
        commands: vec![shell("echo again; sleep 2"), shell("echo more")],
        ..run
    };
    let recorder = record(&*(fixture.another)(), &again).await;
    assert_eq!(recorder.lines(Stream::Stdout), ["again", "more"]);
    let ended = tokio::time::timeout(Duration::from_secs(20), running).await;
    let _ended_badly = ended.expect("the old run ends").unwrap();
}
