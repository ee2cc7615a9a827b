use tempfile::TempDir;

use super::*;
use crate::contexts::Context;

fn url(text: &str) -> Url {
    Url::parse(text).unwrap()
}

#[test]
fn a_token_goes_to_its_own_server_only() {
    let local = url("http://127.0.0.1:7766");
    assert!(same_place(&local, &url("http://localhost:7766/")));
    assert!(!same_place(&local, &url("http://localhost:7767")));
    assert!(!same_place(&local, &url("https://127.0.0.1:7766")));
    assert!(!same_place(&local, &url("http://example.com:7766")));
}

/// A folder with the credentials of a local engine, and two contexts.
fn folder(current: &str) -> (TempDir, Files) {
    let folder = tempfile::tempdir().unwrap();
    let files = Files {
        contexts: folder.path().join("contexts.toml"),
        credentials: folder.path().join("credentials"),
    };
    credentials::write(&files.credentials, DEFAULT_SERVER, &Secret::new("local")).unwrap();
    let mut contexts = Contexts {
        current: Some(current.parse().unwrap()),
        ..Contexts::default()
    };
    for (name, token) in [("team", Some("team")), ("empty", None)] {
        let context = Context {
            server: format!("https://{name}.example.com"),
            token: token.map(Secret::new),
        };
        contexts.all.insert(name.parse().unwrap(), context);
    }
    contexts.write(&files.contexts).unwrap();
    (folder, files)
}

fn nothing() -> Connection {
    Connection {
        context: None,
        server: None,
        credentials: None,
        verbose: false,
    }
}

/// The server's host and the token.
fn decided(said: &Connection, spoken: Spoken, files: &Files) -> (String, Option<String>) {
    let found = decide(said, spoken, files).unwrap();
    let token = found.token.map(|token| token.reveal().to_owned());
    (found.server.host_str().unwrap().to_owned(), token)
}

fn pair(host: &str, token: &str) -> (String, Option<String>) {
    (host.to_owned(), Some(token.to_owned()))
}

#[test]
fn the_command_line_wins_over_the_environment_and_that_over_the_files() {
    let (_folder, files) = folder("team");
    let (local, team) = ("127.0.0.1", "team.example.com");
    let said = nothing();
    assert_eq!(
        decided(&said, Spoken::default(), &files),
        pair(team, "team")
    );

    let by_environment = Spoken {
        context: Some("local".into()),
        ..Spoken::default()
    };
    assert_eq!(decided(&said, by_environment, &files), pair(local, "local"));
    let everything = || Spoken {
        context: Some("local".into()),
        server: Some("https://other.example.com".into()),
        credentials: Some(files.credentials.clone()),
        token: Some(Secret::new("spoken")),
    };
    let other = pair("other.example.com", "spoken");
    assert_eq!(decided(&said, everything(), &files), other);

    let said = Connection {
        context: Some("team".parse().unwrap()),
        ..nothing()
    };
    // A token for another server stays here.
    assert_eq!(decided(&said, everything(), &files), pair(team, "team"));
    let said = Connection {
        server: Some("http://localhost:7766".into()),
        ..nothing()
    };
    let found = decided(&said, Spoken::default(), &files);
    assert_eq!(found, pair("localhost", "local"));
    let said = Connection {
        server: Some("https://team.example.com/".into()),
        ..nothing()
    };
    assert_eq!(
        decided(&said, Spoken::default(), &files),
        pair(team, "team")
    );
    let said = Connection {
        server: Some("https://stranger.example.com".into()),
        ..nothing()
    };
    let found = decide(&said, Spoken::default(), &files).unwrap();
    let refused = found.token().unwrap_err().to_string();
    assert!(
        refused.contains("no token for https://stranger.example.com"),
        "{refused}"
    );
}

#[test]
fn a_context_without_a_token_says_how_to_get_one() {
    let (_folder, files) = folder("empty");
    let found = decide(&nothing(), Spoken::default(), &files).unwrap();
    let refused = found.token().unwrap_err().to_string();
    assert!(
        refused.contains("shipway login --context empty"),
        "{refused}"
    );
    let unknown = Spoken {
        context: Some("nowhere".into()),
        ..Spoken::default()
    };
    let refused = decide(&nothing(), unknown, &files).unwrap_err();
    assert_eq!(refused.exit, crate::exit::Exit::Usage);
}

#[test]
fn a_password_in_a_url_is_refused_and_not_shown() {
    let refused = parse_server("https://user:hunter2@example.com").unwrap_err();
    assert!(!refused.to_string().contains("hunter2"));
    assert!(parse_server("ftp://example.com").is_err());
}
