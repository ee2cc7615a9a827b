//! A Shipway of our own: engine and proxy on free ports, all they keep in one
//! folder, and nothing left of them afterwards.

use std::ffi::OsString;
use std::fs;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::http::{Client, Request};
use crate::run;

const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(15);
/// A Unix socket's path has 108 bytes, and the engine puts sockets below its
/// state directory.
const LONGEST_FOLDER: usize = 60;

#[derive(Debug)]
pub struct Stage {
    program: PathBuf,
    folder: PathBuf,
    /// Where the API answers.
    pub api: SocketAddr,
    /// Where the apps answer.
    pub proxy: SocketAddr,
    serve: Option<Child>,
}

impl Stage {
    /// Prepares a stage in a new folder below `parent`; nothing runs yet.
    pub fn new(program: PathBuf, parent: &Path, name: &str) -> Result<Self> {
        let folder = new_folder(parent, name)?;
        let [api, proxy] = free_addresses()?;
        Ok(Self {
            program,
            folder,
            api,
            proxy,
            serve: None,
        })
    }

    /// Everything of this stage is below.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    pub fn state_dir(&self) -> PathBuf {
        self.folder.join("state")
    }

    pub fn credentials(&self) -> PathBuf {
        self.folder.join("credentials")
    }

    /// The arguments of `shipway serve`, as somebody would type them.
    pub fn serve_arguments(&self) -> Vec<String> {
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        vec![
            "serve".to_owned(),
            "--state-dir".to_owned(),
            text(self.state_dir()),
            "--listen".to_owned(),
            self.api.to_string(),
            "--proxy-listen".to_owned(),
            self.proxy.to_string(),
            "--credentials".to_owned(),
            text(self.credentials()),
        ]
    }

    /// Starts the engine, which starts the proxy; returns when it is ready.
    pub fn start(&mut self) -> Result<()> {
        self.start_with(&[])
    }

    /// The same, with variables that its apps may see.
    pub fn start_with(&mut self, variables: &[(&str, OsString)]) -> Result<()> {
        let mut command = self.shipway();
        command
            .args(self.serve_arguments())
            .envs(variables.iter().map(|(name, value)| (name, value)));
        self.serve(command)
    }

    /// The same, for one client that asks as fast as it can.
    pub fn start_unlimited(&mut self) -> Result<()> {
        let mut command = self.shipway();
        command
            .args(self.serve_arguments())
            .args(["--rate-limit", "0"]);
        self.serve(command)
    }

    fn serve(&mut self, mut command: Command) -> Result<()> {
        let mut serve = run::spawn_logged(&mut command, &self.serve_log())?;
        let ready = run::until(START_LIMIT, || match serve.try_wait() {
            Ok(None) => self.is_ready().then_some(true),
            _ => Some(false),
        });
        self.serve = Some(serve);
        if ready != Some(true) {
            let log = fs::read_to_string(self.serve_log()).unwrap_or_default();
            bail!(
                "`shipway serve` does not come up:\n{}",
                run::last_lines(&log, 20)
            );
        }
        Ok(())
    }

    /// The `shipway` program as a client of this stage.
    pub fn shipway(&self) -> Command {
        let mut command = Command::new(&self.program);
        command
            .current_dir(&self.folder)
            .env("SHIPWAY_CREDENTIALS", self.credentials())
            .env_remove("SHIPWAY_SERVER")
            .env_remove("SHIPWAY_TOKEN")
            .env_remove("SHIPWAY_STATE_DIR");
        command
    }

    /// The token that the engine made on its first start.
    pub fn token(&self) -> Result<String> {
        let file = self.credentials();
        let text =
            fs::read_to_string(&file).with_context(|| format!("reading {}", file.display()))?;
        let value = text.lines().find_map(|line| line.strip_prefix("token = "));
        let value = value.with_context(|| format!("{} has no token", file.display()))?;
        Ok(value.trim_matches(['"', '\'']).to_owned())
    }

    /// The process id of `shipway serve`.
    pub fn serve_pid(&self) -> Option<u32> {
        self.serve.as_ref().map(Child::id)
    }

    /// The process id of `shipway proxy`.
    pub fn proxy_pid(&self) -> Option<i32> {
        let text = fs::read_to_string(self.state_dir().join("proxy.pid")).ok()?;
        let pid = text.trim().parse().ok()?;
        // A number from a file is not proof enough to end a process.
        mentions(pid, &self.folder).then_some(pid)
    }

    /// Stops the engine; the proxy goes on.
    pub fn stop_engine(&mut self) {
        if let Some(mut serve) = self.serve.take() {
            run::stop(&mut serve);
        }
    }

    /// Stops the engine and the proxy.
    ///
    /// # Errors
    /// Processes that should have ended before are ended now and named.
    pub fn stop(&mut self) -> Result<()> {
        self.stop_engine();
        if let Some(pid) = self.proxy_pid() {
            run::stop_process(pid);
        }
        let quiet = run::until(STOP_LIMIT, || self.processes().is_empty().then_some(()));
        if quiet.is_some() {
            return Ok(());
        }
        let left = self.processes();
        for pid in &left {
            run::stop_process(*pid);
        }
        if left.is_empty() {
            return Ok(());
        }
        bail!(
            "{} processes were left over and had to be ended: {left:?}",
            left.len()
        )
    }

    /// Every process that works in this stage's folder or was started with it.
    pub fn processes(&self) -> Vec<i32> {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        entries
            .filter_map(|entry| entry.file_name().to_str()?.parse().ok())
            .filter(|pid| mentions(*pid, &self.folder))
            .collect()
    }

    /// What the engine and the proxy wrote, for a report of a failure.
    pub fn logs(&self) -> String {
        let read = |path: PathBuf| {
            let text = fs::read_to_string(&path).unwrap_or_default();
            format!("{}:\n{}\n", path.display(), run::last_lines(&text, 30))
        };
        read(self.serve_log()) + &read(self.state_dir().join("proxy.log"))
    }

    fn serve_log(&self) -> PathBuf {
        self.folder.join("serve.log")
    }

    fn is_ready(&self) -> bool {
        let host = self.api.to_string();
        let answer = Client::new(self.api).send(&Request::get(&host, "/readyz"));
        answer.is_ok_and(|answer| answer.status == 200)
    }
}

impl Drop for Stage {
    fn drop(&mut self) {
        let _ = self.stop();
    }
}

/// An empty folder of this process, by a path that is short enough for sockets.
pub fn new_folder(parent: &Path, name: &str) -> Result<PathBuf> {
    let name = format!("{name}-{}", std::process::id());
    let folder = match parent.join(&name) {
        folder if folder.as_os_str().len() <= LONGEST_FOLDER => folder,
        _ => std::env::temp_dir().join(format!("shipway-{name}")),
    };
    if folder.exists() {
        fs::remove_dir_all(&folder).with_context(|| format!("clearing {}", folder.display()))?;
    }
    fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    folder
        .canonicalize()
        .with_context(|| format!("finding {}", folder.display()))
}

/// Below the ports that Linux and macOS give to connections, so that none of
/// these takes a port between our choice and its use; and beside those of the
/// instances.
const PORTS: std::ops::Range<u16> = 10_000..20_000;

/// Addresses on loopback where nobody listens now; others each time.
pub fn free_addresses<const N: usize>() -> Result<[SocketAddr; N]> {
    let mut addresses = [SocketAddr::from((Ipv4Addr::LOCALHOST, 0)); N];
    for address in &mut addresses {
        *address = free_address().context("looking for a free port")?;
    }
    Ok(addresses)
}

fn free_address() -> Option<SocketAddr> {
    static CHOSEN: AtomicU32 = AtomicU32::new(0);
    let seed = std::process::id().wrapping_mul(131);
    PORTS.clone().find_map(|_| {
        let next = seed.wrapping_add(CHOSEN.fetch_add(1, Ordering::Relaxed));
        let port = PORTS.start + u16::try_from(next % 10_000).ok()?;
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        TcpListener::bind(address).ok().map(|_| address)
    })
}

fn mentions(pid: i32, folder: &Path) -> bool {
    let process = PathBuf::from(format!("/proc/{pid}"));
    if pid.cast_unsigned() == std::process::id() {
        return false;
    }
    let text = folder.as_os_str().as_encoded_bytes();
    let arguments = fs::read(process.join("cmdline")).unwrap_or_default();
    let works_there = fs::read_link(process.join("cwd")).is_ok_and(|cwd| cwd.starts_with(folder));
    works_there || arguments.windows(text.len()).any(|window| window == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_that_works_in_the_folder_is_found_and_ended() {
        let parent = tempfile::tempdir().unwrap();
        let mut stage = Stage::new("/bin/false".into(), parent.path(), "stage").unwrap();
        let mut child = Command::new("sleep")
            .arg("60")
            .current_dir(stage.folder())
            .spawn()
            .unwrap();
        let pid = child.id().cast_signed();
        assert_eq!(stage.processes(), [pid]);
        // Its parent must hear of its end for it to be gone.
        let parent = std::thread::spawn(move || child.wait());
        run::stop_process(pid);
        parent.join().unwrap().unwrap();
        assert_eq!(stage.processes(), [] as [i32; 0]);
        stage.stop().unwrap();
    }

    #[test]
    fn an_engine_that_ends_at_once_is_an_error_with_its_words() {
        let parent = tempfile::tempdir().unwrap();
        let mut stage = Stage::new("/bin/echo".into(), parent.path(), "stage").unwrap();
        let failure = stage.start().unwrap_err().to_string();
        assert!(
            failure.contains("does not come up:\nserve --state-dir"),
            "{failure}"
        );
    }
}
