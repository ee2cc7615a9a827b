//! Real builds: every template of every language, from `new` to a checked
//! component, with the language's own toolchain. A language whose tools are not
//! on this machine is not run, and the list says so; where `CI` is set all must
//! be there.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use libtest_mimic::{Arguments, Failed, Trial};
use shipway_core::plugin::Role;
use shipway_plugin_tools::build::{BuildError, Built};
use shipway_plugin_tools::inspect::Kind;
use shipway_plugin_tools::scaffold::NewProject;
use shipway_plugin_tools::toolbox::Toolbox;

const ROLES: [Role; 3] = [Role::ReleaseSource, Role::Notifier, Role::SelfTest];

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let trials = Toolbox::languages().iter().map(|language| {
        let missing = missing_tool(language).filter(|_| std::env::var_os("CI").is_none());
        let kind = missing
            .map(|tool| format!("no {tool} here"))
            .unwrap_or_default();
        let ignored = !kind.is_empty();
        Trial::test(format!("every_role_in_{language}"), move || {
            every_role(language)
        })
        .with_kind(kind)
        .with_ignored_flag(ignored)
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}

/// The program that keeps a language from being built here.
fn missing_tool(language: &str) -> Option<String> {
    let tools = Toolbox::language(language).unwrap().tools;
    let programs = tools
        .into_iter()
        .filter_map(|tool| tool.command.into_iter().next());
    let runs = |program: &String| Command::new(program).arg("--version").output().is_ok();
    programs.into_iter().find(|program| !runs(program))
}

/// Where toolchains are kept from one run to the next.
fn caches() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("toolchains")
}

fn every_role(language: &'static str) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    for role in ROLES {
        let project = folder.path().join(role.to_string()).join("team-hook");
        Toolbox::new(caches()).create(&NewProject {
            language: language.to_owned(),
            role,
            name: "team-hook".parse()?,
            directory: project.clone(),
        })?;
        if language == "rust" {
            in_rust(&project, role)?;
        } else {
            is_whole(&build(&project)?, &project, role)?;
        }
    }
    Ok(())
}

/// With the versions that are on this machine already, and with what was
/// compiled before; the unit tests of the template too.
fn in_rust(project: &Path, role: Role) -> Result<(), Failed> {
    let lock = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../Cargo.lock");
    fs::copy(lock, project.join("Cargo.lock"))?;
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join("rust-plugins");
    let target = project.join("build/target");
    fs::create_dir(project.join("build"))?;
    if kept.exists() {
        fs::rename(&kept, &target)?;
    }
    let outcome = build(project)
        .and_then(|built| is_whole(&built, project, role))
        .and_then(|()| unit_tests_pass(project));
    fs::rename(target, kept)?;
    outcome
}

fn build(project: &Path) -> Result<Built, Failed> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let tools = Toolbox::new(caches());
    let built = runtime.block_on(tools.build(project, &mut |_| {}));
    built.map_err(|error| failed(&error))
}

fn failed(error: &BuildError) -> Failed {
    format!("{error}\n{}", error.output().join("\n")).into()
}

fn is_whole(built: &Built, project: &Path, role: Role) -> Result<(), Failed> {
    let expected = project.join("build/team-hook.wasm").canonicalize()?;
    assert_eq!(built.component, expected);
    assert_eq!(fs::metadata(&expected)?.len(), built.inspection.size);
    assert_eq!(built.inspection.kind, Kind::Component);
    assert_eq!(built.inspection.roles, [role]);
    assert!(built.inspection.contract.contains_key("shipway:plugin"));
    assert!(!built.steps.is_empty());
    Ok(())
}

fn unit_tests_pass(project: &Path) -> Result<(), Failed> {
    let output = Command::new("cargo")
        .args(["test", "--quiet", "--target-dir", "build/target"])
        .current_dir(project)
        .output()?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).into_owned().into()),
    }
}
