//! The command line, as a person or a script runs it.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use portable_pty::CommandBuilder;
use serde_json::Value;

use crate::parts;
use crate::terminal::Terminal;
use crate::wait::until;

/// Longer than any verb of a test takes.
const PATIENCE: Duration = Duration::from_secs(300);

#[derive(Debug, Clone)]
pub struct Cli {
    credentials: PathBuf,
    folder: PathBuf,
    variables: Vec<(String, String)>,
}

/// What a verb left.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
}

impl Cli {
    pub fn new(credentials: &Path, folder: &Path) -> Self {
        Self {
            credentials: credentials.to_owned(),
            folder: folder.to_owned(),
            variables: Vec::new(),
        }
    }

    /// The same with a variable in its environment.
    pub fn with_variable(&self, name: &str, value: &str) -> Self {
        let mut cli = self.clone();
        cli.variables.push((name.to_owned(), value.to_owned()));
        cli
    }

    /// The same from another working directory.
    pub fn in_folder(&self, folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            ..self.clone()
        }
    }

    pub fn run(&self, arguments: &[&str]) -> Ran {
        let mut child = Command::new(parts::shipway())
            .args(arguments)
            .current_dir(&self.folder)
            .env("SHIPWAY_CREDENTIALS", &self.credentials)
            .env_remove("SHIPWAY_CONTEXT")
            .env_remove("SHIPWAY_SERVER")
            .env_remove("SHIPWAY_TOKEN")
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("shipway starts");
        let stdout = child.stdout.take().map(drain);
        let stderr = child.stderr.take().map(drain);
        let what = format!("`shipway {}` ends", arguments.join(" "));
        let status = until(&what, PATIENCE, || child.try_wait().expect("its status"));
        let text = |thread: Option<std::thread::JoinHandle<String>>| {
            thread
                .map(|thread| thread.join().expect("its output"))
                .unwrap_or_default()
        };
        Ran {
            code: status.code().unwrap_or(-1),
            stdout: text(stdout),
            stderr: text(stderr),
        }
    }

    /// A verb that a person runs at a terminal.
    pub fn at_terminal(&self, arguments: &[&str]) -> Terminal {
        let mut command = CommandBuilder::new(parts::shipway());
        command.args(arguments);
        command.cwd(&self.folder);
        for name in ["SHIPWAY_CONTEXT", "SHIPWAY_SERVER", "SHIPWAY_TOKEN", "CI"] {
            command.env_remove(name);
        }
        command.env("SHIPWAY_CREDENTIALS", &self.credentials);
        command.env("TERM", "xterm-256color");
        for (name, value) in &self.variables {
            command.env(name, value);
        }
        Terminal::run(command)
    }

    /// A verb that must go well.
    #[track_caller]
    pub fn ok(&self, arguments: &[&str]) -> Ran {
        let ran = self.run(arguments);
        assert_eq!(ran.code, 0, "shipway {}: {ran:#?}", arguments.join(" "));
        ran
    }

    /// The answer of a verb as JSON.
    #[track_caller]
    pub fn json(&self, arguments: &[&str]) -> Value {
        let ran = self.ok(arguments);
        serde_json::from_str(&ran.stdout)
            .unwrap_or_else(|error| panic!("shipway {}: {error}: {ran:#?}", arguments.join(" ")))
    }
}

fn drain(mut from: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = Vec::new();
        let _ = from.read_to_end(&mut text);
        String::from_utf8_lossy(&text).into_owned()
    })
}
