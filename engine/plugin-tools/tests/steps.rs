//! The way from a project to a component, with a language of one line of shell:
//! what goes wrong on it is said, and nothing stale is ever taken for new.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::PathBuf;

use shipway_core::plugin::Role;
use shipway_plugin_tools::build::{BuildError, Built};
use shipway_plugin_tools::check::Fault;
use shipway_plugin_tools::progress::Progress;
use shipway_plugin_tools::toolbox::Toolbox;

/// A component without code that exports these interfaces.
fn component(exports: &[&str]) -> Vec<u8> {
    let exports: String = exports
        .iter()
        .map(|name| format!("(export \"{name}\" (instance $empty))"))
        .collect();
    wat::parse_str(format!("(component (instance $empty) {exports})")).unwrap()
}

const MANIFEST: &str = "shipway:plugin/manifest@0.1.0";
const NOTIFIER: &str = "shipway:notify/notifier@0.1.0";

struct Place {
    folder: tempfile::TempDir,
}

/// A project whose only step is this script.
fn project(script: &str) -> Place {
    let folder = tempfile::tempdir().unwrap();
    let place = Place { folder };
    let language = format!(
        "name = \"shell\"\ntitle = \"Shell\"\nsdk = {{ files = [] }}\n\
         [[tools]]\ncommand = [\"sh\", \"-c\", \"echo shell 1.2\"]\nat-least = \"1.0\"\n\
         install = \"it is everywhere\"\n\
         [[steps]]\nsay = \"Copying\"\nrun = [\"sh\", \"-ec\", '{script}']\n\
         timeout-seconds = 1\n\
         [output]\ncomponent = \"{{work}}/*.out\"\n"
    );
    place.write("hook/sdk/language.toml", language.as_bytes());
    place.write(
        "hook/shipway-plugin.toml",
        b"language = \"shell\"\nroles = [\"notifier\"]\nsdk = \"sdk\"\n",
    );
    place.write("hook/given.wasm", &component(&[MANIFEST, NOTIFIER]));
    place
}

impl Place {
    fn path(&self, file: &str) -> PathBuf {
        self.folder.path().join(file)
    }

    fn write(&self, file: &str, bytes: &[u8]) {
        let path = self.path(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }

    async fn build(&self) -> Result<Built, BuildError> {
        let tools = Toolbox::new(self.path("caches"));
        tools.build(&self.path("hook"), &mut |_| {}).await
    }

    async fn error(&self) -> BuildError {
        self.build().await.unwrap_err()
    }
}

const COPY: &str = "cp given.wasm build/a.out";

#[tokio::test]
async fn a_good_component_is_kept_under_the_projects_name() {
    let place = project(COPY);
    let mut said = Vec::new();
    let tools = Toolbox::new(place.path("caches"));
    let built = tools
        .build(&place.path("hook"), &mut |progress| match progress {
            Progress::Started { step } => said.push(format!("{step} …")),
            Progress::Line { text } => said.push(text.to_owned()),
            Progress::Finished { step, .. } => said.push(format!("{step}: done")),
        })
        .await
        .unwrap();
    assert_eq!(said, ["Copying …", "Copying: done"]);
    assert_eq!(built.inspection.roles, [Role::Notifier]);
    assert!(built.component.ends_with("hook/build/hook.wasm"));
    let json = serde_json::to_value(&built).unwrap();
    assert_eq!(json["roles"][0], "notifier");
    assert_eq!(json["steps"][0]["step"], "Copying");
    assert_eq!(json["digest"].as_str().unwrap().len(), 64);
    assert!(json["took-ms"].is_u64());
}

#[tokio::test]
async fn the_steps_find_the_contract_of_exactly_these_roles() {
    let place = project("cp given.wasm build/a.out; cat build/wit/plugin.wit > world");
    place.build().await.unwrap();
    let world = fs::read_to_string(place.path("hook/world")).unwrap();
    assert!(
        world.contains("include shipway:worlds/notifier@"),
        "{world}"
    );
    assert!(!world.contains("self-test"), "{world}");
}

#[tokio::test]
async fn a_stale_component_is_never_taken_for_a_new_one() {
    let place = project("test ! -e skip && cp given.wasm build/a.out || true");
    place.build().await.unwrap();
    place.write("hook/skip", b"");
    let error = place.error().await;
    assert!(matches!(error, BuildError::NothingMade(_)), "{error}");
    // What was good stays good.
    assert!(place.path("hook/build/hook.wasm").is_file());
}

#[tokio::test]
async fn two_results_are_one_too_many() {
    let place = project("cp given.wasm build/a.out; cp given.wasm build/b.out");
    let error = place.error().await;
    assert!(matches!(error, BuildError::Several(_)), "{error}");
}

#[tokio::test]
async fn a_step_that_fails_or_never_ends_is_named_with_what_it_printed() {
    let error = project("echo oh no >&2; exit 4").error().await;
    assert!(
        error.to_string().ends_with("ended with exit code 4"),
        "{error}"
    );
    assert_eq!(error.output(), ["oh no"]);
    let error = project("echo waiting; sleep 300").error().await;
    assert!(
        error
            .to_string()
            .ends_with("took longer than 1 s and was ended"),
        "{error}"
    );
    assert_eq!(error.output(), ["waiting"]);
}

#[tokio::test]
async fn what_is_no_plugin_is_refused_with_what_to_do() {
    let place = project(COPY);
    place.write("hook/given.wasm", &component(&[MANIFEST]));
    let error = place.error().await;
    let missing = Fault::RoleMissing(Role::Notifier);
    assert!(matches!(&error, BuildError::Check { source, .. } if *source == missing));
    assert!(error.hint().unwrap().contains("implement notifier"));
    place.write("hook/given.wasm", &component(&[NOTIFIER]));
    let error = place.error().await;
    assert!(matches!(
        error,
        BuildError::Check {
            source: Fault::NoManifest,
            ..
        }
    ));
    place.write("hook/given.wasm", b"\0asm\x01\0\0\0");
    let error = place.error().await;
    assert!(matches!(
        error,
        BuildError::Check {
            source: Fault::NoComponent,
            ..
        }
    ));
    place.write("hook/given.wasm", b"#!/bin/sh");
    let error = place.error().await;
    assert!(matches!(error, BuildError::Inspect { .. }));
    assert!(!place.path("hook/build/hook.wasm").exists());
}

#[tokio::test]
async fn a_tool_that_is_missing_is_said_before_anything_runs() {
    let place = project("touch began");
    let language = fs::read_to_string(place.path("hook/sdk/language.toml")).unwrap();
    let language = language.replace("\"sh\", \"-c\", \"echo shell 1.2\"", "\"no-such-shell\"");
    place.write("hook/sdk/language.toml", language.as_bytes());
    let error = place.error().await;
    assert_eq!(error.to_string(), "`no-such-shell` is not on this machine");
    assert_eq!(error.hint().unwrap(), "it is everywhere");
    assert!(!place.path("hook/began").exists());
}

#[tokio::test]
async fn two_builds_of_a_project_do_not_meet() {
    let place = project(
        "test ! -e build/alone; touch build/alone; sleep 0.2; rm build/alone; cp given.wasm build/a.out",
    );
    let (one, other) = tokio::join!(place.build(), place.build());
    one.unwrap();
    other.unwrap();
}
