//! Finds processes that left their group and session, by a folder of ours that
//! their environment names. The last resort where there is no cgroup, and after
//! a crash that came before a pid was written down.

use std::path::Path;

/// Kills every process whose environment names the folder. Looks again until
/// none is found, because a process may fork while we look.
#[cfg(target_os = "linux")]
pub fn kill_those_in(folder: &Path) {
    const ROUNDS: u32 = 10;
    for _ in 0..ROUNDS {
        if kill_once(folder) == 0 {
            return;
        }
    }
}

#[cfg(target_os = "linux")]
fn kill_once(folder: &Path) -> usize {
    use std::os::unix::ffi::OsStrExt;

    use nix::sys::signal::{Signal, kill};
    use nix::unistd::Pid;

    // With what is between it and its home, lest `undo-1` be found in `undo-10`.
    let mut needle = folder.as_os_str().as_bytes().to_vec();
    needle.push(b'/');
    let Ok(entries) = std::fs::read_dir("/proc") else {
        return 0;
    };
    entries
        .flatten()
        .filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok())
        .filter(|pid| *pid > 1 && pid.unsigned_abs() != std::process::id())
        .filter(|pid| {
            // Others' environments cannot be read, and are not ours to kill.
            let environment = std::fs::read(format!("/proc/{pid}/environ")).unwrap_or_default();
            environment
                .windows(needle.len())
                .any(|part| part == needle.as_slice())
        })
        .filter(|pid| kill(Pid::from_raw(*pid), Signal::SIGKILL).is_ok())
        .count()
}

#[cfg(not(target_os = "linux"))]
pub fn kill_those_in(_folder: &Path) {}
