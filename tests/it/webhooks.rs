//! Deliveries in the shape that each Git host documents (`tests/deliveries`),
//! over HTTP to a real engine that deploys from a real repository.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use reqwest::Method;
use ring::hmac;
use serde_json::{Value, json};
use shipway_tests::api::Answer;
use shipway_tests::app::Environment;
use shipway_tests::deployment::Deployment;
use shipway_tests::parts;
use shipway_tests::repo::Repo;
use shipway_tests::ship::Ship;

use crate::apps::{next_version, quick, serves};

const SECRET: &str = "whsec_c2hpcHdheS1zaGlwd2F5LXNoaXB3YXktc2hpcA==";
const NOBODY: &str = "whsec_bm9ib2R5LW5vYm9keS1ub2JvZHktbm9ib2R5LW5vYg==";

/// The headers of a delivery, from its id, its kind, its body and the secret.
type Headers = fn(&str, &str, &[u8], &str) -> Vec<(&'static str, String)>;

/// How a host signs and names what it sends.
struct Host {
    name: &'static str,
    repository: &'static str,
    headers: Headers,
    /// What is sent that is no push, its name there, and the answer.
    greeting: (&'static str, &'static str),
}

fn hex(secret: &str, body: &[u8]) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let tag = hmac::sign(&key, body);
    tag.as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn seconds() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("after 1970")
        .as_secs()
}

fn stamped(id: &str, body: &[u8], secret: &str, time: u64) -> Vec<(&'static str, String)> {
    let key = STANDARD
        .decode(secret.trim_start_matches("whsec_"))
        .expect("base64");
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let signed = [format!("{id}.{time}.").as_bytes(), body].concat();
    let tag = STANDARD.encode(hmac::sign(&key, &signed));
    vec![
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", time.to_string()),
        ("webhook-signature", format!("v1,{tag}")),
    ]
}

fn github(id: &str, what: &str, body: &[u8], secret: &str) -> Vec<(&'static str, String)> {
    let event = if what == "ping" { "ping" } else { "push" };
    vec![
        ("user-agent", "GitHub-Hookshot/044aadd".to_owned()),
        ("x-github-event", event.to_owned()),
        ("x-github-delivery", id.to_owned()),
        ("x-github-hook-id", "109948940".to_owned()),
        (
            "x-hub-signature-256",
            format!("sha256={}", hex(secret, body)),
        ),
    ]
}

fn gitlab_token(id: &str, what: &str, _: &[u8], secret: &str) -> Vec<(&'static str, String)> {
    let event = match what {
        "tag" => "Tag Push Hook",
        "issue" => "Issue Hook",
        _ => "Push Hook",
    };
    vec![
        ("user-agent", "GitLab/18.5.0".to_owned()),
        ("x-gitlab-event", event.to_owned()),
        ("x-gitlab-event-uuid", format!("event-{id}")),
        ("x-gitlab-instance", "https://gitlab.com".to_owned()),
        ("idempotency-key", id.to_owned()),
        ("x-gitlab-token", secret.to_owned()),
    ]
}

fn gitlab_signed(id: &str, what: &str, body: &[u8], secret: &str) -> Vec<(&'static str, String)> {
    let mut headers = gitlab_token(id, what, body, secret);
    headers.pop();
    headers.extend(stamped(id, body, secret, seconds()));
    headers
}

fn gitea(id: &str, what: &str, body: &[u8], secret: &str) -> Vec<(&'static str, String)> {
    let event = if what == "delete" { "delete" } else { "push" };
    let mut headers = github(id, what, body, secret);
    headers.retain(|(name, _)| *name != "user-agent" && *name != "x-github-event");
    headers.extend([
        ("x-github-event", event.to_owned()),
        ("x-gitea-event", event.to_owned()),
        ("x-gitea-delivery", id.to_owned()),
        ("x-gitea-signature", hex(secret, body)),
    ]);
    headers
}

fn forgejo(id: &str, what: &str, body: &[u8], secret: &str) -> Vec<(&'static str, String)> {
    let mut headers = gitea(id, what, body, secret);
    headers.extend([
        ("x-forgejo-event", "push".to_owned()),
        ("x-forgejo-delivery", id.to_owned()),
        ("x-forgejo-signature", hex(secret, body)),
    ]);
    headers
}

fn bitbucket(id: &str, what: &str, body: &[u8], secret: &str) -> Vec<(&'static str, String)> {
    let event = if what == "ping" {
        "diagnostics:ping"
    } else {
        "repo:push"
    };
    vec![
        ("user-agent", "Bitbucket-Webhooks/2.0".to_owned()),
        ("x-event-key", event.to_owned()),
        ("x-hook-uuid", "{hook}".to_owned()),
        ("x-request-uuid", id.to_owned()),
        ("x-attempt-number", "1".to_owned()),
        ("x-hub-signature", format!("sha256={}", hex(secret, body))),
    ]
}

fn bitbucket_data_center(
    id: &str,
    what: &str,
    body: &[u8],
    secret: &str,
) -> Vec<(&'static str, String)> {
    let event = if what == "ping" {
        "diagnostics:ping"
    } else {
        "repo:refs_changed"
    };
    vec![
        ("user-agent", "Atlassian HttpClient 4.2.0".to_owned()),
        ("x-event-key", event.to_owned()),
        ("x-request-id", id.to_owned()),
        ("x-hub-signature", format!("sha256={}", hex(secret, body))),
    ]
}

fn plain(id: &str, _: &str, body: &[u8], secret: &str) -> Vec<(&'static str, String)> {
    stamped(id, body, secret, seconds())
}

/// An app that deploys from a repository of this machine, and a webhook for
/// the address that its host has.
struct Stage<'a> {
    ship: &'a Ship,
    repo: Repo,
    live: Environment<'a>,
    host: &'a Host,
    path: String,
}

impl<'a> Stage<'a> {
    fn new(ship: &'a Ship, host: &'a Host) -> Self {
        let repo = Repo::of("tests/apps/tiny");
        let live = ship
            .app(host.name, &repo)
            .environment("live", quick("process"));
        let body = json!({
            "provider": host.name.split('-').next(),
            "secret": SECRET,
            "repository": host.repository,
            "rules": [{"on": "branch", "pattern": "main", "environment": "live"}],
        });
        let path = format!("/v1/apps/{}/webhooks", live.app);
        let made = ship.api.post(&path, &body).ok();
        let path = made["path"].as_str().expect("a path").to_owned();
        Self {
            ship,
            repo,
            live,
            host,
            path,
        }
    }

    fn body(&self, what: &str) -> Vec<u8> {
        let folder = match self.host.name {
            own @ "bitbucket-data-center" => own,
            name => name.split('-').next().unwrap_or_default(),
        };
        let file = format!("tests/deliveries/{folder}/{what}.json");
        let text = std::fs::read_to_string(parts::root().join(&file)).expect("a delivery");
        let head = self.repo.git(&["rev-parse", "HEAD"]);
        text.replace("TAG-OBJECT", &"7".repeat(40))
            .replace("AFTER", &head)
            .replace("BEFORE", &"b".repeat(40))
            .into_bytes()
    }

    fn send(&self, id: &str, what: &str, body: &[u8], secret: &str) -> Answer {
        let api = self.ship.api.with_token(None);
        let mut request = api.request(Method::POST, &self.path);
        for (name, value) in (self.host.headers)(id, what, body, secret) {
            request = request.header(name, value);
        }
        let request = request.header("content-type", "application/json");
        api.send(request.body(body.to_vec()))
    }

    fn deliver(&self, id: &str, what: &str) -> Answer {
        self.send(id, what, &self.body(what), SECRET)
    }

    /// The deployment of a push, ended.
    fn deploys(&self, id: &str, what: &str) -> Deployment<'a> {
        let answer = self.deliver(id, what);
        assert_eq!(answer.status, 202, "{what}: {}", answer.text());
        let made = answer.json()["deployments"][0].clone();
        assert_eq!(made["reference"], self.repo.git(&["rev-parse", "HEAD"]));
        let id = made["id"].as_str().expect("an id").to_owned();
        Deployment::new(self.ship, id).ended()
    }

    #[track_caller]
    fn does_nothing(&self, id: &str, what: &str, why: &str) {
        let answer = self.deliver(id, what);
        assert_eq!(answer.status, 200, "{what}: {}", answer.text());
        assert_eq!(answer.json()["message"], why, "{what}");
        assert_eq!(answer.json()["deployments"], json!([]), "{what}");
    }

    fn audited(&self) -> Vec<(String, String)> {
        let path = format!("/v1/audit?action=deliver_webhook&app={}", self.live.app);
        let page = self.ship.api.get(&path).ok();
        let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
        let records = page["items"].as_array().expect("records").iter();
        let rows = records.map(|record| {
            assert_eq!(record["from"], "127.0.0.1", "{record}");
            (
                text(&record["actor"]["kind"]),
                text(&record["outcome"]["reason"]),
            )
        });
        rows.collect()
    }
}

fn each_delivery_ends_as_it_should(host: &Host) {
    let Some(ship) = Ship::start() else { return };
    let stage = Stage::new(&ship, host);
    let (greeting, said) = host.greeting;
    stage.does_nothing("0", greeting, said);

    next_version(&stage.repo, "2");
    let pushed = stage.deploys("1", "push");
    pushed.succeeded();
    serves(&stage.live, "2");
    let by = format!(
        "webhook {} delivery 1",
        host.name.split('-').next().expect("a name")
    );
    assert_eq!(pushed.now()["by"], by);
    let history = ship.cli().ok(&["history", &stage.live.key()]).stdout;
    assert!(history.contains("delivery 1"), "{history}");

    // Sent again, it is the same deployment.
    let again = stage.deliver("1", "push");
    assert_eq!(
        (again.status, again.json()["deployments"][0]["id"].as_str()),
        (200, Some(&*pushed.id))
    );

    stage.does_nothing(
        "2",
        "tag",
        "nothing to do: tag v1.0.0 deploys to no environment",
    );
    stage.does_nothing("3", "deleted", "nothing to do: branch main was deleted");

    // History is written anew.
    stage.repo.git(&["reset", "-q", "--hard", "HEAD~1"]);
    next_version(&stage.repo, "3");
    stage.deploys("4", "force-push").succeeded();
    serves(&stage.live, "3");
    refuses_what_is_not_genuine(&stage);
}

fn refuses_what_is_not_genuine(stage: &Stage<'_>) {
    next_version(&stage.repo, "4");
    let body = stage.body("push");
    stage
        .send("5", "push", &body, NOBODY)
        .problem(403, "invalid-signature");
    let foreign = String::from_utf8(body)
        .expect("text")
        .replace("octo/hello", "mallory/hello");
    let foreign = foreign.into_bytes();
    stage
        .send("5", "push", &foreign, SECRET)
        .problem(403, "foreign-repository");
    // A push seen before, under the id of one that was seen before.
    stage
        .send("4", "push", &stage.body("push"), SECRET)
        .problem(409, "replayed-delivery");
    assert_eq!(stage.live.get("/").text(), "version 3\n");
    let kinds = [
        "replayed-delivery",
        "foreign-repository",
        "invalid-signature",
        "-",
        "-",
    ];
    let audited = stage.audited();
    let reasons: Vec<&str> = audited.iter().map(|(_, reason)| reason.as_str()).collect();
    assert_eq!(reasons, kinds);
    let actors: Vec<&str> = audited.iter().map(|(actor, _)| actor.as_str()).collect();
    assert_eq!(
        actors,
        ["webhook", "webhook", "anonymous", "webhook", "webhook"]
    );
    let text = stage
        .ship
        .cli()
        .ok(&["audit", "--app", &stage.live.app])
        .stdout;
    assert!(
        text.contains("refused: invalid-signature") && !text.contains(SECRET),
        "{text}"
    );
}

#[test]
fn github_deploys() {
    each_delivery_ends_as_it_should(&Host {
        name: "github",
        repository: "git@github.com:octo/hello.git",
        headers: github,
        greeting: ("ping", "pong: deliveries arrive"),
    });
}

#[test]
fn gitlab_deploys_by_its_token() {
    each_delivery_ends_as_it_should(&Host {
        name: "gitlab",
        repository: "https://gitlab.com/octo/hello",
        headers: gitlab_token,
        greeting: ("issue", "nothing to do: issue is no push"),
    });
}

#[test]
fn gitlab_deploys_by_its_signature() {
    each_delivery_ends_as_it_should(&Host {
        name: "gitlab-signed",
        repository: "https://gitlab.com/octo/hello",
        headers: gitlab_signed,
        greeting: ("issue", "nothing to do: issue is no push"),
    });
}

#[test]
fn gitea_deploys() {
    each_delivery_ends_as_it_should(&Host {
        name: "gitea",
        repository: "https://gitea.example.com/octo/hello",
        headers: gitea,
        greeting: ("delete", "nothing to do: delete is no push"),
    });
}

#[test]
fn forgejo_deploys() {
    each_delivery_ends_as_it_should(&Host {
        name: "gitea-forgejo",
        repository: "https://gitea.example.com/octo/hello",
        headers: forgejo,
        greeting: ("deleted", "nothing to do: branch main was deleted"),
    });
}

#[test]
fn bitbucket_deploys() {
    each_delivery_ends_as_it_should(&Host {
        name: "bitbucket",
        repository: "git@bitbucket.org:octo/hello.git",
        headers: bitbucket,
        greeting: ("ping", "pong: deliveries arrive"),
    });
}

#[test]
fn bitbucket_data_center_deploys() {
    each_delivery_ends_as_it_should(&Host {
        name: "bitbucket-data-center",
        repository: "https://bitbucket.example.com/scm/octo/hello.git",
        headers: bitbucket_data_center,
        greeting: ("ping", "pong: deliveries arrive"),
    });
}

#[test]
fn anything_that_signs_deploys() {
    each_delivery_ends_as_it_should(&Host {
        name: "plain",
        repository: "https://git.example.com/octo/hello",
        headers: plain,
        greeting: ("ping", "pong: deliveries arrive"),
    });
}

#[test]
fn an_old_delivery_is_refused_where_its_time_is_signed() {
    let Some(ship) = Ship::start() else { return };
    let host = Host {
        name: "plain",
        repository: "https://git.example.com/octo/hello",
        headers: |id, _, body, secret| stamped(id, body, secret, seconds() - 301),
        greeting: ("ping", ""),
    };
    let stage = Stage::new(&ship, &host);
    stage.deliver("1", "push").problem(403, "stale-delivery");
    assert_eq!(
        stage.audited(),
        [("anonymous".to_owned(), "stale-delivery".to_owned())]
    );
}

#[test]
fn the_command_line_makes_webhooks_and_a_tag_deploys_to_two_places() {
    let Some(ship) = Ship::start() else { return };
    let repo = Repo::of("tests/apps/tiny");
    let app = ship.app("tags", &repo);
    let (live, test) = (
        app.environment("live", quick("process")),
        app.environment("test", quick("process")),
    );
    let cli = ship.cli();
    let arguments = ["webhook", "add", &app.name, "--provider", "github"];
    let rules = [
        "--tag",
        "v*=live",
        "--tag",
        "v*=test",
        "--repository",
        "https://github.com/octo/hello",
    ];
    let made = cli.ok(&[&arguments[..], &rules[..]].concat()).stdout;
    let word = |name: &str| {
        let line = made.lines().find_map(|line| line.strip_prefix(name));
        line.expect("a line").trim().to_owned()
    };
    let (address, secret) = (word("address"), word("secret"));
    let id = address.rsplit('/').next().expect("an id").to_owned();
    let listed = cli.ok(&["webhook", "list", &app.name]).stdout;
    assert!(
        listed.contains("tag v* to live") && !listed.contains(&secret),
        "{listed}"
    );

    let host = Host {
        name: "github",
        repository: "",
        headers: github,
        greeting: ("ping", ""),
    };
    let stage = Stage {
        ship: &ship,
        repo,
        live,
        host: &host,
        path: format!("/v1/webhooks/{id}"),
    };
    let body = stage.body("tag");
    let answer = stage.send("1", "tag", &body, &secret);
    assert_eq!(answer.status, 202, "{}", answer.text());
    for made in answer.json()["deployments"].as_array().expect("two") {
        let id = made["id"].as_str().expect("an id").to_owned();
        Deployment::new(&ship, id).ended().succeeded();
    }
    serves(&stage.live, "1");
    serves(&test, "1");

    cli.ok(&["webhook", "remove", &app.name, &id]);
    stage
        .send("2", "tag", &body, &secret)
        .problem(404, "not-found");
}
