//! A real build of every role's template, from `new` to a checked component, in
//! C, which builds soonest. `cargo xtask conformance` does it in every language,
//! and runs what came of it.

#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use shipway_core::plugin::Role;
use shipway_plugin_tools::build::Built;
use shipway_plugin_tools::inspect::Kind;
use shipway_plugin_tools::scaffold::NewProject;
use shipway_plugin_tools::toolbox::Toolbox;

const ROLES: [Role; 3] = [Role::ReleaseSource, Role::Notifier, Role::SelfTest];

#[test]
fn every_role_in_c() {
    if !makes_environments() {
        let part = "python3 with venv, which brings the C compiler";
        assert!(std::env::var_os("CI").is_none(), "missing: {part}");
        println!("NOT RUN: {part} is missing");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for role in ROLES {
        let project = folder.path().join(role.to_string()).join("team-hook");
        let new = NewProject {
            language: "c".to_owned(),
            role,
            name: "team-hook".parse().unwrap(),
            directory: project.clone(),
        };
        Toolbox::new(caches()).create(&new).unwrap();
        is_whole(&build(&project), &project, role);
    }
}

fn makes_environments() -> bool {
    let mut command = Command::new("python3");
    let output = command.args(["-c", "import ensurepip, venv"]).output();
    output.is_ok_and(|output| output.status.success())
}

/// The user's own: the compiler is there already, or is for later.
fn caches() -> PathBuf {
    let variable = |name: &str| std::env::var_os(name).map(PathBuf::from);
    let temporary = || Path::new(env!("CARGO_TARGET_TMPDIR")).join("toolchains");
    Toolbox::usual_caches(variable).unwrap_or_else(temporary)
}

fn build(project: &Path) -> Built {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let tools = Toolbox::new(caches());
    match runtime.block_on(tools.build(project, &mut |_| {})) {
        Ok(built) => built,
        Err(error) => panic!("{error}\n{}", error.output().join("\n")),
    }
}

fn is_whole(built: &Built, project: &Path, role: Role) {
    let expected = project.join("build/team-hook.wasm").canonicalize().unwrap();
    assert_eq!(built.component, expected);
    assert_eq!(
        fs::metadata(&expected).unwrap().len(),
        built.inspection.size
    );
    assert_eq!(built.inspection.kind, Kind::Component);
    assert_eq!(built.inspection.roles, [role]);
    assert!(built.inspection.contract.contains_key("shipway:plugin"));
    assert!(!built.steps.is_empty());
}
