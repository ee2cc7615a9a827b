//! Apps, environments, variables, release commands: made, changed, deleted.

use serde_json::{Value, json};

use crate::world::World;

const LIVE: &str = "/v1/apps/guestbook/environments/live";

#[tokio::test]
async fn an_app_is_made_changed_and_deleted() {
    let world = World::new().await;
    let new = json!({"name": "shop", "repository": "https://git.example.com/shop.git",
        "credentials": {"type": "password", "username": "ci", "password": "hunter2hunter2"}});
    let made = world.post("/v1/apps", new.clone()).await.expect(201);
    assert!(!made.text.contains("hunter2"), "{}", made.text);
    assert_eq!(made.json()["default_reference"], "main");
    assert_eq!(made.json()["credentials"]["username"], "ci");
    assert_eq!(world.post("/v1/apps", new).await.problem(), "exists");

    let patch = json!({"default_reference": "stable", "credentials": null});
    let changed = world
        .json("PATCH", "/v1/apps/shop", patch)
        .await
        .expect(200);
    assert_eq!(changed.json()["credentials"], Value::Null);
    let shown = world.get("/v1/apps/shop").await.expect(200).json();
    assert_eq!(shown["default_reference"], "stable");
    assert_eq!(shown["repository"], "https://git.example.com/shop.git");

    world.delete("/v1/apps/shop").await.expect(204);
    assert_eq!(world.get("/v1/apps/shop").await.problem(), "not-found");
}

#[tokio::test]
async fn a_mirror_needs_its_original() {
    let world = World::with_guestbook().await;
    let mirror = |of: &str| json!({"name": "copy", "repository": "/srv/git/x", "mirror_of": of});
    let refused = world.post("/v1/apps", mirror("nobody")).await.expect(422);
    assert_eq!(refused.problem(), "invalid-setting");
    world
        .post("/v1/apps", mirror("guestbook"))
        .await
        .expect(201);
    let refused = world.delete("/v1/apps/guestbook").await;
    assert_eq!(refused.problem(), "in-use");
    world.delete("/v1/apps/copy").await.expect(204);
    world.delete("/v1/apps/guestbook").await.expect(204);
}

#[tokio::test]
async fn an_environment_starts_with_a_domain_that_needs_no_setup() {
    let world = World::with_guestbook().await;
    let shown = world.get(LIVE).await.expect(200).json();
    assert_eq!(shown["domains"], json!(["live.guestbook.localhost"]));
    assert_eq!(shown["runtime"], "process");
    assert_eq!(shown["drain_seconds"], 30);
}

#[tokio::test]
async fn settings_are_merged_and_null_takes_them_back() {
    let world = World::with_guestbook().await;
    let patch = json!({"processes": {"web": {"command": "serve", "instances": 2}},
        "domains": ["b.example.com", "a.example.com", "a.example.com"],
        "build": {"command": "make"}, "limits": {"memory_mib": 256}});
    let shown = world.json("PATCH", LIVE, patch).await.expect(200).json();
    assert_eq!(shown["domains"], json!(["a.example.com", "b.example.com"]));

    let patch = json!({"processes": {"web": {"instances": 3}, "worker": {"command": "work"}},
        "build": {"command": null}});
    let shown = world.json("PATCH", LIVE, patch).await.expect(200).json();
    assert_eq!(shown["processes"]["web"]["command"], "serve");
    assert_eq!(shown["processes"]["web"]["instances"], 3);
    assert_eq!(shown["build"]["command"], Value::Null);
    assert_eq!(shown["limits"]["memory_mib"], 256);

    let patch = json!({"processes": {"web": null}});
    let shown = world.json("PATCH", LIVE, patch).await.expect(200).json();
    assert_eq!(shown["processes"]["web"], Value::Null);
    assert_eq!(shown["processes"]["worker"]["command"], "work");
}

#[tokio::test]
async fn two_apps_cannot_have_one_domain() {
    let world = World::with_guestbook().await;
    let app = json!({"name": "shop", "repository": "/srv/git/shop"});
    world.post("/v1/apps", app).await.expect(201);
    let taken = json!({"name": "live", "domains": ["live.guestbook.localhost"]});
    let refused = world.post("/v1/apps/shop/environments", taken).await;
    insta::assert_snapshot!(refused.expect(409).text, @r#"{"type":"/problems/domain-taken","title":"The domain belongs to another environment","status":409,"detail":"domain live.guestbook.localhost belongs to guestbook/live already","hint":"remove the domain from guestbook/live first, or choose another"}"#);
}

#[tokio::test]
async fn a_secret_goes_in_and_never_comes_out() {
    let world = World::with_guestbook().await;
    let variables = format!("{LIVE}/variables");
    let changes = json!({"DEBUG": {"value": "1"}, "KEY": {"value": "swordfish", "type": "secret"}});
    let listed = world.json("PATCH", &variables, changes).await.expect(200);
    assert!(!listed.text.contains("swordfish"));
    assert_eq!(
        listed.json()["items"],
        json!([{"name": "DEBUG", "type": "plain", "value": "1"}, {"name": "KEY", "type": "secret"}])
    );

    // A new value of a secret is a secret, whether or not that is said again.
    let one = format!("{variables}/KEY");
    let set = world
        .json("PUT", &one, json!({"value": "trout-fish"}))
        .await;
    assert_eq!(
        set.expect(200).json(),
        json!({"name": "KEY", "type": "secret"})
    );
    for path in [&variables, LIVE, "/v1/apps", "/v1/apps/guestbook"] {
        let shown = world.get(path).await.expect(200).text;
        assert!(!shown.contains("fish"), "{shown}");
    }
    world.delete(&one).await.expect(204);
    assert_eq!(world.delete(&one).await.problem(), "not-found");
    let gone = world
        .json("PATCH", &variables, json!({"DEBUG": null}))
        .await;
    assert_eq!(gone.expect(200).json()["items"], json!([]));
}

#[tokio::test]
async fn many_variables_are_set_all_or_none() {
    let world = World::with_guestbook().await;
    let variables = format!("{LIVE}/variables");
    let changes = json!({"GOOD": {"value": "1"}, "BAD": {"value": "a\u{0}b"}});
    let refused = world.json("PATCH", &variables, changes).await.expect(422);
    assert_eq!(refused.problem(), "invalid-setting");
    assert_eq!(world.get(&variables).await.json()["items"], json!([]));
}

#[tokio::test]
async fn changes_at_once_are_all_kept() {
    let world = World::with_guestbook().await;
    let set = |n: u32| {
        let path = format!("{LIVE}/variables/V{n}");
        let world = &world;
        async move {
            world
                .json("PUT", &path, json!({"value": "x"}))
                .await
                .expect(200)
        }
    };
    futures::future::join_all((0..50).map(set)).await;
    let listed = world.get(&format!("{LIVE}/variables")).await.json();
    assert_eq!(listed["items"].as_array().unwrap().len(), 50);
}

#[tokio::test]
async fn release_commands_are_a_list_in_order() {
    let world = World::with_guestbook().await;
    let commands = format!("{LIVE}/release-commands");
    let labels = |list: &Value| -> Vec<String> {
        let items = list["items"].as_array().unwrap().iter();
        items
            .map(|c| c["label"].as_str().unwrap().to_owned())
            .collect()
    };
    for label in ["Migrate", "Load data"] {
        let command = json!({"label": label, "run": "true"});
        world.post(&commands, command).await.expect(201);
    }
    let first = json!({"label": "Back up", "run": ["pg_dump", "-Fc"], "position": 1,
        "timeout_seconds": 60, "undo": "true"});
    let listed = world.post(&commands, first).await.expect(201).json();
    assert_eq!(labels(&listed), ["Back up", "Migrate", "Load data"]);
    let again = json!({"label": "Migrate", "run": "true"});
    let refused = world.post(&commands, again).await.expect(409);
    assert_eq!(refused.problem(), "duplicate-label");

    let path = format!("{commands}/Load%20data/move");
    let moved = world.post(&path, json!({"position": 2})).await.expect(200);
    assert_eq!(labels(&moved.json()), ["Back up", "Load data", "Migrate"]);
    let path = format!("{commands}/Load%20data");
    let other = json!({"label": "Load", "run": "false", "phase": "gate", "position": 9});
    let replaced = world.json("PUT", &path, other).await.expect(200).json();
    assert_eq!(labels(&replaced), ["Back up", "Migrate", "Load"]);
    world.delete(&format!("{commands}/Load")).await.expect(204);
    assert_eq!(
        labels(&world.get(&commands).await.json()),
        ["Back up", "Migrate"]
    );

    let empty = json!({"label": "Nothing", "run": " "});
    let refused = world.post(&commands, empty).await.expect(422);
    assert_eq!(
        refused.json()["detail"],
        "command \"Nothing\": the command is empty"
    );
}
