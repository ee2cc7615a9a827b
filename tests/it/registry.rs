//! Plugins come from OCI registries and go there, and a lock file says which
//! bytes are meant.

use serde_json::{Value, json};
use shipway_tests::cli::{Cli, Ran};
use shipway_tests::parts;
use shipway_tests::registry::{PASSWORD, Registry, USERNAME};
use shipway_tests::ship::Ship;

/// An engine, a registry, and a plugin that ships in a file.
fn scene() -> Option<(Ship, Registry, Cli)> {
    let procfile = parts::plugin("procfile")?;
    let (registry, ship) = (Registry::start()?, Ship::start()?);
    std::fs::write(ship.state_dir().join("procfile.wasm"), procfile).expect("the plugin");
    let cli = ship.cli();
    Some((ship, registry, cli))
}

/// A refusal, with the words that it must have.
#[track_caller]
fn refused(ran: &Ran, words: &[&str]) {
    assert_ne!(ran.code, 0, "{ran:#?}");
    for word in words {
        assert!(ran.stderr.contains(word), "{word:?} in {ran:#?}");
    }
}

fn text<'a>(value: &'a Value, pointer: &str) -> &'a str {
    let found = value.pointer(pointer).and_then(Value::as_str);
    found.unwrap_or_else(|| panic!("{pointer} in {value:#}"))
}

#[test]
fn a_plugin_is_pushed_and_pulled_by_tag_and_by_digest() {
    let Some((_ship, registry, cli)) = scene() else {
        return;
    };
    let address = registry.address("team/procfile:1.0");
    let pushed = cli.json(&["plugin", "push", "procfile.wasm", &address, "--json"]);
    let digest = text(&pushed, "/digest").to_owned();
    assert_eq!(text(&pushed, "/address"), format!("{address}@{digest}"));
    // The same bytes again are the same artifact.
    let again = cli.json(&["plugin", "push", "procfile.wasm", &address, "--json"]);
    assert_eq!(again, pushed);

    // As other tools make it and read it.
    let manifest = registry.manifest("team/procfile", "1.0");
    assert_eq!(
        text(&manifest, "/config/mediaType"),
        "application/vnd.wasm.config.v0+json"
    );
    assert_eq!(text(&manifest, "/layers/0/mediaType"), "application/wasm");
    let config = std::fs::read(registry.blob(text(&manifest, "/config/digest"))).expect("a blob");
    let config: Value = serde_json::from_slice(&config).expect("JSON");
    assert_eq!(
        (text(&config, "/os"), text(&config, "/architecture")),
        ("wasip2", "wasm")
    );

    let by_tag = cli.json(&["plugin", "add", &address, "--json"]);
    assert_eq!(
        format!("sha256:{}", text(&by_tag, "/digest")),
        text(&manifest, "/layers/0/digest")
    );
    let source = format!("{address}@{digest}");
    assert_eq!(text(&by_tag, "/origin/source"), source);
    let shown = cli.ok(&["plugin", "show", "procfile"]).stdout;
    assert!(shown.contains(&source), "{shown}");
    cli.ok(&["plugin", "remove", "procfile", "--yes"]);
    let by_digest = registry.address(&format!("team/procfile@{digest}"));
    let by_digest = cli.json(&["plugin", "add", &by_digest, "--json"]);
    assert_eq!(by_digest["digest"], by_tag["digest"]);
}

#[test]
fn what_cannot_be_pulled_is_refused_with_why() {
    let Some((ship, registry, cli)) = scene() else {
        return;
    };
    let address = registry.address("procfile:1");
    let none = cli.run(&["plugin", "add", &address]);
    refused(&none, &["there is no", &address]);
    cli.ok(&["plugin", "push", "procfile.wasm", &address]);
    let unknown = cli.run(&["plugin", "add", &registry.address("procfile:2")]);
    refused(&unknown, &["there is no", "procfile:2", "check the name"]);

    let honest = registry.manifest("procfile", "1");
    let mut image = honest.clone();
    image["config"]["mediaType"] = json!("application/vnd.oci.image.config.v1+json");
    assert_eq!(
        registry.put_manifest("procfile", "image", &image).status,
        201
    );
    let image = cli.run(&["plugin", "add", &registry.address("procfile:image")]);
    refused(&image, &["is no WebAssembly component", "oci.image.config"]);

    let mut large = honest.clone();
    large["layers"][0]["size"] = json!(65 * 1024 * 1024);
    let put = registry.put_manifest("procfile", "large", &large);
    if put.status == 201 {
        let large = cli.run(&["plugin", "add", &registry.address("procfile:large")]);
        refused(&large, &["larger than a component may be (64 MiB)"]);
    }

    // Somebody changes the registry's own files.
    let blob = registry.blob(text(&honest, "/layers/0/digest"));
    let mut bytes = std::fs::read(&blob).expect("the blob");
    let last = bytes.last_mut().expect("a byte");
    *last ^= 1;
    std::fs::write(&blob, bytes).expect("changed");
    let changed = cli.run(&["plugin", "add", &address]);
    refused(&changed, &["does not have the bytes that its digest says"]);

    std::fs::write(ship.state_dir().join("no.wasm"), "#!/bin/sh\n").expect("a file");
    let no_wasm = cli.run(&["plugin", "push", "no.wasm", &registry.address("no")]);
    refused(&no_wasm, &["no WebAssembly component"]);
    let nobody = shipway_tests::ship::free_address();
    let unreachable = cli.run(&["plugin", "add", &format!("oci://{nobody}/a")]);
    refused(&unreachable, &["could not be reached", &nobody.to_string()]);
    assert_eq!(cli.run(&["plugin", "add", "oci://nothing"]).code, 2);
    assert_eq!(cli.json(&["plugin", "list", "--json"]), json!([]));
}

#[test]
fn a_registry_that_wants_a_login_gets_one_or_says_so() {
    let (Some(procfile), Some(registry)) =
        (parts::plugin("procfile"), Registry::start_with_login())
    else {
        return;
    };
    let Some(ship) = Ship::start() else { return };
    let (cli, folder) = (ship.cli(), ship.state_dir());
    let write = |name: &str, text: &str| {
        std::fs::write(folder.join(name), text).expect("a file");
    };
    std::fs::write(folder.join("procfile.wasm"), procfile).expect("the plugin");
    // A machine where somebody logged in would know more.
    let empty = folder.join("empty");
    let cli = cli.with_variable("DOCKER_CONFIG", &empty.display().to_string());
    let address = registry.address("procfile:1");
    let push = ["plugin", "push", "procfile.wasm", &address];
    refused(
        &cli.run(&push),
        &["wants a name and a password", "docker login"],
    );

    write("wrong", "guess\n");
    let login = |file| ["--username", USERNAME, "--password-file", file];
    let wrong = cli.run(&[&push[..], &login("wrong")].concat());
    refused(&wrong, &["does not take this name and password"]);
    assert!(!wrong.stderr.contains("guess"), "{wrong:#?}");
    write("right", &format!("{PASSWORD}\n"));
    cli.ok(&[&push[..], &login("right")].concat());

    let add = ["plugin", "add", &address, "--json"];
    refused(&cli.run(&add), &["wants a name and a password"]);
    let added = cli.json(&[&add[..], &login("right")].concat());
    assert!(!added.to_string().contains(PASSWORD), "{added:#}");

    // What `docker login` writes.
    let docker = folder.join("docker");
    std::fs::create_dir(&docker).expect("a folder");
    let host = address.trim_start_matches("oci://").split('/').next();
    let auth = "YW5uOnMzY3JldC1vZi1hbm4=";
    let config = json!({"auths": {host.expect("a host"): {"auth": auth}}});
    write("docker/config.json", &config.to_string());
    let known = ship
        .cli()
        .with_variable("DOCKER_CONFIG", &docker.display().to_string());
    known.json(&add);
}

#[test]
fn a_lock_file_brings_the_same_bytes_to_another_engine() {
    let Some((ship, registry, cli)) = scene() else {
        return;
    };
    let (Some(webhook), Some(other)) = (parts::plugin("webhook"), Ship::start()) else {
        return;
    };
    let folder = ship.state_dir();
    std::fs::write(folder.join("webhook.wasm"), webhook).expect("the plugin");
    let address = registry.address("procfile:1");
    cli.ok(&["plugin", "push", "procfile.wasm", &address]);
    let missing = cli.run(&["plugin", "sync"]);
    refused(&missing, &["no lock file shipway-plugins.lock", "--lock"]);
    cli.ok(&["plugin", "add", &address]);
    assert!(
        !folder.join("shipway-plugins.lock").exists(),
        "nobody said --lock"
    );

    cli.ok(&["plugin", "add", &address, "--lock"]);
    cli.ok(&["plugin", "add", "webhook.wasm", "--lock"]);
    let lock = std::fs::read_to_string(folder.join("shipway-plugins.lock")).expect("a lock file");
    for words in [
        "name = \"procfile\"",
        &format!("{address}@sha256:"),
        "source = \"webhook.wasm\"",
        "digest = \"sha256:",
    ] {
        assert!(lock.contains(words), "{words:?} in {lock}");
    }

    // The tag moves on; what is pinned stays.
    cli.ok(&["plugin", "push", "webhook.wasm", &address]);
    let elsewhere = other.cli().in_folder(folder);
    let synced = elsewhere.json(&["plugin", "sync", "--json"]);
    assert_eq!(synced["installed"], json!(["procfile", "webhook"]));
    let again = elsewhere.json(&["plugin", "sync", "--json"]);
    assert_eq!(
        again,
        json!({"installed": [], "unchanged": ["procfile", "webhook"]})
    );
    for name in ["procfile", "webhook"] {
        let path = format!("/v1/plugins/{name}");
        let (here, there) = (ship.api.get(&path).ok(), other.api.get(&path).ok());
        assert_eq!(here["digest"], there["digest"]);
        assert_eq!(
            there["grants"]["http"],
            json!([]),
            "a lock file grants nothing"
        );
    }

    elsewhere.ok(&["plugin", "add", "webhook.wasm", "--locked"]);
    // Another file of the same plugin, and one that is not pinned.
    let mut changed = std::fs::read(folder.join("webhook.wasm")).expect("the plugin");
    changed.extend([0, 2, 1, b'x']);
    std::fs::write(folder.join("changed.wasm"), changed).expect("a file");
    let before = other.api.get("/v1/plugins/webhook").ok();
    let refusal = elsewhere.run(&["plugin", "add", "changed.wasm", "--locked"]);
    refused(
        &refusal,
        &[
            "is not what shipway-plugins.lock pins",
            "nothing was changed",
        ],
    );
    assert_eq!(other.api.get("/v1/plugins/webhook").ok(), before);
    let unpinned = elsewhere.run(&["plugin", "add", "webhook.wasm", "--locked=other.lock"]);
    refused(&unpinned, &["no lock file other.lock"]);
    std::fs::copy(folder.join("changed.wasm"), folder.join("webhook.wasm")).expect("a copy");
    elsewhere.ok(&["plugin", "remove", "webhook", "--yes"]);
    let drifted = elsewhere.run(&["plugin", "sync"]);
    refused(&drifted, &["is not what", "pins"]);
}
