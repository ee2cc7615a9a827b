//! A new version that asks for more is accepted by somebody or refused, and so
//! is a component that nobody signed where signatures are demanded.

use axum::body::Body;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use shipway_api::signature::Key;

use crate::world::{Answer, COMPONENT, World};

const WANTS_FILES: &[u8] = b"\0asm component that wants files";
const KEY: &str = "RWTdUwjR/hP6grDShtdYUGx4tetZZLIs27qwHfygqSVNVk43tzzam4g+";
/// Over [`COMPONENT`], made with minisign.
const SIGNATURE: &str = concat!(
    "untrusted comment: signature from minisign secret key\n",
    "RUTdUwjR/hP6gtQNSUTOXIbATLmP/qLkb1hUQn+CS858BW1RgmseV7urdof9b8CzWNZUy4vf9Y7kPzgSTh2BxM7uBBBt8EN5tQA=\n",
    "trusted comment: component 1\n",
    "3VzIgVcB9VTCARsj+cEwXc8PwqId40JLFe85ZVSZ8xvszocqwbhNDVqGSjwkVz19xeAjVsjlmnLkRmDCUHAcCw==\n",
);
/// A key that signed nothing here.
const OTHER_KEY: &str = concat!(
    "-----BEGIN PUBLIC KEY-----\n",
    "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEQhq2LCq2GG16L1C+4krlo7eS/4L3\n",
    "o6FzGaweYXbtHEdtPyif3e1Tu5BfSUDZ3T9L3mXLqBWe65qus8EtaVYkbA==\n",
    "-----END PUBLIC KEY-----\n",
);

async fn install(
    world: &World,
    bytes: &'static [u8],
    query: &str,
    headers: &[(&str, &str)],
) -> Answer {
    let mut request = world
        .request("POST", &format!("/v1/plugins{query}"))
        .header("content-type", "application/wasm");
    for (name, text) in headers {
        request = request.header(*name, STANDARD.encode(text));
    }
    world.send(request.body(Body::from(bytes)).unwrap()).await
}

#[tokio::test]
async fn a_version_that_asks_for_more_replaces_nothing_until_it_is_accepted() {
    let world = World::new().await;
    let first = install(&world, COMPONENT, "", &[]).await.expect(201).json();
    let refused = install(&world, WANTS_FILES, "", &[]).await.expect(409);
    assert_eq!(refused.problem(), "asks-for-more");
    let problem = refused.json();
    assert_eq!(
        problem["difference"]["requests_more"],
        json!([{"capability": "files", "targets": ["NEWS.md"], "reason": "It says what is new."}])
    );
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("it asks for files NEWS.md"), "{detail}");
    let hint = problem["hint"].as_str().unwrap();
    assert!(hint.contains("nothing was changed"), "{hint}");
    let now = world.get("/v1/plugins/webhook").await.json();
    assert_eq!(now["digest"], first["digest"]);

    let refused = install(&world, WANTS_FILES, "?more=refuse", &[]).await;
    assert_eq!(refused.expect(409).problem(), "asks-for-more");
    let accepted = install(&world, WANTS_FILES, "?more=accept", &[]).await;
    let accepted = accepted.expect(200).json();
    assert_ne!(accepted["digest"], first["digest"]);
    // A request is never a grant.
    assert_eq!(accepted["grants"]["files"], json!([]));
    // Less than before needs no yes.
    install(&world, COMPONENT, "", &[]).await.expect(200);
    let wrong = install(&world, COMPONENT, "?more=perhaps", &[]).await;
    assert_eq!(wrong.expect(400).problem(), "invalid-query");
}

#[tokio::test]
async fn what_is_new_here_needs_no_acceptance() {
    let world = World::new().await;
    install(&world, WANTS_FILES, "", &[]).await.expect(201);
}

#[tokio::test]
async fn where_it_is_from_is_kept() {
    let world = World::new().await;
    let query = "?source=oci%3A%2F%2Fr.test%2Fhook%3A1";
    let plugin = install(&world, COMPONENT, query, &[]).await.expect(201);
    assert_eq!(
        plugin.json()["origin"],
        json!({"source": "oci://r.test/hook:1"})
    );
    let odd = install(&world, COMPONENT, "?source=a%1bb", &[]).await;
    assert_eq!(odd.expect(400).problem(), "invalid-query");
}

#[tokio::test]
async fn where_signatures_are_demanded_only_signed_components_come_in() {
    let world =
        World::demanding(vec![Key::read(OTHER_KEY).unwrap(), Key::read(KEY).unwrap()]).await;
    let unsigned = install(&world, COMPONENT, "", &[]).await.expect(422);
    assert_eq!(unsigned.problem(), "signature-missing");
    let detail = unsigned.json()["detail"].as_str().unwrap().to_owned();
    assert!(detail.contains("minisign key 82FA13FED10853DD"), "{detail}");

    let header = ("shipway-signature", SIGNATURE);
    let other = install(&world, WANTS_FILES, "", &[header])
        .await
        .expect(422);
    assert_eq!(other.problem(), "signature-invalid");
    let torn = ("shipway-signature", "not a signature");
    let torn = install(&world, COMPONENT, "", &[torn]).await.expect(422);
    assert_eq!(torn.problem(), "signature-invalid");
    assert_eq!(world.get("/v1/plugins").await.json()["items"], json!([]));

    let plugin = install(&world, COMPONENT, "", &[header]).await.expect(201);
    let signer = json!({"scheme": "minisign", "key": "82FA13FED10853DD"});
    assert_eq!(plugin.json()["origin"]["signer"], signer);
    let shown = world.get("/v1/plugins/webhook").await.json();
    assert_eq!(shown["origin"]["signer"], signer);
    // A key of one's own is no way around the demanded ones.
    let foreign = world_of(OTHER_KEY).await;
    let own = ("shipway-signature-key", KEY);
    let refused = install(&foreign, COMPONENT, "", &[header, own]).await;
    assert_eq!(refused.expect(422).problem(), "signature-invalid");
}

async fn world_of(key: &str) -> World {
    World::demanding(vec![Key::read(key).unwrap()]).await
}

#[tokio::test]
async fn a_caller_may_demand_a_key_too() {
    let world = World::new().await;
    let (signature, key) = (
        ("shipway-signature", SIGNATURE),
        ("shipway-signature-key", KEY),
    );
    let unsigned = install(&world, COMPONENT, "", &[key]).await.expect(422);
    assert_eq!(unsigned.problem(), "signature-missing");
    let without_key = install(&world, COMPONENT, "", &[signature]).await;
    assert_eq!(without_key.expect(422).problem(), "signature-invalid");
    let other = ("shipway-signature-key", OTHER_KEY);
    let other = install(&world, COMPONENT, "", &[signature, other]).await;
    assert_eq!(other.expect(422).problem(), "signature-invalid");
    let no_key = ("shipway-signature-key", "hello");
    let no_key = install(&world, COMPONENT, "", &[signature, no_key]).await;
    assert_eq!(no_key.expect(400).problem(), "invalid-header");
    install(&world, COMPONENT, "", &[signature, key])
        .await
        .expect(201);
    // An unsigned one in its place is unsigned, and says so.
    let again = install(&world, COMPONENT, "", &[]).await.expect(200);
    assert_eq!(again.json()["origin"], json!({}));
}
