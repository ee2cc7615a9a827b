//! Deliveries of webhooks: what is taken, what is refused, and that it is
//! written down. The bodies in the shape of each Git host are sent to a real
//! engine by the integration tests.

use axum::body::Body;
use ring::hmac;
use serde_json::{Value, json};

use crate::world::{Answer, World};

const SECRET: &str = "a-secret-of-the-host";
const HEAD: &str = "6dcb09b5b57875f334f61aebed695e2e4193db5e";

async fn webhook(world: &World, provider: &str) -> String {
    let new = json!({
        "provider": provider, "secret": SECRET,
        "repository": "https://git.example.com/octo/guestbook",
        "rules": [{"on": "branch", "pattern": "main", "environment": "live"}],
    });
    let path = "/v1/apps/guestbook/webhooks";
    let made = world.post(path, new).await.expect(201).json();
    made["path"].as_str().unwrap().to_owned()
}

fn push(reference: &str) -> Value {
    json!({
        "ref": reference, "before": "0".repeat(40), "after": HEAD,
        "repository": {"clone_url": "https://git.example.com/octo/guestbook.git"},
    })
}

fn signed(body: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes());
    let tag = hmac::sign(&key, body.as_bytes());
    let hex: String = tag
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("sha256={hex}")
}

async fn deliver(world: &World, path: &str, id: &str, body: &str, signature: &str) -> Answer {
    let request = http::Request::post(path)
        .header("content-type", "application/json")
        .header("x-github-event", "push")
        .header("x-github-delivery", id)
        .header("x-hub-signature-256", signature)
        .body(Body::from(body.to_owned()));
    world.send(request.unwrap()).await
}

async fn deployments(world: &World) -> usize {
    let page = world.get("/v1/deployments").await.expect(200).json();
    page["items"].as_array().unwrap().len()
}

async fn newest(world: &World) -> (String, String) {
    let page = world
        .get("/v1/audit?action=deliver_webhook")
        .await
        .expect(200)
        .json();
    let newest = &page["items"][0];
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    (
        text(&newest["actor"]["kind"]),
        text(&newest["outcome"]["reason"]),
    )
}

#[tokio::test]
async fn a_push_deploys_its_commit_once() {
    let world = World::with_guestbook().await;
    let path = webhook(&world, "github").await;
    let body = push("refs/heads/main").to_string();
    let first = deliver(&world, &path, "one", &body, &signed(&body))
        .await
        .expect(202)
        .json();
    assert_eq!(first["message"], "deploying to live");
    let location = first["deployments"][0]["location"].as_str().unwrap();
    let made = world.get(location).await.expect(200).json();
    assert_eq!(
        (&made["reference"], &made["by"]),
        (&json!(HEAD), &json!("webhook github delivery one"))
    );
    assert_eq!(newest(&world).await, ("webhook".into(), "-".into()));

    let again = deliver(&world, &path, "one", &body, &signed(&body))
        .await
        .expect(200)
        .json();
    assert_eq!(again["deployments"], first["deployments"]);
    assert_eq!(deployments(&world).await, 1);
}

#[tokio::test]
async fn what_is_not_genuine_is_refused_and_written_down() {
    let world = World::with_guestbook().await;
    let path = webhook(&world, "github").await;
    let body = push("refs/heads/main").to_string();
    let mut foreign = push("refs/heads/main");
    foreign["repository"]["clone_url"] = json!("https://git.example.com/octo/other.git");
    let foreign = foreign.to_string();
    let unlike = push("refs/heads/other").to_string();
    deliver(&world, &path, "one", &body, &signed(&body))
        .await
        .expect(202);
    let cases: [(&str, &str, &str, u16, &str, &str); 6] = [
        (
            "two",
            &body,
            "sha256=00",
            403,
            "invalid-signature",
            "anonymous",
        ),
        (
            "two",
            &body,
            &signed(&unlike),
            403,
            "invalid-signature",
            "anonymous",
        ),
        (
            "two",
            &foreign,
            &signed(&foreign),
            403,
            "foreign-repository",
            "webhook",
        ),
        (
            "two",
            &body,
            &signed(&body),
            409,
            "replayed-delivery",
            "webhook",
        ),
        (
            "",
            &body,
            &signed(&body),
            400,
            "invalid-header",
            "anonymous",
        ),
        ("two", "{", &signed("{"), 400, "malformed-body", "anonymous"),
    ];
    for (id, body, signature, status, kind, actor) in cases {
        let refused = deliver(&world, &path, id, body, signature)
            .await
            .expect(status);
        assert_eq!(refused.problem(), kind);
        assert_eq!(newest(&world).await, (actor.into(), kind.into()));
    }
    let nobodys = format!("/v1/webhooks/{}", "0".repeat(32));
    let refused = deliver(&world, &nobodys, "two", &body, &signed(&body))
        .await
        .expect(404);
    assert_eq!(refused.problem(), "not-found");
    assert_eq!(deployments(&world).await, 1);
    let log = world.get("/v1/audit").await.expect(200).text;
    assert!(!log.contains(SECRET) && !log.contains(HEAD), "{log}");
}

#[tokio::test]
async fn one_id_cannot_say_two_things() {
    let world = World::with_guestbook().await;
    let path = webhook(&world, "github").await;
    let body = push("refs/heads/main").to_string();
    deliver(&world, &path, "one", &body, &signed(&body))
        .await
        .expect(202);
    let mut later = push("refs/heads/main");
    later["after"] = json!("7".repeat(40));
    let later = later.to_string();
    let refused = deliver(&world, &path, "one", &later, &signed(&later))
        .await
        .expect(409);
    assert_eq!(refused.problem(), "replayed-delivery");
}

#[tokio::test]
async fn what_has_nothing_to_do_says_why_and_is_no_entry() {
    let world = World::with_guestbook().await;
    let path = webhook(&world, "github").await;
    let body = push("refs/heads/docs").to_string();
    let answer = deliver(&world, &path, "one", &body, &signed(&body))
        .await
        .expect(200)
        .json();
    assert_eq!(
        answer["message"],
        "nothing to do: branch docs deploys to no environment"
    );
    assert_eq!(answer["deployments"], json!([]));
    let log = world
        .get("/v1/audit?action=deliver_webhook")
        .await
        .expect(200)
        .json();
    assert_eq!(log["items"], json!([]));
}

#[tokio::test]
async fn a_body_that_is_too_large_is_not_read() {
    let world = World::with_guestbook().await;
    let path = webhook(&world, "github").await;
    let large = format!("\"{}\"", "x".repeat(5 << 20));
    let refused = deliver(&world, &path, "one", &large, &signed(&large))
        .await
        .expect(413);
    assert_eq!(refused.problem(), "too-large");
}

#[tokio::test]
async fn a_webhook_is_listed_without_its_secret_and_goes() {
    let world = World::with_guestbook().await;
    let path = "/v1/apps/guestbook/webhooks";
    let rules = json!([{"on": "branch", "pattern": "main", "environment": "live"}]);
    for provider in ["github", "gitlab", "gitea", "bitbucket", "plain"] {
        let new = json!({"provider": provider, "rules": rules});
        let made = world.post(path, new).await.expect(201).json();
        let secret = made["secret"].as_str().unwrap();
        assert!(secret.len() >= 44, "{secret}");
        let one = format!("{path}/{}", made["id"].as_str().unwrap());
        let shown = world.get(&one).await.expect(200);
        assert!(!shown.text.contains(secret) && !shown.text.contains("secret"));
        let listed = world.get(path).await.expect(200);
        assert!(!listed.text.contains(secret));
        world.delete(&one).await.expect(204);
        world.get(&one).await.expect(404);
    }
    assert_eq!(world.get(path).await.expect(200).json()["items"], json!([]));
}

#[tokio::test]
async fn a_webhook_that_could_do_nothing_is_refused() {
    let world = World::with_guestbook().await;
    let rule = |pattern: &str, environment: &str| json!([{"on": "branch", "pattern": pattern, "environment": environment}]);
    let good = rule("main", "live");
    for (new, status, words) in [
        (json!({"provider": "github", "rules": []}), 422, "1 to 100"),
        (
            json!({"provider": "github", "rules": rule("main", "prod")}),
            422,
            "no environment prod",
        ),
        (
            json!({"provider": "github", "rules": rule("refs/heads/main", "live")}),
            422,
            "without refs/",
        ),
        (json!({"provider": "svn", "rules": good}), 422, "svn"),
        (
            json!({"provider": "github", "rules": good, "secret": "short"}),
            422,
            "16 to 255",
        ),
        (
            json!({"provider": "plain", "rules": good, "secret": "whsec_!!!!!!!!!!!!"}),
            422,
            "base64",
        ),
    ] {
        let refused = world
            .post("/v1/apps/guestbook/webhooks", new)
            .await
            .expect(status);
        let detail = refused.json()["detail"].as_str().unwrap().to_owned();
        assert!(detail.contains(words), "{words:?} in {detail}");
    }
}

#[tokio::test]
async fn github_may_send_a_form() {
    let world = World::with_guestbook().await;
    let path = webhook(&world, "github").await;
    let json = push("refs/heads/main").to_string();
    let form: String = json.bytes().map(|byte| format!("%{byte:02x}")).collect();
    for (body, status) in [
        (format!("payload={form}"), 202),
        ("other=1".to_owned(), 422),
    ] {
        let request = http::Request::post(&path)
            .header("content-type", "application/x-www-form-urlencoded")
            .header("x-github-event", "push")
            .header("x-github-delivery", "one")
            .header("x-hub-signature-256", signed(&body))
            .body(Body::from(body));
        world.send(request.unwrap()).await.expect(status);
    }
}
