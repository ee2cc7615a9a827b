//! One bounded command inside an instance.

use std::time::{Duration, Instant};

use shipway_core::environment::Volume;
use shipway_core::journal::Instance;
use shipway_core::ports::runtime::{
    ExecRequest, InstanceStatus, ProbeOutput, RuntimeError, StartRequest,
};

use super::instances::{answers, request};
use super::{Fixture, eventually, variables};

pub async fn every_case(fixture: &Fixture) {
    let inside = Inside::start(fixture).await;
    an_exec_gives_what_was_written(&inside).await;
    an_exec_gets_its_arguments_as_they_are(&inside).await;
    an_exec_of_a_program_that_is_not_there(&inside).await;
    an_exec_of_nothing(&inside).await;
    an_exec_keeps_to_its_limit(&inside).await;
    an_exec_ends_in_time_with_all_it_began(&inside).await;
    an_exec_that_nobody_waits_for_ends(&inside).await;
    what_an_exec_leaves_running_ends(&inside).await;
    inside.still_serves().await;
    an_exec_sees_what_the_app_sees(fixture).await;
    an_exec_in_an_instance_that_has_ended(fixture).await;
    an_exec_in_an_instance_that_is_gone(&inside).await;
}

/// A web instance that runs.
struct Inside<'a> {
    fixture: &'a Fixture,
    request: StartRequest,
    instance: Instance,
}

impl<'a> Inside<'a> {
    async fn start(fixture: &'a Fixture) -> Self {
        let request = request(fixture, fixture.deployment(), fixture.web_process(), 1);
        let instance = fixture.runtime.start(&request).await.unwrap();
        let inside = Self {
            fixture,
            request,
            instance,
        };
        inside.still_serves().await;
        inside
    }

    fn script(&self, script: &str) -> ExecRequest {
        exec(self.fixture, &self.request, &self.instance, script)
    }

    async fn run(&self, request: &ExecRequest) -> Result<ProbeOutput, RuntimeError> {
        self.fixture.runtime.exec(request).await
    }

    async fn stdout(&self, script: &str) -> String {
        let output = self.run(&self.script(script)).await.unwrap();
        assert_eq!(output.exit_code, 0, "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    async fn still_serves(&self) {
        let address = self.instance.address.unwrap();
        eventually("it answers", || answers(address)).await;
        let status = self.fixture.runtime.status(&self.instance).await.unwrap();
        assert!(matches!(status, InstanceStatus::Running(_)), "{status:?}");
    }

    /// Nothing writes to the file that [`BEAT`] writes to.
    async fn is_still(&self) {
        eventually("the beating ends", || async {
            let (before, after) = (
                self.stdout("wc -c < \"${TMPDIR:-/tmp}/beat\"; sleep 0.5")
                    .await,
                self.stdout("wc -c < \"${TMPDIR:-/tmp}/beat\"").await,
            );
            before == after
        })
        .await;
        self.stdout("rm \"${TMPDIR:-/tmp}/beat\"").await;
    }
}

/// Writes for ever, also while it should end.
const BEAT: &str = "(trap '' HUP; while :; do echo x >> \"${TMPDIR:-/tmp}/beat\"; sleep 0.1; done)";

pub fn exec(
    fixture: &Fixture,
    request: &StartRequest,
    instance: &Instance,
    script: &str,
) -> ExecRequest {
    ExecRequest {
        deployment: request.deployment,
        instance: instance.clone(),
        image: fixture.image.clone(),
        argv: vec!["/bin/sh".into(), "-c".into(), script.into()],
        variables: request.variables.clone(),
        timeout: Duration::from_secs(20),
        limit: 1000,
    }
}

async fn an_exec_gives_what_was_written(inside: &Inside<'_>) {
    let request = inside.script("cat; echo out; echo err >&2; printf 'a\\377b' >&2; exit 4");
    let output = inside.run(&request).await.unwrap();
    assert_eq!(output.exit_code, 4);
    assert_eq!(output.stdout, b"out\n");
    assert_eq!(output.stderr, b"err\na\xffb");
    assert!(!output.truncated);

    let killed = inside.run(&inside.script("kill -9 $$")).await.unwrap();
    assert_eq!(killed.exit_code, 137);
}

async fn an_exec_gets_its_arguments_as_they_are(inside: &Inside<'_>) {
    let words = ["echo", "$HOME", "two  words", "", "; ls", "a'b\"c\nd"];
    let request = ExecRequest {
        argv: words.map(str::to_owned).to_vec(),
        ..inside.script("")
    };
    let output = inside.run(&request).await.unwrap();
    assert_eq!(output.stdout, b"$HOME two  words  ; ls a'b\"c\nd\n");
}

async fn an_exec_of_a_program_that_is_not_there(inside: &Inside<'_>) {
    for program in ["no-such-program", "/no/such/program"] {
        let request = ExecRequest {
            argv: vec![program.into(), "--now".into()],
            ..inside.script("")
        };
        let output = inside.run(&request).await.unwrap();
        assert_eq!(output.exit_code, 127);
        assert_eq!(output.stdout, b"");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(program), "{said}");
    }
}

async fn an_exec_of_nothing(inside: &Inside<'_>) {
    let request = ExecRequest {
        argv: Vec::new(),
        ..inside.script("")
    };
    let error = inside.run(&request).await.unwrap_err();
    assert!(matches!(error, RuntimeError::Other { .. }), "{error}");
}

async fn an_exec_keeps_to_its_limit(inside: &Inside<'_>) {
    let script = "i=0; while [ $i -lt 20000 ]; do echo 0123456789; i=$((i+1)); done; exit 3";
    let output = inside.run(&inside.script(script)).await.unwrap();
    assert_eq!(output.exit_code, 3);
    assert_eq!(output.stdout.len(), 1000);
    assert!(output.stderr.is_empty() && output.truncated);
    let nothing = ExecRequest {
        limit: 0,
        ..inside.script("echo out; echo err >&2")
    };
    let output = inside.run(&nothing).await.unwrap();
    assert!(output.stdout.is_empty() && output.stderr.is_empty() && output.truncated);
}

async fn an_exec_ends_in_time_with_all_it_began(inside: &Inside<'_>) {
    let request = ExecRequest {
        timeout: Duration::from_secs(1),
        ..inside.script(&format!(
            "trap '' TERM; {BEAT} & echo begun; while :; do sleep 600; done"
        ))
    };
    let began = Instant::now();
    let error = inside.run(&request).await.unwrap_err();
    assert!(
        matches!(error, RuntimeError::Timeout { seconds: 1, .. }),
        "{error}"
    );
    assert!(began.elapsed() < Duration::from_secs(8));
    inside.is_still().await;
}

async fn an_exec_that_nobody_waits_for_ends(inside: &Inside<'_>) {
    let request = inside.script(&format!("{BEAT}; true"));
    let waiting = inside.run(&request);
    let given_up = tokio::time::timeout(Duration::from_secs(1), waiting).await;
    assert!(given_up.is_err());
    inside.is_still().await;
}

async fn what_an_exec_leaves_running_ends(inside: &Inside<'_>) {
    let began = Instant::now();
    let said = inside
        .stdout(&format!("{BEAT} & sleep 0.3; echo done"))
        .await;
    assert_eq!(said, "done\n");
    assert!(began.elapsed() < Duration::from_secs(10));
    inside.is_still().await;
}

/// Its variables, its folder, its home, its temporary files.
async fn an_exec_sees_what_the_app_sees(fixture: &Fixture) {
    let look = "pwd; env | grep -v -e ^_ -e ^PWD= -e ^OLDPWD= -e ^SHLVL= | sort";
    let tell = format!("({look}) > \"${{TMPDIR:-/tmp}}/seen\"; echo ready; sleep 600");
    let process = fixture.process("web", &tell, Some(fixture.port));
    let mut request = request(fixture, fixture.deployment(), process, 1);
    request.variables = variables(&[
        ("DATABASE_URL", "postgres://u:p@db/x"),
        ("ODD", "two words, 'quotes' \"more\" $HOME `id`"),
    ]);
    request.volumes = vec![Volume {
        name: "seen-by-exec".parse().unwrap(),
        path: "/data/seen".to_owned(),
    }];
    let instance = fixture.runtime.start(&request).await.unwrap();
    eventually("the app has looked", || async {
        let lines = fixture.runtime.last_lines(&instance, 1).await.unwrap();
        lines.first().is_some_and(|line| line == "ready")
    })
    .await;
    let ask = async |script: &str| {
        let exec = ExecRequest {
            limit: 100_000,
            ..exec(fixture, &request, &instance, script)
        };
        let output = fixture.runtime.exec(&exec).await.unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let app = ask("cat \"${TMPDIR:-/tmp}/seen\"").await;
    assert_eq!(ask(look).await, app);
    for name in [
        "DATABASE_URL=",
        "ODD=",
        "PORT=",
        "SHIPWAY_VOLUME_SEEN_BY_EXEC=",
    ] {
        assert!(app.contains(name), "{name}: {app}");
    }
    fixture.runtime.clean_up(request.deployment).await.unwrap();
}

async fn an_exec_in_an_instance_that_has_ended(fixture: &Fixture) {
    let process = fixture.process("worker", "exit 3", None);
    let request = request(fixture, fixture.deployment(), process, 1);
    let instance = fixture.runtime.start(&request).await.unwrap();
    eventually("it has ended", || async {
        let status = fixture.runtime.status(&instance).await.unwrap();
        matches!(status, InstanceStatus::Exited(_))
    })
    .await;
    let exec = exec(fixture, &request, &instance, "echo never");
    let error = fixture.runtime.exec(&exec).await.unwrap_err();
    assert!(error.to_string().contains("worker instance"), "{error}");
    fixture.runtime.clean_up(request.deployment).await.unwrap();
}

async fn an_exec_in_an_instance_that_is_gone(inside: &Inside<'_>) {
    let runtime = &inside.fixture.runtime;
    let request = inside.script("sleep 600");
    let during = async {
        // Long enough to be under way; if not, it is an error all the same.
        tokio::time::sleep(Duration::from_millis(500)).await;
        let stopped = runtime.stop(&inside.instance, Duration::from_secs(5)).await;
        stopped.unwrap();
    };
    let began = Instant::now();
    let (ended, ()) = tokio::join!(inside.run(&request), during);
    assert!(ended.is_err() || ended.is_ok_and(|output| output.exit_code != 0));
    assert!(began.elapsed() < Duration::from_secs(15));

    let error = inside.run(&request).await.unwrap_err();
    assert!(matches!(error, RuntimeError::Other { .. }), "{error}");
    assert!(error.to_string().contains("web instance"), "{error}");
    runtime.clean_up(inside.request.deployment).await.unwrap();
}
