//! Every template of every language, unpacked as `shipway plugin new` does.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use shipway_core::plugin::Role;
use shipway_plugin_tools::project::{Project, SDK};
use shipway_plugin_tools::scaffold::{NewError, NewProject};
use shipway_plugin_tools::toolbox::Toolbox;

const ROLES: [Role; 3] = [Role::ReleaseSource, Role::Notifier, Role::SelfTest];

fn repository() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn wish(language: &str, role: Role, name: &str, directory: &Path) -> NewProject {
    NewProject {
        language: language.to_owned(),
        role,
        name: name.parse().unwrap(),
        directory: directory.to_owned(),
    }
}

fn every_project() -> impl Iterator<Item = (&'static str, Role)> {
    let languages = Toolbox::languages().iter();
    languages.flat_map(|language| ROLES.map(|role| (*language, role)))
}

/// The text of a file in the project.
fn text(folder: &Path, file: &str) -> String {
    let path = folder.join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn every_sdk_is_carried() {
    for entry in fs::read_dir(repository().join("sdk")).unwrap() {
        let folder = entry.unwrap().path();
        let name = folder.file_name().unwrap().to_str().unwrap();
        if folder.join("language.toml").is_file() {
            assert!(Toolbox::languages().contains(&name), "{name} is missing");
        }
    }
    assert!(Toolbox::languages().contains(&"rust"));
}

#[test]
fn every_template_makes_a_whole_project() {
    let folder = tempfile::tempdir().unwrap();
    let tools = Toolbox::new(folder.path().join("caches"));
    for (language, role) in every_project() {
        let place = folder.path().join(format!("{language}-{role}"));
        let made = tools
            .create(&wish(language, role, "team-hook", &place))
            .unwrap_or_else(|error| panic!("{language} {role}: {error}"));
        let project = Project::read(&place).unwrap();
        assert_eq!(project.roles, [role]);
        assert_eq!(project.language.name, language);
        assert!(place.join(SDK).join("wit/shipway.wit").is_file());
        assert!(text(&place, ".gitignore").contains("build/"));
        let readme = text(&place, "README.md");
        for verb in ["plugin build", "plugin test", "plugin add"] {
            assert!(readme.contains(verb), "{language} {role}: no {verb}");
        }
        for file in &made.files {
            is_filled_in(&place, file.to_str().unwrap());
        }
        has_cases(&place, &made.files);
    }
}

fn is_filled_in(folder: &Path, file: &str) {
    let text = text(folder, file);
    for placeholder in ["{{name}}", "{{snake}}", "{{title}}"] {
        assert!(!file.contains(placeholder), "{file}");
        assert!(
            !text.contains(placeholder),
            "{}: {placeholder}",
            folder.join(file).display()
        );
    }
}

fn has_cases(folder: &Path, files: &[PathBuf]) {
    let is_case = |file: &&PathBuf| {
        file.parent() == Some(Path::new("tests")) && file.extension() == Some("toml".as_ref())
    };
    let cases: Vec<_> = files.iter().filter(is_case).collect();
    assert!(cases.len() >= 2, "{}: {cases:?}", folder.display());
    for case in cases {
        let table: BTreeMap<String, toml::Value> =
            toml::from_str(&text(folder, case.to_str().unwrap())).unwrap();
        assert!(table.contains_key("summary"), "{}", case.display());
        assert!(table.contains_key("expect"), "{}", case.display());
    }
}

#[test]
fn a_place_or_a_name_that_is_taken_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let tools = Toolbox::new(folder.path().join("caches"));
    let place = folder.path().join("hook");
    let create =
        |language: &str, name: &str| tools.create(&wish(language, Role::Notifier, name, &place));
    let reserved = create("rust", "async").unwrap_err();
    assert!(matches!(reserved, NewError::Reserved { .. }), "{reserved}");
    let unknown = create("cobol", "hook").unwrap_err();
    assert_eq!(unknown.to_string(), "there is no language `cobol`");
    assert!(unknown.hint().unwrap().contains("rust"));
    assert!(!place.exists());
    create("rust", "hook").unwrap();
    let taken = create("rust", "hook").unwrap_err();
    assert!(matches!(taken, NewError::NotEmpty(_)), "{taken}");
}

/// The SDK's manifest in a project stands alone; it must not fall behind.
#[test]
fn rust_projects_depend_on_what_the_sdk_does() {
    let table = |file: &str| -> toml::Table { text(&repository(), file).parse().unwrap() };
    let shared = table("Cargo.toml")["workspace"]["dependencies"].clone();
    let resolved = |manifest: toml::Table| {
        let mut all = BTreeMap::new();
        let targets = manifest["target"].as_table().unwrap().clone();
        let mut sections = vec![(String::new(), manifest["dependencies"].clone())];
        for (target, section) in targets {
            sections.push((target, section["dependencies"].clone()));
        }
        for (target, section) in sections {
            for (name, wanted) in section.as_table().unwrap() {
                let inherits = wanted.get("workspace").is_some();
                let wanted = if inherits {
                    shared[name].clone()
                } else {
                    wanted.clone()
                };
                all.insert(format!("{target} {name}"), wanted);
            }
        }
        all
    };
    assert_eq!(
        resolved(table("sdk/rust/Cargo.toml.template")),
        resolved(table("sdk/rust/Cargo.toml"))
    );
}
