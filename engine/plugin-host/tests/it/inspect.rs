//! Files that come from outside.

use shipway_core::plugin::Role;
use shipway_core::ports::plugins::{PluginError, PluginErrorKind, Plugins};
use shipway_plugin_host::Limits;

use crate::harness::{Bench, HOSTILE, Shelf, assert_fault, describing, host, host_over};

async fn refused(component: &[u8]) -> PluginError {
    host(Limits::default())
        .inspect(component)
        .await
        .unwrap_err()
}

async fn refused_text(component: &str) -> PluginError {
    refused(&wat::parse_str(component).unwrap()).await
}

#[tokio::test]
async fn a_component_is_described_with_its_roles_and_digest() {
    let described = host(Limits::default()).inspect(&HOSTILE).await.unwrap();
    assert_eq!(described.name.as_str(), "hostile");
    assert_eq!(described.version, "1.0.0");
    assert_eq!(described.size, HOSTILE.len() as u64);
    let roles = [Role::ReleaseSource, Role::Notifier, Role::SelfTest];
    assert_eq!(described.roles, roles);
    assert_eq!(described.requests.len(), 3);
    assert!(described.settings.iter().any(|setting| setting.secret));
}

#[tokio::test]
async fn what_is_no_component_is_malformed() {
    assert_fault(&refused(b"").await, PluginErrorKind::Malformed, "empty");
    let script = refused(b"#!/bin/sh\nexit 0\n").await;
    assert_fault(&script, PluginErrorKind::Malformed, "no WebAssembly");
    let module = refused_text("(module)").await;
    assert_fault(
        &module,
        PluginErrorKind::Malformed,
        "core WebAssembly module",
    );
    assert!(module.hint.unwrap().contains("wasm32-wasip2"));
}

#[tokio::test]
async fn a_truncated_component_is_malformed_wherever_it_ends() {
    for part in [9, 100, 1_000, HOSTILE.len() / 2, HOSTILE.len() - 1] {
        let error = refused(&HOSTILE[..part]).await;
        assert_eq!(error.kind, PluginErrorKind::Malformed, "{part}: {error}");
    }
    let half = refused(&HOSTILE[..HOSTILE.len() / 2]).await;
    assert_fault(&half, PluginErrorKind::Malformed, "truncated");
}

#[tokio::test]
async fn a_large_file_is_refused() {
    let limits = Limits {
        component_bytes: 1 << 20,
        ..Limits::default()
    };
    let error = host(limits).inspect(&vec![0; 2 << 20]).await.unwrap_err();
    assert_fault(&error, PluginErrorKind::Malformed, "too large: 2 MiB");
}

#[tokio::test]
async fn a_component_without_a_role_is_refused() {
    let nothing = refused_text("(component)").await;
    assert_fault(&nothing, PluginErrorKind::NoRole, "it exports nothing");
    let other = r#"(component
        (instance $i)
        (export "shipway:release/commands@9.0.0" (instance $i)))"#;
    let other = refused_text(other).await;
    assert_fault(
        &other,
        PluginErrorKind::NoRole,
        "shipway:release/commands@9.0.0",
    );
    assert!(
        other
            .hint
            .unwrap()
            .contains("shipway:plugin/manifest@0.1.0")
    );
}

#[tokio::test]
async fn an_unknown_import_is_named() {
    let unknown = r#"(component
        (import "acme:database/query@1.0.0" (instance (export "run" (func)))))"#;
    let unknown = refused_text(unknown).await;
    assert_fault(
        &unknown,
        PluginErrorKind::UnknownImport,
        "imports acme:database/query@1.0.0, which Shipway does not have",
    );
    let http = r#"(component
        (import "wasi:http/outgoing-handler@0.2.0" (instance (export "handle" (func)))))"#;
    let http = refused_text(http).await;
    assert_fault(
        &http,
        PluginErrorKind::UnknownImport,
        "in another version or form",
    );
    let newer = r#"(component
        (import "shipway:plugin/log@0.1.0" (instance (export "shout" (func)))))"#;
    let newer = refused_text(newer).await;
    assert_fault(&newer, PluginErrorKind::UnknownImport, "shout");
}

#[tokio::test]
async fn a_role_with_other_types_is_malformed() {
    let wrong = r#"(component
        (core module $m (func (export "f")))
        (core instance $c (instantiate $m))
        (func $f (canon lift (core func $c "f")))
        (instance $manifest (export "describe" (func $f)))
        (instance $commands (export "collect" (func $f)))
        (export "shipway:plugin/manifest@0.1.0" (instance $manifest))
        (export "shipway:release/commands@0.1.0" (instance $commands)))"#;
    let error = refused_text(wrong).await;
    assert_fault(&error, PluginErrorKind::Malformed, "not the contract's");
}

#[tokio::test]
async fn a_describe_that_misbehaves_is_a_fault_of_the_component() {
    let trap = refused(&describing("trap")).await;
    assert_fault(&trap, PluginErrorKind::Trap, "I was told to");
    let spin = refused(&describing("loop")).await;
    assert_eq!(spin.kind, PluginErrorKind::Timeout, "{spin}");
    let grow = refused(&describing("grow")).await;
    assert_fault(&grow, PluginErrorKind::Memory, "128 MiB");
    let name = refused(&describing("bad-name")).await;
    assert_fault(&name, PluginErrorKind::Nonsense, "plugin name");
    let version = refused(&describing("bad-version")).await;
    assert_fault(&version, PluginErrorKind::Nonsense, "semantic version");
    let huge = refused(&describing("huge")).await;
    assert_fault(&huge, PluginErrorKind::Nonsense, "hand over");
}

#[tokio::test]
async fn a_component_comes_from_the_registry_when_it_is_not_ready() {
    let honest = Bench::new("honest").await;
    let digest = honest.call().plugin.description.digest.clone();

    let empty = host(Limits::default());
    empty.forget(&digest).await;
    let error = empty.collect(&honest.call()).await.unwrap_err();
    assert_fault(&error, PluginErrorKind::Host, "not in the store");

    let other = Shelf(vec![(digest.clone(), describing("trap"))]);
    let error = host_over(Limits::default(), other)
        .collect(&honest.call())
        .await
        .unwrap_err();
    assert_fault(&error, PluginErrorKind::Host, "another digest");

    let good = Shelf(vec![(digest, HOSTILE.clone())]);
    let collected = host_over(Limits::default(), good)
        .collect(&honest.call())
        .await;
    assert_eq!(collected.unwrap().commands.len(), 1);
}
