//! Which process is meant. A pid alone is used again by another process; with
//! the time of its start (and the boot, on Linux) it never is.

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};

/// One process, for as long as the machine runs. It leads its process group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcessId {
    pid: i32,
    started: String,
}

impl ProcessId {
    /// The process that has this pid now.
    pub fn of(pid: u32) -> Option<Self> {
        let pid = i32::try_from(pid).ok()?;
        let seen = look(pid)?;
        Some(Self {
            pid,
            started: seen.started,
        })
    }

    /// Whether it is there and not merely waiting to be reaped.
    pub fn is_running(&self) -> bool {
        look(self.pid).is_some_and(|seen| seen.started == self.started && !seen.zombie)
    }

    pub fn signal(&self, signal: Signal) {
        if self.is_running() {
            // Gone between the two: what was wanted.
            let _ = kill(Pid::from_raw(self.pid), signal);
        }
    }

    /// Signals its group, if the group is still this process's.
    pub fn signal_group(&self, signal: Signal) {
        if look(self.pid).is_some_and(|seen| seen.started == self.started) {
            signal_group(self.pid, signal);
        }
    }
}

/// Signals a group whose leader is our own child, reaped just now at most.
pub fn signal_group(leader: i32, signal: Signal) {
    // 0 and 1 would be our own group and everything.
    if leader > 1 {
        let _ = killpg(Pid::from_raw(leader), signal);
    }
}

/// Whether anything is left in the group.
pub fn group_exists(leader: i32) -> bool {
    leader > 1 && killpg(Pid::from_raw(leader), None) != Err(Errno::ESRCH)
}

struct Seen {
    started: String,
    zombie: bool,
}

#[cfg(target_os = "linux")]
fn look(pid: i32) -> Option<Seen> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold anything, brackets too; the fields follow the last one.
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace();
    let state = fields.next()?;
    let ticks = fields.nth(18)?;
    Some(Seen {
        started: format!("{}:{ticks}", boot()),
        zombie: matches!(state, "Z" | "X"),
    })
}

/// Which boot of the machine this is. Start times count from it, so the same
/// number may come again after it; and nothing that ran before it runs now.
#[cfg(target_os = "linux")]
pub fn boot() -> &'static str {
    static BOOT: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    BOOT.get_or_init(|| {
        let id = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
        id.trim().to_owned()
    })
}

#[cfg(not(target_os = "linux"))]
pub fn boot() -> &'static str {
    static BOOT: std::sync::OnceLock<String> = std::sync::OnceLock::new();
    BOOT.get_or_init(|| {
        let told = std::process::Command::new("sysctl")
            .args(["-n", "kern.boottime"])
            .output();
        told.map(|told| String::from_utf8_lossy(&told.stdout).trim().to_owned())
            .unwrap_or_default()
    })
}

#[cfg(not(target_os = "linux"))]
fn look(pid: i32) -> Option<Seen> {
    let listed = std::process::Command::new("ps")
        .args(["-o", "stat=", "-o", "lstart=", "-p", &pid.to_string()])
        .env("LC_ALL", "C")
        .output()
        .ok()?;
    let text = String::from_utf8_lossy(&listed.stdout);
    let (state, started) = text.trim().split_once(char::is_whitespace)?;
    Some(Seen {
        started: started.trim().to_owned(),
        zombie: state.starts_with('Z'),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_is_known_by_more_than_its_pid() {
        let ours = ProcessId::of(std::process::id()).unwrap();
        assert!(ours.is_running());
        let earlier = ProcessId {
            started: "another time".to_owned(),
            ..ours
        };
        assert!(!earlier.is_running());
    }

    #[test]
    fn a_dead_process_does_not_run_even_before_it_is_reaped() {
        let mut child = std::process::Command::new("true").spawn().unwrap();
        let id = ProcessId::of(child.id());
        child.wait().unwrap();
        assert!(id.is_none_or(|id| !id.is_running()));
    }
}
