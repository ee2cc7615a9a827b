//! HTTP under policy, against real servers on loopback.

use std::sync::Arc;

use shipway_core::grant::Addresses;
use shipway_core::ports::plugins::{Endpoint, PluginErrorKind};
use shipway_plugin_host::{HostConfig, Limits, PluginHost};

use crate::harness::{Bench, Shelf, assert_fault};
use crate::server::{Server, answer};

async fn ok() -> Server {
    Server::start(|_| answer("200 OK", "x-seen: yes\r\n", "fine")).await
}

/// A call that posts to the server, with loopback granted.
async fn to(server: &Server, secrets: &[&str]) -> Bench {
    let origin = server.origin();
    Bench::new("http")
        .await
        .set("url", &format!("{origin}/hook?a=b"))
        .grant_http(&origin, Addresses::Any, secrets)
}

#[tokio::test]
async fn a_granted_host_is_reached() {
    let server = ok().await;
    let bench = to(&server, &[])
        .await
        .set("body", "hello")
        .set("headers", "x-mine: 1");
    let seen = bench.see().await.unwrap();
    assert_eq!(seen[0], "200");
    assert!(seen.contains(&"x-seen: yes".to_owned()), "{seen:?}");
    assert_eq!(seen.last().unwrap(), "fine");
    let request = &server.seen()[0];
    assert!(
        request.starts_with("POST /hook?a=b HTTP/1.1\r\n"),
        "{request}"
    );
    assert!(
        request.contains(&format!("host: {}\r\n", server.address)),
        "{request}"
    );
    assert!(
        request.contains("x-mine: 1\r\n") && request.ends_with("\r\n\r\nhello"),
        "{request}"
    );
}

#[tokio::test]
async fn a_host_that_is_not_granted_is_denied_and_the_operator_is_told_how() {
    let server = ok().await;
    let bench = Bench::new("http").await.set("url", &server.origin());
    let error = bench.fail().await;
    assert_fault(&error, PluginErrorKind::Failure, "(denied)");
    let command = format!("shipway plugin grant hostile --http {}", server.origin());
    assert!(bench.log.text().contains(&command), "{}", bench.log.text());
    assert!(error.hint.unwrap().ends_with(&command));
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_loopback_address_needs_a_grant_of_its_own() {
    let server = ok().await;
    let bench = Bench::new("http")
        .await
        .set("url", &server.origin())
        .grant_http(&server.origin(), Addresses::Public, &[]);
    assert_fault(&bench.fail().await, PluginErrorKind::Failure, "(denied)");
    assert!(
        bench.log.text().contains("--private"),
        "{}",
        bench.log.text()
    );
    assert!(server.seen().is_empty());
    // A name that resolves to loopback is no way around.
    let origin = format!("http://localhost:{}", server.address.port());
    let bench =
        Bench::new("http")
            .await
            .set("url", &origin)
            .grant_http(&origin, Addresses::Public, &[]);
    assert_fault(&bench.fail().await, PluginErrorKind::Failure, "(denied)");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_secret_goes_out_where_it_is_granted() {
    let server = Server::start(|request| answer("200 OK", "", request)).await;
    let bench = to(&server, &["token"])
        .await
        .secret("token", "hunter\"22/x")
        .set("url", &format!("{}/hook?key={{token}}", server.origin()))
        .set(
            "headers",
            "authorization: Bearer {token}\ncontent-type: application/json",
        )
        .set("body", "{\"token\":\"{token}\"}");
    let seen = bench.see().await.unwrap();
    let request = &server.seen()[0];
    assert!(
        request.starts_with("POST /hook?key=hunter%2222%2Fx HTTP/1.1"),
        "{request}"
    );
    assert!(
        request.contains("authorization: Bearer hunter\"22/x\r\n"),
        "{request}"
    );
    assert!(
        request.ends_with(r#"{"token":"hunter\"22/x"}"#),
        "{request}"
    );
    // The server repeats what it was sent; the guest sees its placeholder.
    let answer = seen.last().unwrap();
    assert!(answer.contains("Bearer shipway-secret-"), "{answer}");
}

#[tokio::test]
async fn a_secret_goes_nowhere_else() {
    let server = ok().await;
    for place in [
        ("url", "?key={token}"),
        ("headers", "authorization: {token}"),
        ("body", "{token}"),
    ] {
        let value = match place {
            ("url", query) => format!("{}/{query}", server.origin()),
            (_, value) => value.to_owned(),
        };
        let bench = to(&server, &["another"])
            .await
            .secret("token", "hunter22")
            .set(place.0, &value);
        assert_fault(&bench.fail().await, PluginErrorKind::Failure, "(denied)");
        let log = bench.log.text();
        let command = format!("--http {} --private --send another,token", server.origin());
        assert!(log.contains(&command) && !log.contains("hunter22"), "{log}");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn a_url_that_is_secret_as_a_whole_is_used_and_not_shown() {
    let server = ok().await;
    let url = format!("{}/T0/B0/secret-path", server.origin());
    let bench = to(&server, &["url"]).await.secret("url", &url);
    assert_eq!(bench.see().await.unwrap()[0], "200");
    assert!(server.seen()[0].starts_with("POST /T0/B0/secret-path "));
}

#[tokio::test]
async fn a_redirect_is_returned_and_not_followed() {
    let goal = ok().await;
    let location = format!("location: {}\r\n", goal.origin());
    let server = Server::start(move |_| answer("302 Found", &location, "")).await;
    let seen = to(&server, &[]).await.see().await.unwrap();
    assert_eq!(seen[0], "302");
    assert!(
        seen.iter().any(|line| line.starts_with("location: ")),
        "{seen:?}"
    );
    assert!(goal.seen().is_empty());
}

#[tokio::test]
async fn what_belongs_to_the_connection_is_the_hosts() {
    let server = ok().await;
    for header in [
        "host: other.example",
        "connection: upgrade",
        "content-length: 3",
    ] {
        let bench = to(&server, &[]).await.set("headers", header);
        assert_fault(&bench.fail().await, PluginErrorKind::Failure, "(invalid)");
    }
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn bodies_are_bounded_each_way() {
    let server = Server::start(|_| answer("200 OK", "", &"x".repeat((1 << 20) + 1))).await;
    let bench = to(&server, &[]).await;
    assert_fault(&bench.fail().await, PluginErrorKind::Failure, "(too-large)");
    let bench = bench.set("body", &"x".repeat((1 << 20) + 1));
    assert_fault(&bench.fail().await, PluginErrorKind::Failure, "(too-large)");
    assert_eq!(server.seen().len(), 1, "the second was never sent");
}

#[tokio::test]
async fn a_server_that_never_answers_costs_the_requests_time() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let origin = format!("http://{}", silent.local_addr().unwrap());
    let bench = Bench::new("http")
        .await
        .set("url", &origin)
        .set("timeout", "200")
        .grant_http(&origin, Addresses::Any, &[]);
    let error = bench.fail().await;
    assert_fault(
        &error,
        PluginErrorKind::Failure,
        "(timeout): no answer in 200 ms",
    );
    drop(silent);
    let error = bench.fail().await;
    assert_fault(&error, PluginErrorKind::Failure, "(unavailable)");
}

#[tokio::test]
async fn requests_are_counted() {
    let server = ok().await;
    let seen = to(&server, &[])
        .await
        .set("act", "http-often")
        .see()
        .await
        .unwrap();
    assert_eq!(seen, ["64 x 200", "6 x limit"]);
}

#[tokio::test]
async fn the_candidate_is_reached_without_a_grant_and_by_its_domain() {
    let server = Server::start(|_| answer("200 OK", "", "up")).await;
    let candidate = Endpoint {
        process: "web".to_owned(),
        address: server.address,
        host: Some("shop.example.com".to_owned()),
    };
    let bench = Bench::new("candidate")
        .await
        .change(|call| call.candidate = vec![candidate]);
    let checks = bench.self_test().await.unwrap();
    assert_eq!(checks[0].message, "web 200 up");
    let request = &server.seen()[0];
    assert!(request.starts_with("GET /health HTTP/1.1"), "{request}");
    assert!(request.contains("host: shop.example.com\r\n"), "{request}");

    // Its neighbours are not the candidate.
    let other = ok().await;
    let bench = bench.set("act", "http").set("url", &other.origin());
    let error = bench.self_test().await.unwrap_err();
    assert_fault(&error, PluginErrorKind::Failure, "(denied)");
    assert!(other.seen().is_empty());
}

#[tokio::test]
async fn a_secret_for_the_candidate_needs_a_grant() {
    let server = ok().await;
    let candidate = Endpoint {
        process: "web".to_owned(),
        address: server.address,
        host: None,
    };
    let bench = Bench::new("http")
        .await
        .change(|call| call.candidate = vec![candidate])
        .secret("token", "hunter22")
        .set("url", &server.origin())
        .set("body", "{token}");
    let error = bench.self_test().await.unwrap_err();
    assert_fault(&error, PluginErrorKind::Failure, "(denied)");
    assert!(server.seen().is_empty());
}

#[tokio::test]
async fn https_checks_the_certificate_of_the_urls_host() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let certificate = made.cert.der().clone();
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![certificate.clone()], key)
        .unwrap();
    let server = Server::start_tls(Arc::new(config), |_| answer("200 OK", "", "safe")).await;

    let directory = tempfile::tempdir().unwrap();
    let mut trusting = HostConfig::new(directory.path().join("compiled"));
    trusting.extra_roots = vec![certificate];
    let trusting = PluginHost::new(trusting, Arc::new(Shelf::default())).unwrap();
    let port = server.address.port();
    let name = format!("https://localhost:{port}");
    let bench = Bench::on("http", trusting)
        .await
        .set("url", &name)
        .grant_http(&name, Addresses::Any, &[]);
    assert_eq!(bench.see().await.unwrap().last().unwrap(), "safe");

    let address = format!("https://127.0.0.1:{port}");
    let bench = bench
        .set("url", &address)
        .grant_http(&address, Addresses::Any, &[]);
    assert_fault(
        &bench.fail().await,
        PluginErrorKind::Failure,
        "(unavailable): no secure connection",
    );

    let doubting = Bench::with("http", Limits::default())
        .await
        .set("url", &name)
        .grant_http(&name, Addresses::Any, &[]);
    assert_fault(
        &doubting.fail().await,
        PluginErrorKind::Failure,
        "no secure connection",
    );
}
