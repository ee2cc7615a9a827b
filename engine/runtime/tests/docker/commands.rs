//! What only containers can do to release commands.

use std::time::{Duration, Instant};

use async_trait::async_trait;
use shipway_core::environment::Volume;
use shipway_core::journal::Exit;
use shipway_core::ports::runtime::{
    Command, CommandRun, CommandWatcher, Halt, ProbeRequest, Runtime,
};
use shipway_core::ports::{LineEnd, Stream};
use shipway_core::release::Entrypoint;
use tokio::sync::Semaphore;

use crate::conformance::recorder::{Recorder, record};
use crate::conformance::{argv, shell};
use crate::machine::{Machine, deployment};

const SHELL_LESS: &str = "FROM shipway-test/static:1 AS base\nFROM scratch\n\
     COPY --from=base /bin/busybox /tools/echo\nENV PATH=/tools\n";

#[tokio::test(flavor = "multi_thread")]
async fn an_image_without_a_shell_runs_lists_of_words() {
    let Some(machine) = Machine::new("shell-less").await else {
        return;
    };
    let fixture = machine.fixture_from(SHELL_LESS, "true").await;
    let run = fixture.command_run(vec![
        argv(&["echo", "one", "$TWO"]),
        argv(&["/tools/echo", "three"]),
        shell("echo never"),
    ]);
    let recorder = record(&*machine.runtime, &run).await;
    assert_eq!(recorder.lines(Stream::Stdout), ["one $TWO", "three"]);
    let ok = Exit::Code { code: 0 };
    assert_eq!(recorder.exits(), [ok, ok, Exit::NotStarted]);
    let said = recorder.lines(Stream::Stderr).join("\n");
    assert!(said.contains("no /bin/sh"), "{said}");

    let run = fixture.command_run(vec![argv(&["nothing"])]);
    let recorder = record(&*machine.runtime, &run).await;
    assert_eq!(recorder.exits(), [Exit::NotStarted]);

    let worker = fixture.process("worker", "echo", None);
    let request = crate::conformance::instances::request(&fixture, deployment(), worker, 1);
    let error = machine
        .runtime
        .start(&request)
        .await
        .unwrap_err()
        .to_string();
    assert!(error.contains("worker.1 needs /bin/sh"), "{error}");
    machine.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_entrypoint_is_kept_when_asked() {
    let Some(machine) = Machine::new("entrypoint").await else {
        return;
    };
    machine.write(
        "enter",
        "#!/bin/sh\necho \"entered with $*\"\nexec \"$@\"\n",
    );
    let dockerfile = "FROM shipway-test/static:1\nCOPY enter /enter\nRUN chmod +x /enter\n\
         ENTRYPOINT [\"/enter\"]\nCMD [\"sleep\", \"1\"]\n";
    let fixture = machine.fixture_from(dockerfile, "true").await;
    let keep = |command: Command| Command {
        entrypoint: Entrypoint::Keep,
        ..command
    };
    let run = fixture.command_run(vec![
        shell("echo first > /file; echo plain"),
        keep(argv(&["echo", "kept"])),
        keep(shell("exit 4 # five")),
        shell("echo never"),
    ]);
    let recorder = record(&*machine.runtime, &run).await;
    assert_eq!(
        recorder.lines(Stream::Stdout),
        [
            "plain",
            "entered with echo kept",
            "kept",
            "entered with /bin/sh -c exit 4 # five"
        ]
    );
    let ok = Exit::Code { code: 0 };
    assert_eq!(recorder.exits(), [ok, ok, Exit::Code { code: 4 }]);

    // One in a container of its own is bounded as well.
    let slow = Command {
        timeout: Duration::from_secs(1),
        ..keep(shell(
            "trap 'echo bye; exit' TERM; while :; do sleep 1; done",
        ))
    };
    let recorder = record(&*machine.runtime, &fixture.command_run(vec![slow])).await;
    assert_eq!(recorder.exits(), [Exit::TimedOut { after_seconds: 1 }]);
    machine.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sigterm_reaches_the_command_and_what_it_started() {
    let Some(machine) = Machine::new("term").await else {
        return;
    };
    let fixture = machine.fixture("true").await;
    let script = "sh -c 'trap \"echo saved; exit\" TERM; echo begun; while :; do sleep 0.1; done'; \
         echo \"inner $?\"";
    let recorder = Recorder::cancelling_on("begun");
    let began = Instant::now();
    let run = fixture.command_run(vec![shell(script)]);
    machine
        .runtime
        .run_commands(&run, recorder.clone())
        .await
        .unwrap();
    assert_eq!(recorder.exits(), [Exit::Cancelled]);
    assert!(
        recorder.lines(Stream::Stdout).contains(&"saved".into()),
        "{:?}",
        recorder.heard()
    );
    assert!(began.elapsed() < Duration::from_secs(9), "no need to kill");

    let deaf = Recorder::cancelling_on("deaf");
    let run = fixture.command_run(vec![shell(
        "trap '' TERM; echo deaf; while :; do sleep 1; done",
    )]);
    machine
        .runtime
        .run_commands(&run, deaf.clone())
        .await
        .unwrap();
    assert_eq!(deaf.exits(), [Exit::Cancelled]);
    assert_eq!(machine.containers(&label(&run)).await, Vec::<String>::new());
    machine.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_container_that_is_killed_ends_its_command() {
    let Some(machine) = Machine::new("killed").await else {
        return;
    };
    let fixture = machine.fixture("true").await;
    let run = fixture.command_run(vec![shell("echo begun; sleep 600"), shell("echo never")]);
    let recorder = Recorder::new();
    let running = {
        let (runtime, run, recorder) = (machine.runtime.clone(), run.clone(), recorder.clone());
        tokio::spawn(async move { runtime.run_commands(&run, recorder).await })
    };
    crate::conformance::eventually("the command began", || async {
        !recorder.lines(Stream::Stdout).is_empty()
    })
    .await;
    let name = machine.containers(&label(&run)).await.remove(0);
    let name = name.trim_start_matches('/');
    machine.docker.kill_container(name, None).await.unwrap();
    running.await.unwrap().unwrap();
    assert_eq!(recorder.exits(), [Exit::Signal { signal: 9 }]);

    let mut run = fixture.command_run(vec![shell("x=aaaaaaaa; while :; do x=$x$x$x$x; done")]);
    run.limits.memory_mib = Some(16);
    let recorder = record(&*machine.runtime, &run).await;
    assert!(
        matches!(
            recorder.exits()[..],
            [Exit::Code { code: 137 } | Exit::Signal { signal: 9 }]
        ),
        "{:?}",
        recorder.exits()
    );
    machine.clean().await;
}

/// Lets a command start only when a permit is given.
struct Gate {
    permits: Semaphore,
    recorder: std::sync::Arc<Recorder>,
}

#[async_trait]
impl CommandWatcher for Gate {
    async fn starting(&self, index: usize) -> Result<(), Halt> {
        self.permits.acquire().await.map_err(|_| Halt)?.forget();
        self.recorder.starting(index).await
    }

    async fn finished(&self, index: usize, exit: Exit, took: Duration) -> Result<(), Halt> {
        self.recorder.finished(index, exit, took).await
    }

    async fn output(&self, index: usize, stream: Stream, line: &str, end: LineEnd) {
        self.recorder.output(index, stream, line, end).await;
    }

    async fn cancelled(&self) {
        self.recorder.cancelled().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_command_starts_before_its_start_is_written_down() {
    let Some(machine) = Machine::new("gated").await else {
        return;
    };
    let fixture = machine.fixture("true").await;
    let mut run = fixture.command_run(vec![shell("touch /data/one"), shell("touch /data/two")]);
    run.volumes = vec![Volume {
        name: "shared".parse().unwrap(),
        path: "/data".into(),
    }];
    let gate = std::sync::Arc::new(Gate {
        permits: Semaphore::new(1),
        recorder: Recorder::new(),
    });
    let running = {
        let (runtime, run, gate) = (machine.runtime.clone(), run.clone(), gate.clone());
        tokio::spawn(async move { runtime.run_commands(&run, gate).await })
    };
    crate::conformance::eventually("the first has finished", || async {
        gate.recorder.exits().len() == 1
    })
    .await;
    // Another container sees the volume: only the first has run.
    let mut look = fixture.command_run(vec![shell("ls $SHIPWAY_VOLUME_SHARED")]);
    look.volumes = run.volumes.clone();
    let seen = record(&*machine.runtime, &look).await;
    assert_eq!(seen.lines(Stream::Stdout), ["one"]);

    gate.permits.add_permits(1);
    running.await.unwrap().unwrap();
    let seen = record(&*machine.runtime, &look).await;
    assert_eq!(seen.lines(Stream::Stdout), ["one", "two"]);
    machine.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn many_long_commands_arrive_byte_for_byte() {
    let Some(machine) = Machine::new("long").await else {
        return;
    };
    let fixture = machine.fixture("true").await;
    let tail = "printf '%s' '\\$`\"é'; printf \"\\n\"";
    let long = |length: usize| shell(&format!(": {}\n{tail}", "x".repeat(length)));
    for (count, length) in [(3, 60_000), (20, 60_000)] {
        let run = fixture.command_run(vec![long(length); count]);
        let recorder = record(&*machine.runtime, &run).await;
        assert_eq!(recorder.lines(Stream::Stdout), vec!["\\$`\"é"; count]);
    }
    machine.clean().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_probe_of_a_program_that_is_not_there() {
    let Some(machine) = Machine::new("probe").await else {
        return;
    };
    let fixture = machine.fixture("true").await;
    let request = ProbeRequest {
        deployment: deployment(),
        image: fixture.image.clone(),
        argv: vec!["nothing".into()],
        variables: Vec::new(),
        timeout: Duration::from_secs(20),
        limit: 1000,
    };
    let output = machine.runtime.probe(&request).await.unwrap();
    assert_eq!(output.exit_code, 127);
    let left = machine.containers("shipway.role=probe").await;
    let ours = |name: &String| name.contains(&request.deployment.0.simple().to_string()[20..]);
    assert!(!left.iter().any(ours), "{left:?}");
    machine.clean().await;
}

fn label(run: &CommandRun) -> String {
    format!("shipway.deployment={}", run.deployment)
}
