//! The data plane when it goes and comes back.

use std::time::Duration;

use shipway_tests::machine;
use shipway_tests::repo::Repo;
use shipway_tests::ship::{Ship, free_address};
use shipway_tests::wait::{block, until_true};

use crate::apps::{next_version, quick, said, serves, tiny};

#[test]
fn a_proxy_that_died_fails_the_switch_or_is_there_again() {
    let Some(ship) = Ship::start() else { return };
    let (repo, live) = tiny(&ship);
    let first = live.deploy();
    first.succeeded();
    machine::kill(ship.proxy_pid().expect("a proxy"));
    next_version(&repo, "2");
    let second = live.deploy();
    if second.now()["status"] == "failed" {
        let failure = second.failed("switch", "switch");
        assert!(said(&failure).contains("shipway proxy"), "{failure:#}");
        assert_eq!(live.serving(), Some(first.id));
    }
    // The next engine starts one, and it knows its routes.
    ship.stop_serve();
    ship.serve();
    until_true("the site answers", Duration::from_secs(20), || {
        live.get("/").status == 200
    });
    live.deploy().succeeded();
    serves(&live, "2");
}

#[test]
fn a_proxy_that_starts_anew_knows_its_routes() {
    let Some(ship) = Ship::start() else { return };
    let (_repo, live) = tiny(&ship);
    live.deploy().succeeded();
    ship.stop_serve();
    machine::kill(ship.proxy_pid().expect("a proxy"));
    ship.serve();
    serves(&live, "1");
}

#[test]
fn apps_are_served_with_tls_by_certificates_that_serve_was_given() {
    let folder = tempfile::tempdir().expect("a folder");
    let domain = "shop.example.com";
    let made = rcgen::generate_simple_self_signed([domain.to_owned()]).expect("a certificate");
    let file = folder.path().join("shop");
    std::fs::write(file.with_extension("key"), made.signing_key.serialize_pem()).expect("a key");
    std::fs::write(file.with_extension("pem"), made.cert.pem()).expect("a certificate");
    let tls = free_address();
    let arguments = [
        "--proxy-tls-listen",
        &tls.to_string(),
        "--certificates",
        &folder.path().display().to_string(),
        "--redirect-to-tls",
    ];
    let Some(ship) = Ship::start_with_arguments(&arguments) else {
        return;
    };
    let repo = Repo::of("tests/apps/tiny");
    let mut settings = quick("process");
    settings["domains"] = serde_json::json!([domain]);
    let live = ship.app("tiny", &repo).environment("live", settings);
    live.deploy().succeeded();

    let certificate = reqwest::Certificate::from_pem(made.cert.pem().as_bytes());
    let client = reqwest::Client::builder()
        .no_proxy()
        .add_root_certificate(certificate.expect("a certificate"))
        .resolve(domain, tls)
        .build()
        .expect("a client");
    let url = format!("https://{domain}:{}/", tls.port());
    let text = block(async { client.get(url).send().await?.text().await });
    assert_eq!(text.expect("an answer").trim(), "version 1");
    let plain = live.get("/");
    let location = plain.header("location");
    assert_eq!(plain.status, 308);
    assert!(
        location.starts_with("https://shop.example.com"),
        "{location}"
    );
}
