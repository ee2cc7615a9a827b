//! A real sshd on loopback, one process for each connection.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

const SSHD: &str = "/usr/sbin/sshd";

pub struct SshServer {
    pub address: SocketAddr,
    pub user: String,
    folder: TempDir,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl SshServer {
    /// None where there is no sshd.
    pub fn start() -> Result<Option<Self>> {
        if !Path::new(SSHD).exists() {
            return Ok(None);
        }
        let folder = tempfile::tempdir()?;
        for kind in ["ed25519", "ecdsa", "rsa"] {
            keygen(&folder.path().join(format!("host_{kind}")), kind, "")?;
        }
        let config = folder.path().join("sshd_config");
        std::fs::write(&config, configuration(folder.path()))?;
        std::fs::write(folder.path().join("authorized_keys"), "")?;
        // sshd as root insists on this empty folder.
        drop(std::fs::create_dir_all("/run/sshd"));

        let listener = TcpListener::bind("127.0.0.1:0")?;
        let address = listener.local_addr()?;
        let stop = Arc::new(AtomicBool::new(false));
        let ended = Arc::clone(&stop);
        let thread = std::thread::spawn(move || accept(&listener, &config, &ended));
        let whoami = Command::new("id").arg("-un").output()?;
        Ok(Some(Self {
            address,
            user: String::from_utf8(whoami.stdout)?.trim().to_owned(),
            folder,
            stop,
            thread: Some(thread),
        }))
    }

    pub fn url(&self, path: &str) -> String {
        format!(
            "ssh://{}@127.0.0.1:{}{path}",
            self.user,
            self.address.port()
        )
    }

    /// What `ssh-keyscan` would say of it.
    pub fn known_hosts(&self) -> Result<String> {
        let mut lines = String::new();
        for kind in ["ed25519", "ecdsa", "rsa"] {
            let key = std::fs::read_to_string(self.path(&format!("host_{kind}.pub")))?;
            lines += &format!("[127.0.0.1]:{} {key}", self.address.port());
        }
        Ok(lines)
    }

    /// A new private key; the server takes it from now on.
    pub fn new_key(&self, kind: &str, passphrase: &str) -> Result<String> {
        let (private, public) = self.strange_key(kind, passphrase)?;
        let list = self.path("authorized_keys");
        let known = std::fs::read_to_string(&list)?;
        std::fs::write(&list, known + &public)?;
        Ok(private)
    }

    /// A new private key and its public one, unknown to the server.
    pub fn strange_key(&self, kind: &str, passphrase: &str) -> Result<(String, String)> {
        let path = self.path(&format!("key-{}", uuid::Uuid::now_v7()));
        keygen(&path, kind, passphrase)?;
        let public = std::fs::read_to_string(path.with_extension("pub"))?;
        Ok((std::fs::read_to_string(&path)?, public))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }
}

impl Drop for SshServer {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::SeqCst);
        drop(TcpStream::connect(self.address));
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn configuration(folder: &Path) -> String {
    let folder = folder.display();
    format!(
        "HostKey {folder}/host_ed25519\nHostKey {folder}/host_ecdsa\nHostKey {folder}/host_rsa\n\
         AuthorizedKeysFile {folder}/authorized_keys\nStrictModes no\nUsePAM no\n\
         PasswordAuthentication no\nKbdInteractiveAuthentication no\n\
         PermitRootLogin prohibit-password\nPidFile none\n"
    )
}

fn accept(listener: &TcpListener, config: &Path, stop: &AtomicBool) {
    let mut children: Vec<Child> = Vec::new();
    for stream in listener.incoming().flatten() {
        if stop.load(Ordering::SeqCst) {
            break;
        }
        let Ok(other) = stream.try_clone() else {
            continue;
        };
        let child = Command::new(SSHD)
            .args(["-i", "-e", "-f"])
            .arg(config)
            .stdin(OwnedFd::from(stream))
            .stdout(OwnedFd::from(other))
            .stderr(Stdio::null())
            .spawn();
        children.extend(child);
    }
    for mut child in children {
        drop(child.kill());
        drop(child.wait());
    }
}

fn keygen(path: &Path, kind: &str, passphrase: &str) -> Result<()> {
    let output = Command::new("ssh-keygen")
        .args(["-q", "-t", kind, "-N", passphrase, "-C", "test", "-f"])
        .arg(path)
        .output()
        .context("ssh-keygen")?;
    ensure!(output.status.success(), "ssh-keygen: {output:?}");
    Ok(())
}
