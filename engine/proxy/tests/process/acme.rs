//! Certificates from Pebble, the test server of ACME, with a name server that
//! leads every name to this machine.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use libtest_mimic::Trial;
use rcgen::generate_simple_self_signed;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use shipway_proxy::{AcmeConfig, ProxyConfig};
use tempfile::TempDir;
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::client::Client;
use crate::harness::{BOUND, Harness, eventually};
use crate::instance::Instance;
use crate::trial;

/// Without Pebble they are told of as not run; where all parts were promised,
/// that is a failure.
#[expect(clippy::print_stdout, reason = "what does not run is said aloud")]
pub fn trials() -> Vec<Trial> {
    let missing = pebble_program().is_none();
    if missing {
        println!("not run: certificates of an authority: the program `pebble` is not installed");
    }
    let ignored = missing && std::env::var_os("SHIPWAY_REQUIRE_PARTS").is_none();
    let trials = [
        trial("a_routed_host_gets_a_certificate_and_keeps_it", is_obtained),
        trial("a_certificate_is_renewed_before_it_ends", is_renewed),
    ];
    trials
        .into_iter()
        .map(|trial| trial.with_ignored_flag(ignored))
        .collect()
}

/// On the path, or where Go puts what it installs.
fn pebble_program() -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = std::env::split_paths(&path).collect();
    if let Some(home) = std::env::var_os("HOME") {
        folders.push(Path::new(&home).join("go/bin"));
    }
    let mut files = folders.into_iter().map(|folder| folder.join("pebble"));
    files.find(|file| file.is_file())
}

/// An authority that looks for its proofs on a port of this machine.
struct Pebble {
    folder: TempDir,
    directory: String,
    management: SocketAddr,
    own: CertificateDer<'static>,
    process: Child,
}

impl Pebble {
    async fn start(http: SocketAddr, validity_s: u32) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let own = generate_simple_self_signed(vec!["localhost".to_owned()])?;
        let file = |name: &str| folder.path().join(name);
        std::fs::write(file("own.pem"), own.cert.pem())?;
        std::fs::write(file("own.key"), own.signing_key.serialize_pem())?;
        let (listen, management) = (free_port()?, free_port()?);
        let config = serde_json::json!({ "pebble": {
            "listenAddress": listen,
            "managementListenAddress": management,
            "certificate": file("own.pem"),
            "privateKey": file("own.key"),
            "httpPort": http.port(),
            "tlsPort": 1,
            "keyAlgorithm": "ecdsa",
            "retryAfter": { "authz": 1, "order": 1 },
            "profiles": { "default": {
                "description": "of the tests", "validityPeriod": validity_s,
            } },
        } });
        std::fs::write(file("config.json"), config.to_string())?;
        let process = Command::new(pebble_program().context("no pebble")?)
            .arg("-config")
            .arg(file("config.json"))
            .args(["-dnsserver", &name_server()?.to_string()])
            .env("PEBBLE_VA_NOSLEEP", "1")
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        let pebble = Self {
            directory: format!("https://localhost:{}/dir", listen.port()),
            management,
            own: own.cert.der().clone(),
            folder,
            process,
        };
        eventually("the authority answers", async || {
            Ok(TcpStream::connect(listen).await.is_ok()
                && TcpStream::connect(management).await.is_ok())
        })
        .await?;
        Ok(pebble)
    }

    /// What its certificates come from.
    async fn root(&self) -> Result<CertificateDer<'static>> {
        let stream = connect(self.management, "localhost", &self.own).await?;
        let answer = Client::on(stream)
            .await?
            .get("localhost", "/roots/0")
            .await?;
        Ok(CertificateDer::from_pem_slice(answer.text.as_bytes())?)
    }
}

impl Drop for Pebble {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn free_port() -> Result<SocketAddr> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?)
}

/// Says of every name that it is this machine, for as long as the test runs.
fn name_server() -> Result<SocketAddr> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?;
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            std::thread::spawn(|| converse(stream));
        }
    });
    Ok(address)
}

/// Over TCP, each message has its length before it (RFC 1035, 4.2.2).
fn converse(mut stream: std::net::TcpStream) -> Result<()> {
    loop {
        let mut length = [0; 2];
        stream.read_exact(&mut length)?;
        let mut question = vec![0; u16::from_be_bytes(length).into()];
        stream.read_exact(&mut question)?;
        let answer = answer_to(&question).context("no question")?;
        let length = u16::try_from(answer.len())?;
        stream.write_all(&[&length.to_be_bytes()[..], &answer].concat())?;
    }
}

/// RFC 1035, 4.1: an address to those who ask for one, nothing to others.
fn answer_to(question: &[u8]) -> Option<Vec<u8>> {
    let (id, rest) = question.split_at_checked(2)?;
    let asked = rest.get(10..)?;
    let name = asked.iter().position(|byte| *byte == 0)?;
    let asked = asked.get(..name + 5)?;
    let wants_address = asked.get(name + 1..name + 3)? == [0, 1];
    let mut answer = id.to_vec();
    answer.extend([0x84, 0, 0, 1, 0, u8::from(wants_address), 0, 0, 0, 0]);
    answer.extend(asked);
    if wants_address {
        answer.extend([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 1, 0, 4, 127, 0, 0, 1]);
    }
    Some(answer)
}

async fn connect(
    address: SocketAddr,
    name: &str,
    root: &CertificateDer<'static>,
) -> Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(root.clone())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let stream = TcpStream::connect(address).await?;
    let connector = TlsConnector::from(Arc::new(config));
    let name = ServerName::try_from(name.to_owned())?;
    Ok(timeout(BOUND, connector.connect(name, stream)).await??)
}

/// A proxy whose authority is not there yet.
struct Site {
    harness: Harness,
    acme: PathBuf,
    _folder: TempDir,
}

/// The port of plain HTTP comes first, the authority that asks there second.
async fn site(validity_s: u32) -> Result<(Site, Pebble)> {
    let http = free_port()?;
    let pebble = Pebble::start(http, validity_s).await?;
    let folder = tempfile::tempdir()?;
    let acme = folder.path().join("certificates");
    let harness = Harness::start_with(|config| with_acme(config, http, &acme, &pebble)).await?;
    let site = Site {
        harness,
        acme,
        _folder: folder,
    };
    Ok((site, pebble))
}

fn with_acme(config: &mut ProxyConfig, http: SocketAddr, folder: &Path, pebble: &Pebble) {
    config.listen = vec![http];
    config.tls_listen = vec![([127, 0, 0, 1], 0).into()];
    config.acme = Some(AcmeConfig {
        directory: pebble.directory.clone(),
        contact: "admin@example.com".to_owned(),
        folder: folder.to_owned(),
        authority_roots: Some(pebble.folder.path().join("own.pem")),
    });
}

async fn is_obtained() -> Result<()> {
    let (site, pebble) = site(90 * 24 * 60 * 60).await?;
    let app = Instance::start("app").await?;
    site.harness.route("app", &[&app]).await?;
    let address = site.harness.tls_address.context("no TLS")?;
    let root = pebble.root().await?;
    eventually("the certificate is served", async || {
        Ok(connect(address, "app.test", &root).await.is_ok())
    })
    .await?;
    let stream = connect(address, "app.test", &root).await?;
    let answer = Client::on(stream).await?.get("app.test", "/").await?;
    ensure!(answer.text == "app");

    let mode = |path: &Path| anyhow::Ok(std::fs::metadata(path)?.permissions().mode() & 0o777);
    ensure!(mode(&site.acme)? == 0o700);
    for file in ["account.json", "app.test.pem"] {
        ensure!(mode(&site.acme.join(file))? == 0o600, "{file}");
    }

    // The next proxy has it without asking anybody.
    let kept = std::fs::read(site.acme.join("app.test.pem"))?;
    let http = site.harness.address;
    let folder = site.harness.stopped().await?;
    let harness = Harness::start_in(folder, |config| {
        with_acme(config, http, &site.acme, &pebble);
    })
    .await?;
    let address = harness.tls_address.context("no TLS")?;
    connect(address, "app.test", &root).await?;
    ensure!(std::fs::read(site.acme.join("app.test.pem"))? == kept);
    Ok(())
}

async fn is_renewed() -> Result<()> {
    let (site, pebble) = site(20).await?;
    let app = Instance::start("app").await?;
    site.harness.route("app", &[&app]).await?;
    let address = site.harness.tls_address.context("no TLS")?;
    let root = pebble.root().await?;
    let shown = async || {
        let stream = connect(address, "app.test", &root).await?;
        let chain = stream.get_ref().1.peer_certificates();
        let own = chain.and_then(<[_]>::first).context("no certificate")?;
        anyhow::Ok(own.clone().into_owned())
    };
    eventually("the certificate is served", async || {
        Ok(shown().await.is_ok())
    })
    .await?;
    let first = shown().await?;
    eventually("another is served", async || Ok(shown().await? != first)).await
}
