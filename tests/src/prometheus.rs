//! Debian's Prometheus, on loopback: its checks, and a server that scrapes an
//! engine and its proxy.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::api::{Answer, client};
use crate::machine;
use crate::numbers::Numbers;
use crate::parts;
use crate::ship::{Ship, free_address};
use crate::wait::{block, until, until_true};

const PATIENCE: Duration = Duration::from_secs(60);

/// Has `promtool` look at what was scraped: format, names, help.
#[track_caller]
pub fn check(numbers: &Numbers) -> Option<()> {
    let program = parts::program("promtool")?;
    let mut child = Command::new(program)
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool starts");
    let mut input = child.stdin.take().expect("its input");
    input
        .write_all(numbers.text().as_bytes())
        .expect("it reads");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].concat();
    let said = String::from_utf8_lossy(&said);
    assert!(
        output.status.success() && said.trim().is_empty(),
        "promtool: {said}"
    );
    Some(())
}

/// Has `promtool` look at a file of rules.
#[track_caller]
pub fn check_rules(file: &Path) -> Option<()> {
    let program = parts::program("promtool")?;
    let mut check = Command::new(program);
    let output = check.args(["check", "rules"]).arg(file).output();
    let output = output.expect("promtool starts");
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(())
}

#[derive(Debug)]
pub struct Prometheus {
    child: Child,
    address: SocketAddr,
    _folder: TempDir,
}

impl Prometheus {
    /// One that scrapes every second. None when the machine has no Prometheus.
    pub fn start(ship: &Ship, proxy: SocketAddr, rules: &Path) -> Option<Self> {
        let program = parts::program("prometheus")?;
        let folder = tempfile::Builder::new()
            .prefix("prometheus-")
            .tempdir()
            .expect("a folder");
        let address = free_address();
        fs::write(folder.path().join("token"), &ship.token).expect("the token");
        let config = format!(
            "global: {{scrape_interval: 1s, evaluation_interval: 1s}}\n\
             rule_files: ['{}']\n\
             scrape_configs:\n\
             - job_name: shipway\n  authorization: {{credentials_file: token}}\n  \
               static_configs: [{{targets: ['{}']}}]\n\
             - job_name: shipway-proxy\n  static_configs: [{{targets: ['{proxy}']}}]\n",
            rules.display(),
            ship.api_address(),
        );
        let file = folder.path().join("prometheus.yml");
        fs::write(&file, config).expect("its configuration");
        let log = fs::File::create(folder.path().join("log")).expect("its log");
        let child = Command::new(program)
            .arg("--config.file")
            .arg(&file)
            .arg("--storage.tsdb.path")
            .arg(folder.path().join("data"))
            .args(["--web.listen-address", &address.to_string()])
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("its log twice"))
            .stderr(log)
            .spawn()
            .expect("prometheus starts");
        let prometheus = Self {
            child,
            address,
            _folder: folder,
        };
        until_true("prometheus is ready", PATIENCE, || {
            prometheus
                .get("/-/ready", &[])
                .is_some_and(|it| it.status == 200)
        });
        Some(prometheus)
    }

    /// Waits until it has scraped both planes so many times.
    pub fn until_scraped(&self, times: u32) {
        let enough = format!("min(count_over_time(up[10m])) >= {times} and sum(up) == 2");
        until(&format!("{times} scrapes"), PATIENCE, || {
            Some(self.query(&enough)).filter(|found| !found.is_empty())
        });
    }

    /// What a query gives now.
    #[track_caller]
    pub fn query(&self, query: &str) -> Vec<Value> {
        let answer = self.get("/api/v1/query", &[("query", query)]);
        let answer = answer.expect("an answer of prometheus");
        assert_eq!(answer.status, 200, "{query}: {}", answer.text());
        let result = answer.json()["data"]["result"].clone();
        result.as_array().cloned().unwrap_or_default()
    }

    /// Its rules, as it has them, with what became of them.
    pub fn rules(&self) -> Vec<Value> {
        let answer = self.get("/api/v1/rules", &[]).expect("its rules").ok();
        let groups = answer["data"]["groups"].as_array().cloned();
        let groups = groups.unwrap_or_default().into_iter();
        groups
            .flat_map(|group| group["rules"].as_array().cloned().unwrap_or_default())
            .collect()
    }

    fn get(&self, path: &str, query: &[(&str, &str)]) -> Option<Answer> {
        let request = client()
            .get(format!("http://{}{path}", self.address))
            .query(query);
        block(async { Answer::read(request.send().await?).await }).ok()
    }
}

impl Drop for Prometheus {
    fn drop(&mut self) {
        machine::kill(self.child.id());
        let _ = self.child.wait();
    }
}
