//! A server with a certificate that it signed itself.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, ensure};
use tempfile::TempDir;

pub struct TlsServer {
    /// `127.0.0.1:port`.
    pub address: String,
    child: Child,
    _folder: TempDir,
}

impl TlsServer {
    /// None where there is no `openssl`.
    pub fn start() -> Result<Option<Self>> {
        let folder = tempfile::tempdir()?;
        let made = Command::new("openssl")
            .args([
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
            ])
            .args([
                "-subj",
                "/CN=127.0.0.1",
                "-keyout",
                "key.pem",
                "-out",
                "cert.pem",
            ])
            .current_dir(folder.path())
            .output();
        let Ok(made) = made else { return Ok(None) };
        ensure!(made.status.success(), "openssl: {made:?}");
        let mut child = Command::new("openssl")
            .args(["s_server", "-accept", "127.0.0.1:0", "-www"])
            .args(["-key", "key.pem", "-cert", "cert.pem"])
            .current_dir(folder.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let lines = BufReader::new(child.stdout.take().context("no output")?).lines();
        let said = lines
            .map_while(Result::ok)
            .find_map(|line| line.strip_prefix("ACCEPT ").map(str::to_owned));
        Ok(Some(Self {
            address: said.context("openssl does not listen")?,
            child,
            _folder: folder,
        }))
    }
}

impl Drop for TlsServer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
