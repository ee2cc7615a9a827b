//! The commit's files, as far as they are granted.

use shipway_core::ports::plugins::PluginErrorKind;

use crate::harness::{Bench, assert_fault};

const FILES: &[(&str, &str)] = &[
    ("Procfile", "web: serve"),
    ("addons/a/addon.json", "{}"),
    ("addons/b/addon.json", "{}"),
    (".env", "PASSWORD=x"),
    (".git/config", "[core]"),
];

async fn fails(act: &str, granted: &[&str], says: &str) -> String {
    let bench = Bench::new(act).await.files(granted, FILES);
    let error = bench.fail().await;
    assert_fault(&error, PluginErrorKind::Failure, says);
    bench.log.text()
}

#[tokio::test]
async fn a_granted_file_is_read() {
    let bench = Bench::new("read Procfile")
        .await
        .files(&["Procfile"], FILES);
    assert_eq!(bench.see().await.unwrap(), ["web: serve"]);
}

#[tokio::test]
async fn a_file_that_is_not_granted_is_denied_and_the_operator_is_told_how() {
    let log = fails("read Procfile", &["addons/**"], "(denied)").await;
    assert!(
        log.contains("shipway plugin grant hostile --files 'Procfile'"),
        "{log}"
    );
}

#[tokio::test]
async fn no_grant_reaches_git_env_or_out_of_the_tree() {
    for path in [".env", ".git/config", "../x", "/etc/passwd", "a//b", "a\\b"] {
        let log = fails(&format!("read {path}"), &["**"], "no plugin may have it").await;
        assert!(
            !log.contains("plugin grant"),
            "a grant would not help: {log}"
        );
    }
}

#[tokio::test]
async fn a_missing_or_large_file_is_said_to_be_so() {
    fails("read nothing", &["**"], "(not-found)").await;
    let large = "x".repeat((1 << 20) + 1);
    let bench = Bench::new("read large")
        .await
        .files(&["**"], &[("large", &large)]);
    assert_fault(&bench.fail().await, PluginErrorKind::Failure, "(too-large)");
    let none = Bench::new("read Procfile").await.files(&["**"], FILES);
    let none = none.change(|call| call.files = None);
    assert_fault(
        &none.fail().await,
        PluginErrorKind::Failure,
        "(unavailable)",
    );
}

#[tokio::test]
async fn find_gives_what_is_granted_alone() {
    let bench = Bench::new("find **").await.files(&["**"], FILES);
    let all = bench.see().await.unwrap();
    assert_eq!(
        all,
        ["Procfile", "addons/a/addon.json", "addons/b/addon.json"]
    );

    let bench = Bench::new("find **").await.files(&["addons/a/*"], FILES);
    assert_eq!(bench.see().await.unwrap(), ["addons/a/addon.json"]);

    let bench = Bench::new("find *.toml").await.files(&["**"], FILES);
    assert!(bench.see().await.unwrap().is_empty());

    let log = fails("find addons/*/addon.json", &["Procfile"], "(denied)").await;
    assert!(log.contains("--files 'addons/a/addon.json'"), "{log}");
    fails("find [", &["**"], "(invalid)").await;
}

#[tokio::test]
async fn find_is_bounded_after_the_grants() {
    let names: Vec<String> = (0..1_500).map(|n| format!("many/{n}")).collect();
    let many: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    let bench = Bench::new("find **").await.files(&["**"], &many);
    assert_fault(&bench.fail().await, PluginErrorKind::Failure, "(limit)");
}
