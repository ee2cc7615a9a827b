//! Components that are compiled in a limited child process.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use shipway_core::ports::plugins::{PluginErrorKind, Plugins};
use shipway_plugin_host::{Compiler, HostConfig, Limits, PluginHost};
use tempfile::TempDir;

use crate::harness::{HOSTILE, Shelf, assert_fault};

/// The example that cargo builds beside the tests.
fn child() -> Vec<OsString> {
    let profile = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap();
    let test = std::env::current_exe().unwrap();
    let beside = test.ancestors().nth(2).unwrap_or(profile);
    let program: PathBuf = beside.join("examples/compile-plugin");
    assert!(program.is_file(), "{} is not built", program.display());
    vec![program.into()]
}

/// A host with a cache of its own: nothing is compiled before.
fn host(limits: Limits, argv: Vec<OsString>) -> (PluginHost, TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let mut config = HostConfig::new(folder.path().join("compiled"));
    config.limits = limits;
    config.compiler = Compiler::Child(argv);
    let host = PluginHost::new(config, Arc::new(Shelf::default())).unwrap();
    (host, folder)
}

/// Small, valid, and far too much for any compiler: every loop carries every
/// local.
fn bomb(locals: usize, loops: usize) -> Vec<u8> {
    let names = "i32 ".repeat(locals);
    let begin = "loop ".repeat(loops);
    let change: String = (0..locals)
        .map(|n| format!("local.get {n} i32.const 3 i32.add local.set {n} "))
        .collect();
    let end = "local.get 0 br_if 0 end ".repeat(loops);
    let module = format!(
        "(component (core module (func (export \"f\") (local {names}) {begin} {change} {end})))"
    );
    wat::parse_str(module).unwrap()
}

fn files(folder: &TempDir) -> usize {
    let cache = folder.path().join("compiled");
    std::fs::read_dir(cache).unwrap().count()
}

/// The most memory that this process ever had, in MiB.
fn most_memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kilobytes = line.unwrap().trim().strip_suffix(" kB").unwrap();
    kilobytes.parse::<u64>().unwrap() >> 10
}

#[tokio::test]
async fn a_child_compiles_what_this_process_runs() {
    let (host, folder) = host(Limits::default(), child());
    let described = host.inspect(&HOSTILE).await.unwrap();
    assert_eq!(described.name.as_str(), "hostile");
    assert!(host.took(&described.digest).unwrap() > Duration::ZERO);
    assert_eq!(files(&folder), 1);

    host.forget(&described.digest).await;
    assert_eq!(host.took(&described.digest), None);
    assert_eq!(files(&folder), 0);
}

#[tokio::test]
async fn what_is_no_component_is_refused_as_it_is_in_this_process() {
    let (host, folder) = host(Limits::default(), child());
    let half = host.inspect(&HOSTILE[..HOSTILE.len() / 2]).await;
    assert_fault(&half.unwrap_err(), PluginErrorKind::Malformed, "truncated");
    assert_eq!(files(&folder), 0, "nothing is left of it");
}

#[tokio::test]
async fn a_bomb_ends_at_the_childs_memory_and_costs_this_process_none() {
    let (host, folder) = host(Limits::default(), child());
    let error = host.inspect(&bomb(20_000, 5_000)).await.unwrap_err();
    assert_fault(&error, PluginErrorKind::Memory, "1024 MiB of memory");
    assert!(most_memory() < 700, "{} MiB", most_memory());
    assert_eq!(files(&folder), 0, "nothing is left of it");
    host.inspect(&HOSTILE).await.unwrap();
}

#[tokio::test]
async fn a_bomb_ends_at_the_childs_processor_time() {
    let limits = Limits {
        compile_cpu: Duration::from_secs(1),
        compile_memory: 8 << 30,
        ..Limits::default()
    };
    let (host, _folder) = host(limits, child());
    let error = host.inspect(&bomb(2_000, 2_000)).await.unwrap_err();
    assert_fault(&error, PluginErrorKind::Timeout, "1 s of processor time");
}

#[tokio::test]
async fn a_bomb_ends_when_its_time_is_over() {
    let limits = Limits {
        compile: Duration::from_millis(300),
        compile_memory: 8 << 30,
        ..Limits::default()
    };
    let (host, folder) = host(limits, child());
    let error = host.inspect(&bomb(2_000, 2_000)).await.unwrap_err();
    assert_fault(&error, PluginErrorKind::Host, "could not be compiled in");
    assert_eq!(files(&folder), 0, "nothing is left of it");
}

#[tokio::test]
async fn a_component_may_compile_to_so_many_bytes() {
    let limits = Limits {
        compiled_bytes: 10_000,
        ..Limits::default()
    };
    let (host, _folder) = host(limits, child());
    let error = host.inspect(&HOSTILE).await.unwrap_err();
    assert_fault(&error, PluginErrorKind::Malformed, "compiles to more than");
}

#[tokio::test]
async fn a_compiler_that_is_not_there_or_is_none_is_the_hosts_fault() {
    let (nobody, _folder) = host(Limits::default(), vec!["/nowhere/shipway".into()]);
    let error = nobody.inspect(&HOSTILE).await.unwrap_err();
    assert_fault(&error, PluginErrorKind::Host, "could not be compiled");

    let (mute, _folder) = host(Limits::default(), vec!["/bin/true".into()]);
    let error = mute.inspect(&HOSTILE).await.unwrap_err();
    assert_fault(&error, PluginErrorKind::Host, "could not be loaded after");
}
