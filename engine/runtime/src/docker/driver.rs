//! The shell scripts that run inside containers. They are constants: what a
//! user wrote reaches them as arguments, byte for byte, and is never quoted.
//!
//! They run on any POSIX shell (dash, busybox, bash are tested), all but one as
//! the container's first process, where a signal without a trap does nothing. A
//! SIGTERM is passed on to every process of the container, since a command may
//! be a shell with children, and all of them get the time to end. Their
//! variables begin with `_sw_`, lest they meet an exported one of the user's.

use std::time::Duration;

use shipway_core::release::Invocation;

/// What the scripts of a container's first process begin with. `kill -1` reaches
/// every process there is, so it is kept to a first process, whose namespace is
/// the container's.
const SIGNALS: &str = r#"
_sw_stopping=
[ $$ -ne 1 ] || trap '_sw_stopping=1; kill -TERM -1 2>/dev/null' TERM
_sw_wait() {
    while :; do
        wait "$1"; _sw_status=$?
        kill -0 "$1" 2>/dev/null || break
    done
    while [ -n "$_sw_stopping" ] && kill -0 -1 2>/dev/null; do
        sleep 0.1 2>/dev/null || sleep 1 || break
    done
}
"#;

/// Runs several commands, each after a line with nonce and index on its input,
/// and then says on both outputs how it ended. Arguments: the nonce, how many
/// seconds it waits for each line, then for each command the number of its words
/// and the words; a command of 0 words is run elsewhere. Other lines are passed
/// over, so that an engine that does not know whether the one before it has
/// written a line may write it again. The input's end is the end.
///
/// `read` has no time limit of its own in POSIX, hence the watchdog; without a
/// program `sleep` there is no limit. It is ended by a signal that this shell has
/// no trap for: in a child that has not yet put a trap of its parent's aside, the
/// signal would be lost.
const COMMANDS: &str = r#"
_sw_nonce=$1; _sw_patience=$2; shift 2; _sw_index=0
_sw_allowed() {
    trap 'exit 75' USR1
    (
        trap 'kill "$_sw_sleep"; exit' USR2
        sleep "$_sw_patience" & _sw_sleep=$!
        wait "$_sw_sleep" && kill -USR1 $$
    ) >/dev/null 2>&1 &
    _sw_watchdog=$!; _sw_go=
    until [ "$_sw_go" = "$_sw_nonce $_sw_index" ]; do
        read -r _sw_go || break
    done
    kill -USR2 "$_sw_watchdog" 2>/dev/null; wait "$_sw_watchdog" 2>/dev/null
    trap - USR1
    [ "$_sw_go" = "$_sw_nonce $_sw_index" ]
}
_sw_mark() {
    echo "$_sw_nonce $_sw_index $1"
    echo "$_sw_nonce $_sw_index $1" >&2
}
_sw_found() {
    case $1 in */*) [ -x "$1" ] && [ ! -d "$1" ]; return ;; esac
    _sw_ifs=$IFS; IFS=:; set -f
    for _sw_folder in $PATH; do
        [ -x "${_sw_folder:-.}/$1" ] && [ ! -d "${_sw_folder:-.}/$1" ] || continue
        IFS=$_sw_ifs; set +f; return 0
    done
    IFS=$_sw_ifs; set +f; return 1
}
_sw_run() {
    _sw_left=$1; _sw_rest=$(($# - 1 - _sw_left)); shift
    while [ "$_sw_left" -gt 0 ]; do
        set -- "$@" "$1"; shift; _sw_left=$((_sw_left - 1))
    done
    shift "$_sw_rest"
    exec "$@"
}
while [ $# -gt 0 ]; do
    if [ "$1" -gt 0 ]; then
        _sw_allowed || exit 0
        if _sw_found "$2"; then
            _sw_run "$@" </dev/null &
            _sw_wait $!
            _sw_mark "$_sw_status"
        else
            echo "$2: there is no such program in the image" >&2
            _sw_mark none
        fi
    fi
    _sw_index=$((_sw_index + 1)); shift $(($1 + 1))
done
"#;

/// Runs the command of a process type, `$1`.
const INSTANCE: &str = r#"
/bin/sh -c "$1" &
_sw_wait $!
exit "$_sw_status"
"#;

/// Runs a command in a running container: `$@`, in a session that the engine
/// has made for it. The input's end is the end of all of its group; what it
/// leaves running is told to end, too. No group but our own can have the number
/// of this shell, so nothing of the app's is ever signalled.
const WATCHED: &str = r#"
exec 3<&0 </dev/null
(read -r _sw_end <&3; kill -KILL -$$) >/dev/null 2>&1 &
_sw_watcher=$!
(exec "$@" 3<&-)
_sw_status=$?
kill -KILL "$_sw_watcher"; wait "$_sw_watcher" 2>/dev/null
trap '' TERM; kill -TERM -$$ 2>/dev/null
exit "$_sw_status"
"#;

/// How long the container of a run waits for the next command to be allowed.
/// Allowing takes a write to a store; what takes longer is an engine that is no
/// more, and another one that goes on with the run is there by then.
pub const PATIENCE: Duration = Duration::from_secs(600);

/// The exit code of a driver that has waited for longer than that.
pub const OUT_OF_PATIENCE: i32 = 75;

/// What the shell and its arguments may take together. The kernel's own limit
/// is 2 MiB on most machines, the environment included.
const MOST_BYTES: usize = 1024 * 1024;

/// The words of a container that runs these commands; `None` stands for one
/// that is run elsewhere. Nothing when they are too long for one container.
pub fn commands(
    nonce: &str,
    patience: Duration,
    commands: &[Option<&Invocation>],
) -> Option<Vec<String>> {
    let mut words = shell(&format!("{SIGNALS}{COMMANDS}"));
    words.push(nonce.to_owned());
    words.push(patience.as_secs().to_string());
    for command in commands {
        let argv = command.map(Invocation::argv).unwrap_or_default();
        words.push(argv.len().to_string());
        words.extend(argv);
    }
    let size: usize = words.iter().map(|word| word.len() + 1).sum();
    (size <= MOST_BYTES).then_some(words)
}

/// The words of a command that is ended with its input.
pub fn watched(argv: &[String]) -> Vec<String> {
    let mut words = shell(WATCHED);
    words.extend(argv.iter().cloned());
    words
}

/// The words of an instance whose process type has a command.
pub fn instance(command: &str) -> Vec<String> {
    let mut words = shell(&format!("{SIGNALS}{INSTANCE}"));
    words.push(command.to_owned());
    words
}

/// What lets the command with this index start. It begins with a line end, in
/// case an engine before us died within a line.
pub fn gate(nonce: &str, index: usize) -> String {
    format!("\n{nonce} {index}\n")
}

/// How a command ended, as its marker says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    Status(i64),
    /// Its program is not there.
    NotFound,
}

/// The index and the end that a marker tells. Nothing for one that is not
/// ours.
pub fn mark(text: &str) -> Option<(usize, Ended)> {
    let (index, status) = text.split_once(' ')?;
    let ended = match status {
        "none" => Ended::NotFound,
        status => Ended::Status(status.parse().ok()?),
    };
    Some((index.parse().ok()?, ended))
}

/// `$0` is what the shell calls itself in its own messages.
fn shell(script: &str) -> Vec<String> {
    vec![
        "/bin/sh".into(),
        "-c".into(),
        script.into(),
        "shipway".into(),
    ]
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};

    use super::*;

    /// Every shell of this machine that could be an image's `/bin/sh`.
    fn shells() -> Vec<Vec<&'static str>> {
        let candidates = [
            vec!["sh"],
            vec!["dash"],
            vec!["bash", "--posix"],
            vec!["busybox", "sh"],
        ];
        let works = |shell: &Vec<&str>| {
            let mut probe = Command::new(shell[0]);
            probe.args(&shell[1..]).args(["-c", "true"]);
            probe.status().is_ok_and(|status| status.success())
        };
        candidates.into_iter().filter(works).collect()
    }

    /// Runs the driver with all gates open. Gives both outputs.
    fn run(shell: &[&str], invocations: &[Invocation]) -> (String, String) {
        let all: Vec<Option<&Invocation>> = invocations.iter().map(Some).collect();
        let words = commands("NONCE", PATIENCE, &all).unwrap();
        let mut child = Command::new(shell[0])
            .args(&shell[1..])
            .args(&words[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let gates: String = (0..all.len()).map(|index| gate("NONCE", index)).collect();
        let mut input = child.stdin.take().unwrap();
        input.write_all(gates.as_bytes()).unwrap();
        drop(input);
        let output = child.wait_with_output().unwrap();
        (
            String::from_utf8(output.stdout).unwrap(),
            String::from_utf8(output.stderr).unwrap(),
        )
    }

    #[test]
    fn each_command_has_a_shell_of_its_own_and_a_marker() {
        let script = |text: &str| Invocation::Shell(text.into());
        let argv = |words: &[&str]| Invocation::Argv(words.iter().map(|&w| w.into()).collect());
        let commands = [
            script("A=1; printf '%s\\n' \"it's $A\" '\\n'; exit 0"),
            script("echo \"[$A]\"; cat; exit 3"),
            argv(&["printf", "%s|", "$HOME", "two  words", "", "a'b\"c\nd"]),
            argv(&["/no/such/program"]),
            argv(&["no-such-program"]),
            script("kill -9 $$"),
        ];
        for shell in shells() {
            let (stdout, stderr) = run(&shell, &commands);
            let expected = "it's 1\n\\n\nNONCE 0 0\n[]\nNONCE 1 3\n\
                 $HOME|two  words||a'b\"c\nd|NONCE 2 0\nNONCE 3 none\nNONCE 4 none\nNONCE 5 137\n";
            assert_eq!(stdout, expected, "{shell:?}");
            for index in 0..commands.len() {
                assert!(stderr.contains(&format!("NONCE {index} ")), "{shell:?}");
            }
            assert!(stderr.contains("no-such-program"), "{shell:?}: {stderr}");
        }
    }

    #[test]
    fn nothing_starts_without_its_gate() {
        for shell in shells() {
            let words = commands(
                "NONCE",
                PATIENCE,
                &[Some(&Invocation::Shell("echo no".into()))],
            )
            .unwrap();
            for input in ["", "NONCE 1\n", "OTHER 0\n"] {
                let mut child = Command::new(shell[0])
                    .args(&shell[1..])
                    .args(&words[1..])
                    .stdin(Stdio::piped())
                    .stdout(Stdio::piped())
                    .spawn()
                    .unwrap();
                let mut gate = child.stdin.take().unwrap();
                gate.write_all(input.as_bytes()).unwrap();
                drop(gate);
                let output = child.wait_with_output().unwrap();
                assert!(output.stdout.is_empty(), "{shell:?} {input:?}");
            }
        }
    }

    #[test]
    fn a_gate_that_was_written_twice_opens_once() {
        let commands: Vec<Invocation> = ["echo one", "echo two"]
            .map(|script| Invocation::Shell(script.into()))
            .into();
        for shell in shells() {
            let all: Vec<Option<&Invocation>> = commands.iter().map(Some).collect();
            let words = super::commands("NONCE", PATIENCE, &all).unwrap();
            let mut child = begin(&shell, &words);
            let mut input = child.stdin.take().unwrap();
            let gates = [gate("NONCE", 0), "NON".into(), gate("NONCE", 0)].concat();
            input.write_all(gates.as_bytes()).unwrap();
            drop(input);
            let output = child.wait_with_output().unwrap();
            let said = String::from_utf8(output.stdout).unwrap();
            assert_eq!(said, "one\nNONCE 0 0\n", "{shell:?}");
        }
    }

    #[test]
    fn a_gate_that_nobody_opens_is_not_waited_for_forever() {
        let command = Invocation::Shell("echo no".into());
        for shell in shells() {
            let patience = Duration::from_secs(1);
            let words = commands("NONCE", patience, &[Some(&command)]).unwrap();
            let mut child = begin(&shell, &words);
            // Held open: it is the time that ends it.
            let input = child.stdin.take().unwrap();
            let output = child.wait_with_output().unwrap();
            assert_eq!(output.status.code(), Some(OUT_OF_PATIENCE), "{shell:?}");
            assert!(output.stdout.is_empty(), "{shell:?}");
            drop(input);
        }
    }

    fn begin(shell: &[&str], words: &[String]) -> std::process::Child {
        Command::new(shell[0])
            .args(&shell[1..])
            .args(&words[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    #[test]
    fn variables_of_the_user_are_left_alone() {
        let env = Invocation::Argv(vec!["env".into()]);
        for shell in shells() {
            let (stdout, _) = run(&shell, std::slice::from_ref(&env));
            assert!(!stdout.contains("_sw_"), "{shell:?}: {stdout}");
        }
    }

    /// In a group of its own, as the engine would.
    fn begin_watched(shell: &[&str], argv: &[&str]) -> std::process::Child {
        let argv: Vec<String> = argv.iter().map(|&word| word.into()).collect();
        Command::new(shell[0])
            .args(&shell[1..])
            .args(&watched(&argv)[1..])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0)
            .spawn()
            .unwrap()
    }

    #[test]
    fn a_watched_command_is_itself() {
        let cases: [(&[&str], &str, i32); 5] = [
            (
                &["printf", "%s|", "two  words", "", "$HOME"],
                "two  words||$HOME|",
                0,
            ),
            (&["sh", "-c", "cat; env | grep _sw_"], "", 1),
            (&["sh", "-c", "sleep 600 & echo $?; exit 3"], "0\n", 3),
            (&["sh", "-c", "kill -9 $$"], "", 137),
            (&["no-such-program"], "", 127),
        ];
        for shell in shells() {
            for (argv, stdout, code) in cases {
                let mut child = begin_watched(&shell, argv);
                let _open = child.stdin.take();
                let output = child.wait_with_output().unwrap();
                let said = String::from_utf8(output.stdout).unwrap();
                assert_eq!(said, stdout, "{shell:?} {argv:?}");
                assert_eq!(output.status.code(), Some(code), "{shell:?} {argv:?}");
            }
        }
    }

    #[test]
    fn a_watched_command_ends_with_its_input() {
        for shell in shells() {
            let script = "trap '' TERM; (sleep 600; true) & echo begun; sleep 600; true";
            let mut child = begin_watched(&shell, &["sh", "-c", script]);
            let mut stdout = child.stdout.take().unwrap();
            let mut begun = [0; 6];
            stdout.read_exact(&mut begun).unwrap();
            drop(child.stdin.take());
            // Ends when nobody holds it open any more.
            let mut rest = String::new();
            stdout.read_to_string(&mut rest).unwrap();
            assert_eq!(rest, "", "{shell:?}");
            assert!(!child.wait().unwrap().success(), "{shell:?}");
        }
    }

    #[test]
    fn what_is_too_long_for_one_container_is_refused() {
        let long = Invocation::Shell("x".repeat(60_000));
        assert!(commands("N", PATIENCE, &[Some(&long); 10]).is_some());
        assert!(commands("N", PATIENCE, &[Some(&long); 20]).is_none());
    }

    #[test]
    fn markers_are_read() {
        assert_eq!(mark("2 137"), Some((2, Ended::Status(137))));
        assert_eq!(mark("0 none"), Some((0, Ended::NotFound)));
        assert_eq!(mark("x"), None);
        assert_eq!(mark("1 x"), None);
    }
}
