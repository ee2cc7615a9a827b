//! What a plugin could be instead: a program that is started for every call,
//! or a plugin of Extism's.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::measure::{self, Contender};

/// Starting a program and waiting for its end.
pub fn program(name: &str, argv: &'static [&'static str]) -> Contender {
    Contender::new(name, 10, move |calls| {
        measure::times(calls, || {
            let (program, arguments) = argv.split_first().context("no program")?;
            let ended = Command::new(program)
                .args(arguments)
                .stdin(Stdio::null())
                .status()?;
            ensure!(ended.success(), "{argv:?} failed");
            Ok(())
        })
    })
}

/// A program of its own makes these calls and measures them: its wasmtime is
/// another than ours.
pub fn extism(program: &Path) -> Result<Contender> {
    let child = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("could not start {}", program.display()))?;
    let mut child = Ended(child);
    let stdout = child.0.stdout.take().context("it has no output")?;
    let mut stdout = BufReader::new(stdout);
    Ok(Contender::new("extism", 50, move |calls| {
        let stdin = child.0.stdin.as_mut().context("it has no input")?;
        writeln!(stdin, "{calls}")?;
        stdin.flush()?;
        let mut line = String::new();
        stdout.read_line(&mut line)?;
        serde_json::from_str(&line).context("the Extism program answered something else")
    }))
}

/// A child that ends with its owner.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
