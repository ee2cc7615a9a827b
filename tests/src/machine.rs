//! The machine as a bystander sees it: which processes run, and their ends.

use std::fs;
use std::path::PathBuf;

use nix::sys::signal::Signal;
use nix::unistd::Pid;

/// The processes that have this text in their command line, their environment
/// or the path of what they write errors to.
pub fn processes_with(text: &str) -> Vec<u32> {
    let mentions = |pid: &u32| {
        let folder = PathBuf::from(format!("/proc/{pid}"));
        let link = fs::read_link(folder.join("fd/2")).unwrap_or_default();
        contains(&folder.join("cmdline"), text)
            || contains(&folder.join("environ"), text)
            || link.to_string_lossy().contains(text)
    };
    let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| *pid != std::process::id())
        .filter(mentions)
        .collect()
}

fn contains(file: &PathBuf, text: &str) -> bool {
    let bytes = fs::read(file).unwrap_or_default();
    bytes
        .windows(text.len())
        .any(|part| part == text.as_bytes())
}

/// As many open files as this user may have: a thousand watchers have a socket
/// each.
pub fn raise_open_files() {
    use nix::sys::resource::{Resource, getrlimit, setrlimit};
    let (_, hard) = getrlimit(Resource::RLIMIT_NOFILE).expect("the limit");
    setrlimit(Resource::RLIMIT_NOFILE, hard.min(65_536), hard).expect("a higher limit");
}

/// SIGKILL, as by a crash.
pub fn kill(pid: u32) {
    signal(pid, Signal::SIGKILL);
}

/// SIGHUP, as by whoever wants a program to start anew.
pub fn hang_up(pid: u32) {
    signal(pid, Signal::SIGHUP);
}

pub(crate) fn signal(pid: u32, signal: Signal) {
    if let Ok(pid) = i32::try_from(pid) {
        let _ = nix::sys::signal::kill(Pid::from_raw(pid), signal);
    }
}

/// Waits until a process catches SIGINT and SIGTERM itself.
pub fn until_catches(pid: u32) {
    let both = (1u64 << (Signal::SIGINT as i32 - 1)) | (1 << (Signal::SIGTERM as i32 - 1));
    let limit = std::time::Duration::from_secs(60);
    crate::wait::until_true("it catches signals", limit, || {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
        let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"));
        let caught = caught.and_then(|text| u64::from_str_radix(text.trim(), 16).ok());
        caught.is_some_and(|caught| caught & both == both)
    });
}
