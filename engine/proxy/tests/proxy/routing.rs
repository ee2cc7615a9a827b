//! Hosts → instances, and what an instance is told.

use std::collections::BTreeMap;

use anyhow::Result;
use http::{Request, StatusCode};
use shipway_core::ports::router::Router;

use crate::client::{Client, body, no_body, raw};
use crate::harness::{Harness, route};
use crate::instance::Instance;

#[tokio::test]
async fn each_host_has_its_app_behind_one_port() -> Result<()> {
    let harness = Harness::start().await?;
    let (shop, blog) = (
        Instance::start("shop").await?,
        Instance::start("blog").await?,
    );
    let domains = ["shop.test", "www.shop.test"];
    let shop_route = route("shop", &domains, &[shop.address])?;
    harness.router.switch(&shop_route).await?;
    harness.route("blog", &[&blog]).await?;

    let mut client = harness.client().await?;
    for host in ["shop.test", "WWW.Shop.Test", "shop.test:8080", "shop.test."] {
        assert_eq!(client.get(host, "/").await?.text, "shop", "{host}");
    }
    assert_eq!(client.get("blog.test", "/").await?.text, "blog");
    let absolute = Request::get("http://blog.test/x").header("host", "shop.test");
    assert_eq!(client.send(absolute.body(no_body())?).await?.text, "blog");
    Ok(())
}

#[tokio::test]
async fn instances_share_the_requests() -> Result<()> {
    let harness = Harness::start().await?;
    let (one, two) = (Instance::start("1").await?, Instance::start("2").await?);
    harness.route("shop", &[&one, &two]).await?;
    let mut client = harness.client().await?;
    for _ in 0..40 {
        client.get("shop.test", "/").await?;
    }
    assert_eq!((one.requests(), two.requests()), (20, 20));
    // One client, one worker: one connection to each is enough.
    assert_eq!((one.connections(), two.connections()), (1, 1));
    Ok(())
}

#[tokio::test]
async fn an_unknown_host_gets_a_small_page() -> Result<()> {
    let harness = Harness::start().await?;
    let answer = harness.client().await?.get("nobody.test", "/").await?;
    assert_eq!(answer.status, StatusCode::NOT_FOUND);
    assert!(
        answer.text.contains("Nothing is deployed here"),
        "{}",
        answer.text
    );
    assert!(answer.text.contains("width=device-width"));
    assert!(answer.text.len() < 1000);
    let named = format!("{:?} {}", answer.headers, answer.text).to_lowercase();
    for word in ["shipway", "hyper", env!("CARGO_PKG_VERSION")] {
        assert!(!named.contains(word), "{word} in {named}");
    }
    Ok(())
}

#[tokio::test]
async fn a_request_without_a_host_is_refused() -> Result<()> {
    let harness = Harness::start().await?;
    for request in [
        "GET / HTTP/1.1\r\nConnection: close\r\n\r\n",
        "GET / HTTP/1.0\r\n\r\n",
        "GET / HTTP/1.1\r\nHost: a.test\r\nHost: b.test\r\nConnection: close\r\n\r\n",
    ] {
        let answer = raw(harness.address, request).await?;
        assert!(answer.contains(" 400 Bad Request"), "{answer}");
    }
    let connect = "CONNECT a.test:443 HTTP/1.1\r\nHost: a.test:443\r\nConnection: close\r\n\r\n";
    let answer = raw(harness.address, connect).await?;
    assert!(answer.contains(" 405 "), "{answer}");
    Ok(())
}

async fn told(
    client: &mut Client,
    request: Request<crate::client::Body>,
) -> Result<BTreeMap<String, String>> {
    Ok(serde_json::from_str(&client.send(request).await?.text)?)
}

#[tokio::test]
async fn an_instance_is_told_for_whom_it_answers() -> Result<()> {
    let harness = Harness::start_with(|config| config.trusted_forwarders.clear()).await?;
    let shop = Instance::start("shop").await?;
    harness.route("shop", &[&shop]).await?;
    let request = Request::post("/headers?a=b%20c")
        .header("host", "Shop.test:8080")
        .header("x-forwarded-for", "6.6.6.6")
        .header("x-forwarded-proto", "https")
        .header("connection", "x-secret")
        .header("x-secret", "1")
        .header("te", "trailers")
        .header("cookie", "a=1")
        .body(body("hello"))?;
    let told = told(&mut harness.client().await?, request).await?;
    let expected = [
        ("", "POST /headers?a=b%20c HTTP/1.1"),
        ("content-length", "5"),
        ("cookie", "a=1"),
        ("host", "Shop.test:8080"),
        ("x-forwarded-for", "127.0.0.1"),
        ("x-forwarded-host", "Shop.test:8080"),
        ("x-forwarded-proto", "http"),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.to_owned()));
    assert_eq!(told, BTreeMap::from(expected));
    Ok(())
}

#[tokio::test]
async fn a_trusted_forwarder_is_believed() -> Result<()> {
    let harness = Harness::start().await?;
    let shop = Instance::start("shop").await?;
    harness.route("shop", &[&shop]).await?;
    let request = Request::get("/headers")
        .header("host", "shop.test")
        .header("x-forwarded-for", "6.6.6.6")
        .header("x-forwarded-proto", "https")
        .body(no_body())?;
    let told = told(&mut harness.client().await?, request).await?;
    let told = |name: &str| told.get(name).map(String::as_str);
    assert_eq!(told("x-forwarded-for"), Some("6.6.6.6, 127.0.0.1"));
    assert_eq!(told("x-forwarded-proto"), Some("https"));
    assert_eq!(told("x-forwarded-host"), Some("shop.test"));
    Ok(())
}

#[tokio::test]
async fn answers_lose_what_is_for_the_neighbour() -> Result<()> {
    let harness = Harness::start().await?;
    let shop = Instance::start("shop").await?;
    harness.route("shop", &[&shop]).await?;
    let answer = harness.client().await?.get("shop.test", "/odd").await?;
    assert_eq!(answer.text, "odd");
    for name in ["keep-alive", "connection", "x-mine"] {
        assert!(!answer.headers.contains_key(name), "{name}");
    }
    assert!(answer.headers.contains_key("x-app"));
    Ok(())
}

#[tokio::test]
async fn old_clients_and_closing_ones_are_served() -> Result<()> {
    let harness = Harness::start().await?;
    let shop = Instance::start("shop").await?;
    harness.route("shop", &[&shop]).await?;
    let old = raw(harness.address, "GET / HTTP/1.0\r\nHost: shop.test\r\n\r\n").await?;
    assert!(
        old.starts_with("HTTP/1.0 200 OK") && old.ends_with("shop"),
        "{old}"
    );
    let closing = "GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n";
    let closing = raw(harness.address, closing).await?;
    assert!(
        closing.starts_with("HTTP/1.1 200 OK") && closing.ends_with("shop"),
        "{closing}"
    );
    // The client asked its neighbour to close; the instance was not asked.
    let mut client = harness.client().await?;
    client.get("shop.test", "/").await?;
    assert!(shop.connections() <= 2, "{}", shop.connections());
    Ok(())
}

#[tokio::test]
async fn an_instance_may_close_after_each_answer() -> Result<()> {
    let harness = Harness::start().await?;
    let shop = Instance::start("shop").await?;
    harness.route("shop", &[&shop]).await?;
    let mut client = harness.client().await?;
    for _ in 0..50 {
        assert_eq!(client.get("shop.test", "/close").await?.text, "shop");
    }
    assert_eq!(shop.connections(), 50);
    Ok(())
}

#[tokio::test]
async fn answers_without_a_body_pass() -> Result<()> {
    let harness = Harness::start().await?;
    let shop = Instance::start("shop").await?;
    harness.route("shop", &[&shop]).await?;
    let mut client = harness.client().await?;
    for _ in 0..3 {
        let head = Request::head("/")
            .header("host", "shop.test")
            .body(no_body())?;
        let head = client.send(head).await?;
        assert_eq!((head.status, head.text.as_str()), (StatusCode::OK, ""));
        assert_eq!(
            head.headers.get("content-length").map(|l| l.as_bytes()),
            Some(&b"4"[..])
        );
        let empty = client.get("shop.test", "/empty").await?;
        assert_eq!(empty.status, StatusCode::NO_CONTENT);
    }
    assert_eq!(shop.connections(), 1);
    Ok(())
}
