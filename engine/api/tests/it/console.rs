//! The console without a browser: sessions, roles, forms, headers.

use axum::body::Body;
use http::Request;
use serde_json::json;
use shipway_api::console::settings::ConsoleSettings;
use shipway_core::token::Scope;

use crate::world::{Answer, World};

const HOST: &str = "shipway.test";
const LIVE: &str = "/apps/guestbook/environments/live";

/// A browser with a cookie jar of one engine's.
struct Browser<'a> {
    world: &'a World,
    cookies: Vec<(String, String)>,
    headers: Vec<(&'static str, String)>,
}

impl<'a> Browser<'a> {
    fn new(world: &'a World) -> Self {
        let origin = ("origin", format!("http://{HOST}"));
        Self {
            world,
            cookies: Vec::new(),
            headers: vec![origin],
        }
    }

    async fn signed_in(world: &'a World, token: &str) -> Self {
        let mut browser = Self::new(world);
        browser.sign_in(token).await.expect(303);
        browser
    }

    async fn sign_in(&mut self, token: &str) -> Answer {
        self.get("/sign-in").await.expect(200);
        self.post("/sign-in", "/sign-in", &[("token", token)]).await
    }

    fn request(&self, method: &str, path: &str) -> http::request::Builder {
        let jar: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", HOST)
            .header("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
            .header("cookie", jar.join("; "));
        let headers = self.headers.iter();
        headers.fold(request, |request, (name, value)| {
            request.header(*name, value)
        })
    }

    async fn get(&mut self, path: &str) -> Answer {
        let request = self.request("GET", path).body(Body::empty()).unwrap();
        self.send(request).await
    }

    /// Sends a form that stands on a page, with its token.
    async fn post(&mut self, page: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = form_token(&self.get(page).await.text);
        self.send_form(path, &token, fields).await
    }

    async fn send_form(&mut self, path: &str, token: &str, fields: &[(&str, &str)]) -> Answer {
        let all = [("form", token)].into_iter().chain(fields.iter().copied());
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(all)
            .finish();
        let request = self
            .request("POST", path)
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Body::from(body))
            .unwrap();
        self.send(request).await
    }

    async fn send(&mut self, request: Request<Body>) -> Answer {
        let answer = self.world.send(request).await;
        for cookie in answer.headers.get_all("set-cookie") {
            let text = cookie.to_str().unwrap();
            let (name, rest) = text.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        answer
    }

    fn has_session(&self) -> bool {
        self.cookies
            .iter()
            .any(|(name, _)| name.ends_with("session"))
    }
}

fn form_token(page: &str) -> String {
    let (_, rest) = page.split_once("name=\"form\" value=\"").unwrap();
    rest.split('"').next().unwrap().to_owned()
}

fn location(answer: &Answer) -> &str {
    answer.headers["location"].to_str().unwrap()
}

#[tokio::test]
async fn a_token_is_exchanged_for_a_session_and_back() {
    let world = World::with_guestbook().await;
    let mut browser = Browser::new(&world);
    let sent = browser.get("/deployments?before=").await.expect(303);
    assert_eq!(location(&sent), "/sign-in?next=%2Fdeployments%3Fbefore%3D");
    let refused = browser.sign_in("shipway_0000").await.expect(401);
    assert!(refused.text.contains("This token is not known"));
    assert!(!browser.has_session());

    let admin = world.admin.clone();
    let signed_in = browser.sign_in(&admin).await.expect(303);
    let cookie = signed_in
        .headers
        .get_all("set-cookie")
        .iter()
        .map(|value| value.to_str().unwrap())
        .find(|text| text.contains("session="))
        .unwrap();
    for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=43200"] {
        assert!(cookie.contains(part), "{cookie}");
    }
    assert!(!cookie.contains("Secure") && !cookie.contains(&admin));
    let page = browser.get("/").await.expect(200);
    assert!(page.text.contains("guestbook") && !page.text.contains(&admin));

    let kept = browser.cookies.clone();
    browser.post("/", "/sign-out", &[]).await.expect(303);
    assert!(!browser.has_session());
    // A copy of the cookie is worth nothing either.
    browser.cookies = kept;
    browser.get("/").await.expect(303);
}

#[tokio::test]
async fn behind_tls_the_cookie_stays_there() {
    let world = World::with_guestbook().await;
    let mut browser = Browser::new(&world);
    browser.headers = vec![
        ("origin", format!("https://{HOST}")),
        ("x-forwarded-proto", "https".to_owned()),
    ];
    let answer = browser.sign_in(&world.admin).await.expect(303);
    let cookies = answer.headers.get_all("set-cookie").iter();
    let all: Vec<&str> = cookies.map(|value| value.to_str().unwrap()).collect();
    assert!(
        all.iter()
            .all(|text| text.starts_with("__Host-") && text.contains("Secure")),
        "{all:?}"
    );
    browser.get("/").await.expect(200);
    // What came over TLS is not taken without it.
    browser.headers.pop();
    browser.get("/").await.expect(303);
}

#[tokio::test]
async fn a_session_ends_with_its_token_and_with_its_time() {
    let world = World::with_guestbook().await;
    let token = world.token("ci", Scope::Deploy, &[]).await;
    let mut browser = Browser::signed_in(&world, &token).await;
    browser.get("/").await.expect(200);
    world.delete("/v1/tokens/ci").await.expect(204);
    browser.get("/").await.expect(303);

    let mut browser = Browser::signed_in(&world, &world.admin).await;
    // The clock of this world goes a second for each look at it.
    world
        .clock
        .pass(std::time::Duration::from_secs(12 * 60 * 60));
    let sent = browser.get("/").await.expect(303);
    assert_eq!(location(&sent), "/sign-in");
    assert!(!browser.has_session());
}

#[tokio::test]
async fn a_session_is_no_way_into_the_api() {
    let world = World::with_guestbook().await;
    let mut browser = Browser::signed_in(&world, &world.admin).await;
    browser.get("/v1/apps").await.expect(401);
}

#[tokio::test]
async fn every_page_is_strict_about_what_it_loads() {
    let world = World::with_guestbook().await;
    let id = world.deployment().await;
    let mut browser = Browser::signed_in(&world, &world.admin).await;
    let deployment = format!("/deployments/{id}");
    for path in [
        "/",
        "/sign-in",
        "/apps/guestbook",
        LIVE,
        "/deployments",
        "/plugins",
        &deployment,
        "/nowhere",
    ] {
        let page = browser.get(path).await;
        let policy = page.headers["content-security-policy"].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{policy}");
        assert!(policy.contains("frame-ancestors 'none'") && policy.contains("base-uri 'none'"));
        assert!(
            !policy.contains("unsafe") && !policy.contains("http"),
            "{policy}"
        );
        assert_eq!(page.headers["x-content-type-options"], "nosniff");
        assert_eq!(page.headers["referrer-policy"], "same-origin");
        assert_eq!(page.headers["cache-control"], "no-store");
        let text = page.text;
        assert!(text.starts_with("<!DOCTYPE html>"), "{path}: {text}");
        for inline in [
            " style=",
            "<style",
            " onclick=",
            "javascript:",
            "//cdn",
            "src=\"http",
            "href=\"http",
        ] {
            assert!(!text.contains(inline), "{path} has {inline}: {text}");
        }
        assert!(text.len() < 20_000, "{path}: {}", text.len());
    }
}

#[tokio::test]
async fn assets_are_kept_for_good_and_small() {
    let world = World::with_guestbook().await;
    let mut browser = Browser::new(&world);
    let page = browser.get("/sign-in").await.text;
    let mut size = page.len();
    for part in page
        .split(['"', ' '])
        .filter(|part| part.starts_with("/assets/"))
    {
        let asset = browser.get(part).await.expect(200);
        assert_eq!(
            asset.headers["cache-control"],
            "public, max-age=31536000, immutable"
        );
        size += asset.text.len();
    }
    assert!((10_000..60_000).contains(&size), "{size}");
    browser.get("/assets/0000-console.css").await.expect(404);
}

#[tokio::test]
async fn a_form_without_its_token_or_from_elsewhere_changes_nothing() {
    let world = World::with_guestbook().await;
    let mut browser = Browser::signed_in(&world, &world.admin).await;
    let path = format!("{LIVE}/variables");
    let fields = [("name", "GREETING"), ("value", "hi")];
    for token in ["", "0000"] {
        let refused = browser.send_form(&path, token, &fields).await.expect(403);
        assert!(
            refused.text.contains("The form is not one of this session"),
            "{}",
            refused.text
        );
    }
    let token = form_token(&browser.get(&path).await.text);
    for origin in ["https://evil.test", "null", "http://shipway.test.evil.test"] {
        browser.headers = vec![("origin", origin.to_owned())];
        let refused = browser.send_form(&path, &token, &fields).await.expect(403);
        assert!(refused.text.contains("--public-url"), "{}", refused.text);
    }
    browser.headers.clear();
    browser.send_form(&path, &token, &fields).await.expect(403);
    // The token of another session.
    let mut other = Browser::signed_in(&world, &world.admin).await;
    other.send_form(&path, &token, &fields).await.expect(403);
    let variables = world.get("/v1/apps/guestbook/environments/live/variables");
    assert_eq!(variables.await.json()["items"], json!([]));

    browser.headers = vec![("origin", format!("http://{HOST}"))];
    let done = browser.send_form(&path, &token, &fields).await.expect(303);
    assert_eq!(location(&done), format!("{path}?told=set"));
}

#[tokio::test]
async fn forms_come_through_a_proxy_under_the_public_address() {
    let mut world = World::with_guestbook().await;
    world.with_console(ConsoleSettings {
        public_url: Some("https://ship.example.com/".parse().unwrap()),
        ..ConsoleSettings::default()
    });
    let mut browser = Browser::new(&world);
    browser.headers = vec![("origin", "https://ship.example.com".to_owned())];
    browser.sign_in(&world.admin.clone()).await.expect(303);
    assert!(
        browser
            .cookies
            .iter()
            .all(|(name, _)| name.starts_with("__Host-"))
    );
}

#[tokio::test]
async fn a_token_sees_and_does_in_the_console_what_it_may() {
    let world = World::with_guestbook().await;
    let other = json!({"name": "other", "repository": "/srv/git/other"});
    world.post("/v1/apps", other).await.expect(201);
    let id = world.deployment().await;
    let read = world.token("reader", Scope::Read, &["guestbook"]).await;
    let mut reader = Browser::signed_in(&world, &read).await;
    let home = reader.get("/").await.expect(200).text;
    assert!(home.contains("guestbook") && !home.contains("other"));
    assert!(!home.contains("/plugins"), "{home}");
    reader.get("/apps/other").await.expect(404);
    reader.get("/plugins").await.expect(403);
    let page = reader.get(LIVE).await.expect(200).text;
    assert!(
        !page.contains("/deploy\"") && !page.contains("/rollback"),
        "{page}"
    );
    let refused = reader.get(&format!("{LIVE}/deploy")).await.expect(403);
    assert!(
        refused
            .text
            .contains("has scope `read`; this needs `deploy`")
    );
    let page = reader
        .get(&format!("/deployments/{id}"))
        .await
        .expect(200)
        .text;
    assert!(!page.contains("/cancel"), "{page}");
    let cancel = format!("/deployments/{id}/cancel");
    reader.post("/", &cancel, &[]).await.expect(403);
    for path in [
        "/variables",
        "/release-commands",
        "/plugins",
        "/deploy",
        "/rollback",
        "/promote",
    ] {
        let path = format!("{LIVE}{path}");
        reader
            .post("/", &path, &[("label", "x"), ("run", "true")])
            .await
            .expect(403);
    }

    let deploy = world.token("deployer", Scope::Deploy, &[]).await;
    let mut deployer = Browser::signed_in(&world, &deploy).await;
    let asked = deployer
        .get(&format!("{LIVE}/deploy"))
        .await
        .expect(200)
        .text;
    assert!(
        asked.contains("What will happen") && asked.contains("aaaaaaaaaaaa"),
        "{asked}"
    );
    let variables = format!("{LIVE}/variables");
    let page = deployer.get(&variables).await.expect(200).text;
    assert!(!page.contains("Set a variable"), "{page}");
    deployer
        .post("/", &variables, &[("name", "A"), ("value", "b")])
        .await
        .expect(403);
}

#[tokio::test]
async fn a_deployment_is_triggered_once_and_cancelled() {
    let world = World::with_guestbook().await;
    let mut browser = Browser::signed_in(&world, &world.admin).await;
    let path = format!("{LIVE}/deploy");
    let fields = [("reference", "main"), ("once", "click-1"), ("fresh", "yes")];
    let first = browser.post(&path, &path, &fields).await.expect(303);
    let again = browser.post(&path, &path, &fields).await.expect(303);
    assert_eq!(location(&first), location(&again));
    let here = location(&first).to_owned();
    let page = browser.get(&here).await.expect(200).text;
    assert!(
        page.contains("data-live=") && page.contains("queued"),
        "{page}"
    );
    let cancel = format!("{here}/cancel");
    let asked = browser.get(&cancel).await.expect(200).text;
    assert!(
        asked.contains("It waits. It ends without having done anything."),
        "{asked}"
    );
    browser.post(&cancel, &cancel, &[]).await.expect(303);
    let page = browser.get(&here).await.expect(200).text;
    assert!(
        page.contains("badge cancelled") && !page.contains("data-live="),
        "{page}"
    );
    let late = browser.post("/", &cancel, &[]).await.expect(409).text;
    assert!(late.contains("The deployment has ended"), "{late}");
}

#[tokio::test]
async fn a_plan_that_cannot_be_made_is_told_and_stands_in_nobodys_way() {
    let world = World::with_guestbook().await;
    let mut browser = Browser::signed_in(&world, &world.admin).await;
    let asked = browser
        .get(&format!("{LIVE}/deploy?reference=nowhere"))
        .await;
    let text = asked.expect(200).text;
    assert!(text.contains("What it would do cannot be told"), "{text}");
    assert!(
        text.contains("git ls-remote") && text.contains(">Deploy</button>"),
        "{text}"
    );
}

#[tokio::test]
async fn a_secret_goes_in_and_is_nowhere_to_be_seen() {
    let world = World::with_guestbook().await;
    let mut browser = Browser::signed_in(&world, &world.admin).await;
    let path = format!("{LIVE}/variables");
    let secret = [
        ("name", "API_KEY"),
        ("value", "hunter2-xyzzy"),
        ("secret", "yes"),
    ];
    browser.post(&path, &path, &secret).await.expect(303);
    // Set again without the tick it stays one.
    let again = [("name", "API_KEY"), ("value", "other-xyzzy")];
    browser.post(&path, &path, &again).await.expect(303);
    for path in [
        path.clone(),
        format!("{path}?name=API_KEY"),
        LIVE.to_owned(),
    ] {
        let page = browser.get(&path).await.expect(200).text;
        assert!(!page.contains("xyzzy"), "{page}");
    }
    let page = browser.get(&path).await.text;
    assert!(page.contains("secret, never shown"), "{page}");
    let unset = format!("{path}/unset");
    browser
        .get(&format!("{unset}?name=API_KEY"))
        .await
        .expect(200);
    browser
        .post(&path, &unset, &[("name", "API_KEY")])
        .await
        .expect(303);
    assert!(!browser.get(&path).await.text.contains("API_KEY"));
}

#[tokio::test]
async fn what_is_written_is_never_markup() {
    let world = World::with_guestbook().await;
    let mut browser = Browser::signed_in(&world, &world.admin).await;
    let evil = "\"><script>alert(1)</script>";
    let path = format!("{LIVE}/release-commands");
    let fields = [
        ("label", evil),
        ("run", evil),
        ("phase", "release"),
        ("when", "always"),
    ];
    browser
        .post(&format!("{path}/new"), &path, &fields)
        .await
        .expect(303);
    let page = browser.get(&path).await.expect(200).text;
    assert!(
        page.contains("&lt;script&gt;") && !page.contains("<script>alert"),
        "{page}"
    );
    let page = browser
        .get(&format!("/nowhere{evil}").replace(['"', '<', '>'], "%22"))
        .await
        .text;
    assert!(!page.contains("<script>alert"), "{page}");
    let page = browser
        .get("/?told=%3Cscript%3E&name=%22%3E%3Cscript%3Ealert(1)")
        .await
        .text;
    assert!(!page.contains("<script>alert"), "{page}");
}

#[tokio::test]
async fn release_commands_are_added_changed_moved_and_removed() {
    let world = World::with_guestbook().await;
    let mut browser = Browser::signed_in(&world, &world.admin).await;
    let path = format!("{LIVE}/release-commands");
    let new = format!("{path}/new");
    let common = [("phase", "release"), ("when", "always")];
    for label in ["a", "b/c", "d"] {
        let fields = [&common[..], &[("label", label), ("run", "one\r\ntwo")]].concat();
        browser.post(&new, &path, &fields).await.expect(303);
    }
    // What does not fit comes back as it was written, with the reason.
    let twice = [&common[..], &[("label", "a"), ("run", "my work")]].concat();
    let page = browser.post(&new, &path, &twice).await.expect(409).text;
    assert!(
        page.contains("labels are unique") && page.contains("my work"),
        "{page}"
    );
    let odd = [
        &common[..],
        &[("label", "e"), ("run", "[1"), ("run-as", "list")],
    ]
    .concat();
    let page = browser.post(&new, &path, &odd).await.expect(422).text;
    assert!(page.contains("this is no list of arguments"), "{page}");

    let shift = [("label", "d"), ("position", "2")];
    let moved = browser
        .post(&path, &format!("{path}/move"), &shift)
        .await
        .expect(303);
    assert_eq!(location(&moved), format!("{path}?told=moved&to=2&by=up"));
    let page = browser.get(location(&moved)).await.text;
    assert!(page.contains("Moved to place 2."), "{page}");
    let focused = page.split("autofocus").next().unwrap();
    assert!(
        focused.ends_with("name=\"position\" value=\"1\" "),
        "{focused}"
    );

    let edit = format!("{path}/edit?label=b%2Fc");
    let page = browser.get(&edit).await.expect(200).text;
    assert!(page.contains("one\ntwo"), "{page}");
    let list = r#"["echo", "a b"]"#;
    let changed = [
        &common[..],
        &[
            ("old", "b/c"),
            ("label", "c"),
            ("run", list),
            ("run-as", "list"),
            ("timeout", "60"),
        ],
    ]
    .concat();
    browser
        .post(&edit, &format!("{path}/edit"), &changed)
        .await
        .expect(303);
    browser
        .post(&path, &format!("{path}/remove"), &[("label", "a")])
        .await
        .expect(303);
    let listed = world.get(&format!("/v1{path}")).await.json();
    assert_eq!(listed["items"][0]["label"], "d");
    assert_eq!(listed["items"][0]["run"], "one\ntwo");
    assert_eq!(listed["items"][1]["run"], json!(["echo", "a b"]));
    assert_eq!(listed["items"][1]["timeout_seconds"], 60);
    assert_eq!(listed["items"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn plugins_are_chosen_granted_and_set() {
    let world = World::with_guestbook().await;
    world.install_webhook().await;
    let mut browser = Browser::signed_in(&world, &world.admin).await;
    let page = browser.get("/plugins").await.expect(200).text;
    assert!(
        page.contains("webhook") && page.contains("1 request not granted"),
        "{page}"
    );

    let here = "/plugins/webhook";
    let url = [
        ("name", "url"),
        ("value", "http://10.0.0.7/hook"),
        ("do", "set"),
    ];
    browser
        .post(here, &format!("{here}/settings"), &url)
        .await
        .expect(303);
    let token = [("name", "token"), ("value", "t0ken-xyzzy"), ("do", "set")];
    browser
        .post(here, &format!("{here}/settings"), &token)
        .await
        .expect(303);
    let tick = [("request", "0"), ("private", "yes")];
    browser
        .post(here, &format!("{here}/grants"), &tick)
        .await
        .expect(303);
    let plugin = world.get("/v1/plugins/webhook").await.json();
    let grant = json!({"origin": "http://10.0.0.7", "methods": [], "addresses": "any", "secrets": ["token"]});
    assert_eq!(plugin["grants"]["http"], json!([grant]));
    let page = browser.get(here).await.expect(200).text;
    assert!(
        page.contains("set, secret, never shown") && !page.contains("xyzzy"),
        "{page}"
    );
    browser
        .post(here, &format!("{here}/grants"), &[])
        .await
        .expect(303);
    let plugin = world.get("/v1/plugins/webhook").await.json();
    assert_eq!(plugin["grants"]["http"], json!([]));
    browser
        .post(here, &format!("{here}/enabled"), &[("enabled", "no")])
        .await
        .expect(303);
    assert!(browser.get(here).await.text.contains("Enable</button>"));

    let path = format!("{LIVE}/plugins");
    let choice = [("decide-notifiers", "yes"), ("notifiers", "webhook")];
    browser.post(&path, &path, &choice).await.expect(303);
    let live = world
        .get("/v1/apps/guestbook/environments/live")
        .await
        .json();
    assert_eq!(live["plugins"]["notifiers"], json!(["webhook"]));
    assert_eq!(live["plugins"]["self-tests"], json!(null));
    let place = format!("{path}/webhook/settings");
    let local = [("name", "token"), ("value", "l0cal-xyzzy"), ("do", "set")];
    browser.post(&path, &place, &local).await.expect(303);
    let page = browser.get(&path).await.expect(200).text;
    assert!(
        page.contains("set, secret, never shown") && !page.contains("xyzzy"),
        "{page}"
    );
}

#[tokio::test]
async fn the_stream_of_a_page_goes_on_where_the_page_ends() {
    let world = World::with_guestbook().await;
    let id = world.deployment().await;
    world.executor.start(id).await;
    world.executor.print(id, "seen before").await;
    let mut browser = Browser::signed_in(&world, &world.admin).await;
    let page = browser
        .get(&format!("/deployments/{id}"))
        .await
        .expect(200)
        .text;
    assert!(page.contains("seen before"), "{page}");
    let (_, rest) = page.split_once("data-live=\"").unwrap();
    let live = rest.split('"').next().unwrap().replace("&amp;", "&");
    world.executor.print(id, "<b>new</b>").await;
    world.executor.succeed(id).await;
    let stream = browser.get(&live).await.expect(200).text;
    assert!(
        stream.contains("new") && !stream.contains("seen before"),
        "{stream}"
    );
    assert_eq!(stream.matches("event: line").count(), 1, "{stream}");
    assert_eq!(stream.matches("event: change").count(), 1, "{stream}");
    let last = stream
        .lines()
        .filter_map(|line| line.strip_prefix("id: "))
        .next_back();
    browser
        .headers
        .push(("last-event-id", last.unwrap().to_owned()));
    browser.get(&live).await.expect(204);
    let log = browser
        .get(&format!("/deployments/{id}/log"))
        .await
        .expect(200);
    assert_eq!(log.headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!(log.text, "seen before\n<b>new</b>\n");
    let mut nobody = Browser::new(&world);
    nobody.get(&live).await.expect(303);
}

#[tokio::test]
async fn whoever_signed_out_hears_nothing_more() {
    let mut world = World::with_guestbook().await;
    world.with_console(ConsoleSettings {
        stream_limit: std::time::Duration::from_millis(50),
        ..ConsoleSettings::default()
    });
    let id = world.deployment().await;
    world.executor.start(id).await;
    world.executor.print(id, "while signed in").await;
    let mut browser = Browser::signed_in(&world, &world.admin).await;
    let live = format!("/deployments/{id}/live");
    // It ends although the deployment goes on.
    let stream = browser.get(&live).await.expect(200).text;
    assert!(stream.contains("while signed in"), "{stream}");
    browser.post("/", "/sign-out", &[]).await.expect(303);
    browser.get(&live).await.expect(303);
}
