//! Several servers: login, contexts, and tokens that are never shown.

use std::os::unix::fs::PermissionsExt;

use serde_json::json;
use shipway_tests::cli::Cli;
use shipway_tests::repo::Repo;
use shipway_tests::ship::Ship;

/// The command line of a person with a home of their own and no credentials.
fn person(ship: &Ship) -> Cli {
    let home = ship.state_dir().join("home");
    std::fs::create_dir_all(&home).expect("a home");
    Cli::new(&home, ship.state_dir())
        .with_variable("SHIPWAY_CREDENTIALS", "")
        .with_variable("XDG_CONFIG_HOME", home.to_str().expect("a path"))
}

fn url(ship: &Ship) -> String {
    format!("http://{}", ship.api_address())
}

fn token_file(ship: &Ship, token: &str) -> String {
    let file = ship.state_dir().join("token");
    std::fs::write(&file, format!("{token}\n")).expect("a file");
    file.to_str().expect("a path").to_owned()
}

#[test]
fn two_servers_are_known_by_their_names() {
    let (Some(one), Some(two)) = (Ship::start(), Ship::start()) else {
        return;
    };
    let repo = Repo::of("tests/apps/tiny");
    let (app, other) = (one.app("one", &repo), two.app("two", &repo));
    let cli = person(&one);
    let (one_url, two_url) = (url(&one), url(&two));
    let file = token_file(&one, &one.token);
    let ran = cli.ok(&[
        "login",
        &one_url,
        "--context",
        "team",
        "--token-file",
        &file,
    ]);
    assert_eq!(
        ran.stdout,
        format!(
            "logged in to {one_url} with token \"first\": scope admin, all apps\ncontext team is the current one\n"
        )
    );
    let limited = two.api.post(
        "/v1/tokens",
        &json!({"name": "ci", "scope": "deploy", "apps": [other.name]}),
    );
    let limited = limited.ok()["token"].as_str().expect("a token").to_owned();
    let file = token_file(&two, &limited);
    let ran = cli.ok(&[
        "login",
        &two_url,
        "--context",
        "other",
        "--token-file",
        &file,
    ]);
    assert!(
        ran.stdout
            .contains(&format!("scope deploy, apps {}", other.name)),
        "{ran:?}"
    );

    let named = |arguments: &[&str]| cli.json(arguments)[0]["name"].clone();
    assert_eq!(named(&["app", "list", "--json"]), other.name);
    assert_eq!(
        named(&["app", "list", "--json", "--context", "team"]),
        app.name
    );
    let here = cli.with_variable("SHIPWAY_CONTEXT", "team");
    assert_eq!(here.json(&["app", "list", "--json"])[0]["name"], app.name);
    cli.ok(&["context", "use", "team"]);
    assert_eq!(named(&["app", "list", "--json"]), app.name);

    let listed = cli.json(&["context", "list", "--json"]);
    assert_eq!(
        listed,
        json!([
            {"name": "other", "server": two_url, "current": false, "token": "kept"},
            {"name": "team", "server": one_url, "current": true, "token": "kept"},
        ])
    );
    let contexts = one.state_dir().join("home/shipway/contexts.toml");
    let mode = std::fs::metadata(&contexts)
        .expect("the file")
        .permissions();
    assert_eq!(mode.mode() & 0o777, 0o600);
    let shown = cli.ok(&["context", "show"]).stdout;
    assert!(
        shown.contains("context team") && shown.contains(&one_url),
        "{shown}"
    );
    for said in [cli.ok(&["context", "list"]).stdout, shown, ran.stdout] {
        assert!(!said.contains("shipway_"), "{said}");
    }

    cli.ok(&["logout"]);
    let refused = cli.run(&["app", "list"]);
    assert_eq!(refused.code, 4);
    assert!(
        refused.stderr.contains("shipway login --context team"),
        "{refused:?}"
    );
    cli.ok(&["context", "remove", "team"]);
    assert_eq!(cli.run(&["context", "use", "team"]).code, 2);
    assert!(cli.ok(&["context", "list"]).stdout.contains("other"));
}

#[test]
fn a_token_is_kept_only_if_the_server_knows_it() {
    let Some(ship) = Ship::start() else { return };
    let cli = person(&ship);
    let url = url(&ship);
    let wrong = format!("shipway_{}", "0".repeat(64));
    let file = token_file(&ship, &wrong);
    let refused = cli.run(&["login", &url, "--token-file", &file]);
    assert_eq!(refused.code, 4, "{refused:?}");
    assert!(refused.stderr.contains("not known"), "{refused:?}");
    assert!(!format!("{refused:?}").contains(&wrong));
    assert_eq!(cli.json(&["context", "list", "--json"]), json!([]));

    let file = token_file(&ship, "two words");
    assert_eq!(cli.run(&["login", &url, "--token-file", &file]).code, 2);
    assert_eq!(
        cli.run(&["login", &url]).code,
        2,
        "nothing on standard input"
    );
    assert_eq!(cli.run(&["login"]).code, 2, "which server?");
    assert_eq!(
        cli.run(&["login", "http://u:p@localhost", "--token-file", &file])
            .code,
        2
    );
    let local = cli.run(&["login", &url, "--context", "local", "--token-file", &file]);
    assert_eq!(local.code, 2);
}

#[test]
fn a_token_that_is_typed_is_not_shown() {
    let Some(ship) = Ship::start() else { return };
    let cli = person(&ship);
    let mut terminal = cli.at_terminal(&["login", &url(&ship)]);
    terminal.until_shown("token (not shown as you type):");
    terminal.type_keys(&format!("{}\n", ship.token));
    assert_eq!(terminal.ended(), 0, "{}", terminal.screen());
    assert!(
        terminal.screen().contains("scope admin"),
        "{}",
        terminal.screen()
    );
    assert!(!terminal.bytes().contains(&ship.token));
    // Called by its host, and used from now on.
    let name = ship.api_address().to_string().replace(':', "-");
    assert_eq!(cli.json(&["context", "list", "--json"])[0]["name"], name);
    cli.ok(&["app", "list"]);
}
