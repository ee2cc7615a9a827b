//! TLS with given certificates.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result};
use http::{Request, StatusCode};
use rcgen::generate_simple_self_signed;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use shipway_proxy::{Plain, Proxy};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::client::{Client, no_body};
use crate::harness::{BOUND, Harness, config, eventually};
use crate::http2::Http2;
use crate::instance::Instance;

/// Writes a certificate for these names; clients know it by what is returned.
fn certificate(folder: &Path, file: &str, names: &[&str]) -> Result<CertificateDer<'static>> {
    let names: Vec<_> = names.iter().map(ToString::to_string).collect();
    let made = generate_simple_self_signed(names)?;
    let path = folder.join(file);
    std::fs::write(path.with_extension("key"), made.signing_key.serialize_pem())?;
    std::fs::write(path.with_extension("pem"), made.cert.pem())?;
    Ok(made.cert.der().clone())
}

/// A connection on which `name` was asked for and `certificate` shown.
async fn connect(
    address: SocketAddr,
    name: &str,
    certificate: &CertificateDer<'static>,
    protocols: &[&str],
) -> Result<TlsStream<TcpStream>> {
    let mut roots = RootCertStore::empty();
    roots.add(certificate.clone())?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    config.alpn_protocols = protocols.iter().map(|p| p.as_bytes().to_vec()).collect();
    let stream = TcpStream::connect(address).await?;
    let name = ServerName::try_from(name.to_owned())?;
    let connector = TlsConnector::from(Arc::new(config));
    Ok(timeout(BOUND, connector.connect(name, stream)).await??)
}

struct Site {
    harness: Harness,
    address: SocketAddr,
    certificates: tempfile::TempDir,
}

impl Site {
    async fn start(plain: Plain) -> Result<Self> {
        let certificates = tempfile::tempdir()?;
        let folder = certificates.path().to_owned();
        let harness = Harness::start_with(|config| {
            config.tls_listen = vec![([127, 0, 0, 1], 0).into()];
            config.certificates = Some(folder);
            config.plain = plain;
        })
        .await?;
        let address = harness.tls_address.context("no address with TLS")?;
        Ok(Self {
            harness,
            address,
            certificates,
        })
    }

    fn certificate(&self, file: &str, names: &[&str]) -> Result<CertificateDer<'static>> {
        certificate(self.certificates.path(), file, names)
    }

    /// Waits until this certificate is shown for this name.
    async fn shows(&self, name: &str, certificate: &CertificateDer<'static>) -> Result<()> {
        eventually("the certificate is served", async || {
            Ok(connect(self.address, name, certificate, &[]).await.is_ok())
        })
        .await
    }
}

#[tokio::test]
async fn each_name_gets_its_certificate() -> Result<()> {
    let site = Site::start(Plain::Serves).await?;
    let shop = site.certificate("a", &["shop.test", "www.shop.test"])?;
    let many = site.certificate("b", &["*.many.test"])?;
    for (name, certificate) in [
        ("shop.test", &shop),
        ("www.shop.test", &shop),
        ("one.many.test", &many),
        ("two.many.test", &many),
    ] {
        site.shows(name, certificate).await?;
    }
    for unknown in ["many.test", "a.b.many.test", "other.test"] {
        assert!(connect(site.address, unknown, &many, &[]).await.is_err());
    }
    let default = site.certificate("default", &["other.test"])?;
    site.shows("other.test", &default).await?;
    Ok(())
}

#[tokio::test]
async fn both_versions_of_http_are_spoken() -> Result<()> {
    let site = Site::start(Plain::Serves).await?;
    let certificate = site.certificate("app", &["app.test"])?;
    let app = Instance::start("app").await?;
    site.harness.route("app", &[&app]).await?;
    site.shows("app.test", &certificate).await?;

    let stream = connect(site.address, "app.test", &certificate, &["h2", "http/1.1"]).await?;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let answer = Http2::on(stream).await?;
    let answer = answer.get("https://app.test/headers").await?;
    assert!(answer.text.contains(r#""x-forwarded-proto":"https""#));

    for protocols in [&["http/1.1"][..], &[]] {
        let stream = connect(site.address, "app.test", &certificate, protocols).await?;
        let mut client = Client::on(stream).await?;
        for _ in 0..3 {
            let answer = client.get("app.test", "/headers").await?;
            assert!(answer.text.contains(r#""x-forwarded-proto":"https""#));
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_websocket_passes_through_tls() -> Result<()> {
    use hyper_util::rt::TokioIo;
    use tokio::io::{AsyncReadExt, AsyncWriteExt};

    let site = Site::start(Plain::Serves).await?;
    let certificate = site.certificate("app", &["app.test"])?;
    let app = Instance::start("app").await?;
    site.harness.route("app", &[&app]).await?;
    site.shows("app.test", &certificate).await?;
    let stream = connect(site.address, "app.test", &certificate, &["http/1.1"]).await?;
    let request = Request::get("/echo")
        .header("host", "app.test")
        .header("connection", "Upgrade")
        .header("upgrade", "websocket")
        .body(no_body())?;
    let response = Client::on(stream).await?.begin(request).await?;
    assert_eq!(response.status(), StatusCode::SWITCHING_PROTOCOLS);
    let mut socket = TokioIo::new(hyper::upgrade::on(response).await?);
    let mut answer = [0; 4];
    socket.write_all(b"ping").await?;
    timeout(BOUND, socket.read_exact(&mut answer)).await??;
    assert_eq!(&answer, b"ping");
    Ok(())
}

#[tokio::test]
async fn a_certificate_is_replaced_while_connections_stay() -> Result<()> {
    let site = Site::start(Plain::Serves).await?;
    let old = site.certificate("app", &["app.test"])?;
    let app = Instance::start("app").await?;
    site.harness.route("app", &[&app]).await?;
    site.shows("app.test", &old).await?;
    let stream = connect(site.address, "app.test", &old, &[]).await?;
    let mut client = Client::on(stream).await?;
    client.get("app.test", "/").await?;

    let new = site.certificate("app", &["app.test"])?;
    site.shows("app.test", &new).await?;
    assert!(connect(site.address, "app.test", &old, &[]).await.is_err());
    assert_eq!(client.get("app.test", "/").await?.text, "app");
    Ok(())
}

#[tokio::test]
async fn a_bad_file_does_not_matter_to_others_nor_to_what_it_was() -> Result<()> {
    let site = Site::start(Plain::Serves).await?;
    let folder = site.certificates.path();
    let good = site.certificate("good", &["good.test"])?;
    let once = site.certificate("once", &["once.test"])?;
    site.shows("good.test", &good).await?;
    site.shows("once.test", &once).await?;
    std::fs::write(folder.join("once.pem"), "half a certif")?;
    std::fs::write(folder.join("empty.pem"), "")?;
    // A key of another certificate.
    site.certificate("wrong", &["wrong.test"])?;
    std::fs::copy(folder.join("good.key"), folder.join("wrong.key"))?;
    let last = site.certificate("last", &["last.test"])?;
    site.shows("last.test", &last).await?;
    site.shows("good.test", &good).await?;
    site.shows("once.test", &once).await?;
    Ok(())
}

#[tokio::test]
async fn plain_http_sends_to_tls_where_there_is_a_certificate() -> Result<()> {
    let site = Site::start(Plain::Redirects).await?;
    let certificate = site.certificate("app", &["app.test"])?;
    let app = Instance::start("app").await?;
    site.harness.route("app", &[&app]).await?;
    site.harness.route("bare", &[&app]).await?;
    site.shows("app.test", &certificate).await?;
    let mut client = site.harness.client().await?;
    let moved = client.get("App.test:80", "/a?b=c").await?;
    assert_eq!(moved.status, StatusCode::PERMANENT_REDIRECT);
    let to = moved.headers.get("location").context("no location")?;
    let expected = format!("https://app.test:{}/a?b=c", site.address.port());
    assert_eq!(to.to_str()?, expected);
    assert_eq!(client.get("bare.test", "/").await?.text, "app");
    // This machine is trusted to say that TLS was done before.
    let request = Request::get("/")
        .header("host", "app.test")
        .header("x-forwarded-proto", "https")
        .body(no_body())?;
    assert_eq!(client.send(request).await?.text, "app");
    Ok(())
}

#[tokio::test]
async fn what_is_no_tls_is_closed_and_costs_nobody() -> Result<()> {
    let site = Site::start(Plain::Serves).await?;
    let certificate = site.certificate("app", &["app.test"])?;
    let app = Instance::start("app").await?;
    site.harness.route("app", &[&app]).await?;
    site.shows("app.test", &certificate).await?;
    let _silent = TcpStream::connect(site.address).await?;
    let plain = crate::client::raw(site.address, "GET / HTTP/1.1\r\nHost: app.test\r\n\r\n");
    // An alert, or nothing.
    assert!(!plain.await.unwrap_or_default().contains("HTTP"));
    let stream = connect(site.address, "app.test", &certificate, &[]).await?;
    assert_eq!(
        Client::on(stream).await?.get("app.test", "/").await?.text,
        "app"
    );
    Ok(())
}

#[tokio::test]
async fn tls_without_certificates_is_refused_with_words() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut without = config(folder.path());
    without.tls_listen = vec![([127, 0, 0, 1], 0).into()];
    let error = Proxy::bind(without.clone()).map(drop).unwrap_err();
    assert!(
        error.to_string().contains("TLS needs certificates"),
        "{error}"
    );
    without.certificates = Some(folder.path().join("nowhere"));
    let error = Proxy::bind(without).map(drop).unwrap_err();
    assert!(
        error.to_string().contains("cannot read the certificates"),
        "{error}"
    );
    Ok(())
}
