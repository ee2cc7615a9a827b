//! The load: `wrk`, a closed loop over kept connections.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use super::config::HOST;
use crate::parts::WRK;
use crate::run;

/// More than wrk takes by itself, which is what it is told to.
const PATIENCE: Duration = Duration::from_secs(60);
const THREADS: &str = "2";
/// What wrk says at its end, for programs.
const SCRIPT: &str = r#"done = function(summary, latency, requests)
    local e = summary.errors
    io.write(string.format("MEASURED %d %d %d %d %d\n", summary.requests, summary.duration,
        latency:percentile(50), latency:percentile(99),
        e.connect + e.read + e.write + e.timeout + e.status))
end
"#;
const MARK: &str = "MEASURED ";

#[derive(Debug)]
pub struct Load {
    program: PathBuf,
    script: PathBuf,
}

/// What one run measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    pub requests: f64,
    pub per_second: f64,
    pub p50_ms: f64,
    pub p99_ms: f64,
    pub errors: f64,
}

impl Load {
    pub fn new(folder: &Path) -> Result<Self> {
        let script = folder.join("measure.lua");
        fs::write(&script, SCRIPT).with_context(|| format!("writing {}", script.display()))?;
        Ok(Self {
            program: WRK.find()?,
            script,
        })
    }

    pub fn run(
        &self,
        address: SocketAddr,
        path: &str,
        connections: u32,
        seconds: u32,
    ) -> Result<Sample> {
        let mut command = Command::new(&self.program);
        command
            .args(["--threads", THREADS])
            .args(["--connections", &connections.to_string()])
            .args(["--duration", &format!("{seconds}s")])
            .args(["--timeout", "10s"])
            .args(["--header", &format!("Host: {HOST}")])
            .arg("--script")
            .arg(&self.script)
            .arg(format!("http://{address}{path}"));
        let limit = PATIENCE + Duration::from_secs(u64::from(seconds));
        let said = run::output(&mut command, limit)?;
        read(&said).with_context(|| format!("wrk said {said:?}"))
    }

    /// The same, where no request may fail.
    pub fn run_without_error(
        &self,
        address: SocketAddr,
        path: &str,
        connections: u32,
        seconds: u32,
    ) -> Result<Sample> {
        let sample = self.run(address, path, connections, seconds)?;
        let (errors, all) = (sample.errors, sample.requests);
        ensure!(errors == 0.0, "{errors} of {all} requests failed");
        ensure!(all > 0.0, "no request was answered");
        Ok(sample)
    }
}

fn read(said: &str) -> Option<Sample> {
    let line = said.lines().find_map(|line| line.strip_prefix(MARK))?;
    let numbers: Option<Vec<f64>> = line.split(' ').map(|word| word.parse().ok()).collect();
    let [requests, micros, p50, p99, errors] = numbers?.try_into().ok()?;
    Some(Sample {
        requests,
        per_second: requests / micros * 1e6,
        p50_ms: p50 / 1e3,
        p99_ms: p99 / 1e3,
        errors,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_wrk_says_is_read() {
        let said = "Running 2s test\n...\nMEASURED 30000 2000000 4000 9000 0\n";
        let expected = Sample {
            requests: 30_000.0,
            per_second: 15_000.0,
            p50_ms: 4.0,
            p99_ms: 9.0,
            errors: 0.0,
        };
        assert_eq!(read(said), Some(expected));
        assert_eq!(read("unable to connect\n"), None);
    }
}
