//! Namespaces and Landlock.

use std::io;
use std::path::Path;
use std::process::{Command, Stdio};

use landlock::{
    ABI, AccessFs, CompatLevel, Compatible, PathBeneath, PathFd, Ruleset, RulesetAttr,
    RulesetCreated, RulesetCreatedAttr,
};
use nix::fcntl::{OFlag, open};
use nix::sched::{CloneFlags, unshare};
use nix::sys::stat::Mode;
use nix::unistd::{getegid, geteuid, write};

use crate::process::child;

/// Made before the fork, with all that needs memory; entered between fork and
/// exec.
#[derive(Debug)]
pub struct Isolation {
    /// The user and group as they are outside; none where the engine is root.
    user: Option<Maps>,
    write_rules: Option<RulesetCreated>,
}

#[derive(Debug)]
struct Maps {
    user: String,
    group: String,
}

impl Isolation {
    /// Writing is kept to `scratch`, or is not restricted.
    pub fn new(scratch: Option<&Path>) -> Self {
        let (user, group) = (geteuid(), getegid());
        let maps = (!user.is_root()).then(|| Maps {
            user: format!("{user} {user} 1\n"),
            group: format!("{group} {group} 1\n"),
        });
        Self {
            user: maps,
            write_rules: scratch.and_then(|scratch| write_rules(scratch).ok()),
        }
    }

    /// Called once in a new process that has one thread; allocates nothing.
    pub fn enter(&mut self) -> io::Result<()> {
        match &self.user {
            None => unshare(CloneFlags::CLONE_NEWNET)?,
            Some(maps) => {
                unshare(CloneFlags::CLONE_NEWUSER | CloneFlags::CLONE_NEWNET)?;
                // The kernel wants groups fixed before an ordinary user maps them.
                fill("/proc/self/setgroups", "deny")?;
                fill("/proc/self/uid_map", &maps.user)?;
                fill("/proc/self/gid_map", &maps.group)?;
            }
        }
        if let Some(rules) = self.write_rules.take() {
            rules
                .restrict_self()
                .map_err(|_| io::Error::from(io::ErrorKind::PermissionDenied))?;
        }
        Ok(())
    }
}

fn fill(path: &str, text: &str) -> io::Result<()> {
    let file = open(path, OFlag::O_WRONLY | OFlag::O_CLOEXEC, Mode::empty())?;
    write(&file, text.as_bytes())?;
    Ok(())
}

/// Writing only beneath the scratch folder, and to the devices that keep
/// nothing. A kernel without Landlock gives rules that restrict nothing.
fn write_rules(scratch: &Path) -> Result<RulesetCreated, Box<dyn std::error::Error>> {
    let abi = ABI::V3;
    let mut rules = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_write(abi))?
        .create()?
        .add_rule(PathBeneath::new(
            PathFd::new(scratch)?,
            AccessFs::from_write(abi),
        ))?;
    for device in ["/dev/null", "/dev/zero", "/dev/full", "/dev/tty"] {
        if let Ok(device) = PathFd::new(device) {
            let write = AccessFs::WriteFile | AccessFs::Truncate;
            rules = rules.add_rule(PathBeneath::new(device, write))?;
        }
    }
    Ok(rules)
}

/// Whether a program can be started without network here.
pub fn try_once() -> io::Result<()> {
    let mut command = Command::new("/bin/sh");
    command
        .args(["-c", ":"])
        .env_clear()
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    child::before_exec(&mut command, Vec::new(), Some(Isolation::new(None)));
    command.status().map(drop)
}
