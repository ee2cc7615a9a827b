//! A registry of OCI artifacts on loopback: Debian's `docker-registry`.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use crate::api::{Answer, client};
use crate::parts;
use crate::ship::free_address;
use crate::wait::{block, until_true};

const PATIENCE: Duration = Duration::from_secs(30);
/// Who may come in where a login is wanted.
pub const USERNAME: &str = "ann";
pub const PASSWORD: &str = "s3cret-of-ann";
/// bcrypt, the one form that the registry takes.
const HTPASSWD: &str = "ann:$2b$04$MpPyqVN17BJotVEY8pk6IO9Fkxu4g3sT4QOpDEw9DpldX55whO5Ia\n";

#[derive(Debug)]
pub struct Registry {
    child: Child,
    folder: TempDir,
    address: SocketAddr,
}

impl Registry {
    /// One that is open to all. None when the machine has no registry.
    pub fn start() -> Option<Self> {
        Self::start_with("")
    }

    /// One that wants [`USERNAME`] and [`PASSWORD`].
    pub fn start_with_login() -> Option<Self> {
        Self::start_with("auth: {htpasswd: {realm: tests, path: FOLDER/htpasswd}}\n")
    }

    fn start_with(auth: &str) -> Option<Self> {
        let program = parts::program("docker-registry")?;
        let folder = tempfile::Builder::new()
            .prefix("registry-")
            .tempdir()
            .expect("a folder");
        let address = free_address();
        let config = format!(
            "version: 0.1\nlog: {{level: error, accesslog: {{disabled: true}}}}\n\
             storage: {{filesystem: {{rootdirectory: FOLDER/data}}}}\n\
             http: {{addr: \"{address}\"}}\n{auth}"
        )
        .replace("FOLDER", &folder.path().display().to_string());
        let file = folder.path().join("config.yml");
        fs::write(&file, config).expect("its configuration");
        fs::write(folder.path().join("htpasswd"), HTPASSWD).expect("its users");
        let log = fs::File::create(folder.path().join("log")).expect("its log");
        let child = Command::new(program)
            .arg("serve")
            .arg(&file)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("its log twice"))
            .stderr(log)
            .spawn()
            .expect("the registry starts");
        let registry = Self {
            child,
            folder,
            address,
        };
        until_true("the registry answers", PATIENCE, || {
            std::net::TcpStream::connect(address).is_ok()
        });
        Some(registry)
    }

    /// `oci://` and the name in it.
    pub fn address(&self, name: &str) -> String {
        format!("oci://{}/{name}", self.address)
    }

    /// The manifest of a tag or a digest.
    pub fn manifest(&self, name: &str, reference: &str) -> Value {
        let path = format!("{name}/manifests/{reference}");
        let request = client()
            .get(self.url(&path))
            .header("accept", "application/vnd.oci.image.manifest.v1+json");
        self.send(request).json()
    }

    /// Puts any manifest under a tag; the blobs must be there.
    pub fn put_manifest(&self, name: &str, tag: &str, manifest: &Value) -> Answer {
        let request = client()
            .put(self.url(&format!("{name}/manifests/{tag}")))
            .header("content-type", "application/vnd.oci.image.manifest.v1+json")
            .body(manifest.to_string());
        self.send(request)
    }

    /// The file that a blob is kept in.
    pub fn blob(&self, digest: &str) -> PathBuf {
        let hex = digest.trim_start_matches("sha256:");
        let folder = "data/docker/registry/v2/blobs/sha256";
        let start = hex.get(..2).expect("a digest");
        self.folder
            .path()
            .join(format!("{folder}/{start}/{hex}/data"))
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}/v2/{path}", self.address)
    }

    fn send(&self, request: reqwest::RequestBuilder) -> Answer {
        block(async {
            let response = request.timeout(PATIENCE).send().await.expect("an answer");
            Answer::read(response).await.expect("a whole answer")
        })
    }
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
