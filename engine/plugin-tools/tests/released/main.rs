//! The contract keeps what it promised: today's text in `wit/` is held against
//! every released version in `wit/released/`. A plugin that was built for one of
//! them must link as it is, so nothing that it may use goes away or changes its
//! shape; only imported functions, interfaces and worlds may be new.
//!
//! `wit_component::semver_check` decides, [`words`] says what broke.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};

use wit_parser::{PackageId, Resolve, UnresolvedPackageGroup, WorldId};

mod words;

/// The version that a released text has here: two packages of one version
/// cannot be read together, and the check looks at no version.
const STAND_IN: &str = "0.0.0";

#[test]
fn todays_contract_links_plugins_of_every_released_version() {
    let today = read(&contract());
    let mut versions = released();
    versions.sort();
    assert!(!versions.is_empty(), "no version was ever released");
    for (version, folder) in versions {
        let broken = broken(&read(&folder), &version, &today);
        assert!(
            broken.is_empty(),
            "wit/ breaks plugins that were built for {version}:\n  {}\n\
             Put it back, or release a new major version beside the old one.",
            broken.join("\n  ")
        );
    }
}

#[test]
fn a_released_text_lies_in_the_folder_of_its_version() {
    for (version, folder) in released() {
        for (path, text) in read(&folder) {
            let line = text.lines().find(|line| line.starts_with("package "));
            let package = line.unwrap_or_default();
            assert!(
                package.ends_with(&format!("@{version};")),
                "wit/released/{version}/{} says `{package}`",
                path.display()
            );
        }
    }
}

#[test]
fn a_removed_function_is_found_and_named() {
    let find = "    find: func(glob: string) -> result<list<string>, failure>;\n";
    assert_eq!(
        after_change(find, ""),
        ["shipway:plugin/source: the function find is gone; it was \
             func(glob: string) -> result<list<string>, failure>"]
    );
}

#[test]
fn a_grown_record_is_found_and_named() {
    let grown = "        place: string,\n        column: u32,\n";
    assert_eq!(
        after_change("        place: string,\n", grown),
        ["shipway:plugin/model: record provenance has a new column: u32"]
    );
}

#[test]
fn a_function_that_plugins_would_have_to_export_is_found_and_named() {
    let more = "    deliver: func(event: event) -> result<_, failure>;\n    flush: func();\n";
    assert_eq!(
        after_change(
            "    deliver: func(event: event) -> result<_, failure>;\n",
            more
        ),
        ["shipway:notify/notifier: the function flush is new, and no old plugin exports it"]
    );
}

#[test]
fn a_role_that_is_no_longer_asked_is_found_and_named() {
    let gone = after_change("    export shipway:self-test/checks@0.1.0;\n", "");
    assert!(
        gone.contains(&"the world self-test no longer exports shipway:self-test/checks".to_owned()),
        "{gone:?}"
    );
}

#[test]
fn what_plugins_may_import_can_grow() {
    let find = "    find: func(glob: string) -> result<list<string>, failure>;\n";
    let more = format!("{find}    size: func(path: string) -> result<u64, failure>;\n");
    assert_eq!(after_change(find, &more), [""; 0]);
}

type Files = Vec<(PathBuf, String)>;

fn contract() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../wit")
}

/// Every released version and its folder.
fn released() -> Vec<(String, PathBuf)> {
    let entries = fs::read_dir(contract().join("released")).unwrap();
    entries
        .map(|entry| entry.unwrap())
        .map(|entry| (entry.file_name().into_string().unwrap(), entry.path()))
        .collect()
}

/// The texts of a version: the worlds, and the packages below `deps/`.
fn read(folder: &Path) -> Files {
    let text = |path: PathBuf| {
        let text = fs::read_to_string(folder.join(&path)).unwrap();
        (path, text)
    };
    let packages = ["plugin", "release", "notify", "self-test"]
        .map(|package| PathBuf::from(format!("deps/{package}/{package}.wit")));
    let worlds = [PathBuf::from("shipway.wit")];
    worlds.into_iter().chain(packages).map(text).collect()
}

/// What breaks for plugins of 0.1.0 if its text becomes another.
fn after_change(from: &str, to: &str) -> Vec<String> {
    let version = "0.1.0";
    let before = read(&contract().join("released").join(version));
    let (mut after, mut changed) = (before.clone(), 0);
    for (_, text) in &mut after {
        changed += text.matches(from).count();
        *text = text.replace(from, to);
    }
    assert!(changed > 0, "0.1.0 has no such text:\n{from}");
    broken(&before, version, &after)
}

/// What of `before` no longer holds in `after`, in words.
fn broken(before: &Files, version: &str, after: &Files) -> Vec<String> {
    let mut resolve = Resolve::default();
    let old: Files = before
        .iter()
        .map(|(path, text)| {
            let text = text.replace(&format!("@{version}"), &format!("@{STAND_IN}"));
            (path.clone(), text)
        })
        .collect();
    let old = worlds(push(&mut resolve, &old), &resolve);
    let new = worlds(push(&mut resolve, after), &resolve);
    let mut broken = Vec::new();
    for (name, old) in old {
        let Some((_, new)) = new.iter().find(|(other, _)| *other == name) else {
            broken.push(format!("the world {name} is gone"));
            continue;
        };
        let said = words::differences(&resolve, &name, old, *new);
        let links = wit_component::semver_check(resolve.clone(), old, *new);
        if let (true, Err(reason)) = (said.is_empty(), links) {
            broken.push(format!("the world {name}: {reason:#}"));
        }
        broken.extend(said);
    }
    broken.sort();
    broken.dedup();
    broken
}

fn push(resolve: &mut Resolve, files: &Files) -> PackageId {
    let groups = files.iter().map(|(path, text)| {
        UnresolvedPackageGroup::parse(path, text)
            .unwrap_or_else(|(_, error)| panic!("{}: {error}", path.display()))
    });
    let mut groups: Vec<UnresolvedPackageGroup> = groups.collect();
    let worlds = groups.remove(0);
    resolve.push_groups(worlds, groups).unwrap()
}

fn worlds(package: PackageId, resolve: &Resolve) -> Vec<(String, WorldId)> {
    let worlds = resolve.packages[package].worlds.iter();
    worlds.map(|(name, id)| (name.clone(), *id)).collect()
}
