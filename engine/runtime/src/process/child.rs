//! How every program of an app is started, by the engine and by a supervisor:
//! a group of its own, exactly the variables it is given, a cgroup where there
//! is one.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

use nix::sys::signal::SigSet;
use serde::{Deserialize, Serialize};
use shipway_core::journal::Exit;
use shipway_core::secret::Secret;

use super::cgroup::Group;
use super::isolation::Isolation;
use super::state::make_private;

/// A program to start, with all that it will see of the world.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Program {
    pub argv: Vec<String>,
    pub folder: PathBuf,
    pub variables: Vec<(String, Secret)>,
    pub group: Group,
}

impl Program {
    /// Both outputs are pipes; there is nothing to read.
    pub fn command(&self) -> io::Result<Command> {
        let (program, arguments) = self
            .argv
            .split_first()
            .ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "an empty command"))?;
        let mut command = Command::new(program);
        command
            .args(arguments)
            .current_dir(&self.folder)
            .env_clear()
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        for (name, value) in &self.variables {
            command.env(name, value.reveal());
        }
        before_exec(&mut command, self.group.doors()?, None);
        Ok(command)
    }

    /// The same with no network, and no writing outside the scratch folder.
    pub fn isolated_command(&self, isolation: Isolation) -> io::Result<Command> {
        let mut command = self.command()?;
        before_exec(&mut command, Vec::new(), Some(isolation));
        Ok(command)
    }
}

/// Unblocks signals, joins cgroups and enters the isolation, between fork and
/// exec.
#[expect(
    unsafe_code,
    reason = "only between fork and exec can a child unblock signals, join a cgroup and leave the network without a race"
)]
pub fn before_exec(command: &mut Command, doors: Vec<OwnedFd>, isolation: Option<Isolation>) {
    let mut isolation = isolation;
    let enter = move || {
        // A supervisor takes its signals blocked, and a mask is inherited.
        SigSet::empty().thread_set_mask()?;
        for door in &doors {
            // 0 means the process that writes.
            nix::unistd::write(door, b"0")?;
        }
        match isolation.as_mut() {
            Some(isolation) => isolation.enter(),
            None => Ok(()),
        }
    };
    // SAFETY: the closure makes system calls only (sigprocmask, write, open,
    // unshare, prctl, landlock_restrict_self) on descriptors and buffers made before the fork;
    // it takes no lock and does not allocate.
    unsafe {
        command.pre_exec(enter);
    }
}

/// What stands for the image's own variables on this runtime. What the
/// environment sets wins over them.
pub fn base_variables(search: &OsStr, home: &Path, temporary: &Path) -> Vec<(String, Secret)> {
    let mut path = home.join(".local/bin").into_os_string();
    path.push(":");
    path.push(search);
    let text = |value: OsString| Secret::new(value.to_string_lossy());
    vec![
        ("PATH".to_owned(), text(path)),
        ("HOME".to_owned(), text(home.into())),
        ("TMPDIR".to_owned(), text(temporary.into())),
        ("LANG".to_owned(), Secret::new("C.UTF-8")),
    ]
}

/// A home and a temporary folder that only one instance or run has.
#[derive(Debug, Clone)]
pub struct Scratch {
    pub home: PathBuf,
    pub temporary: PathBuf,
}

impl Scratch {
    pub fn of(folder: &Path) -> Self {
        Self {
            home: folder.join("home"),
            temporary: folder.join("tmp"),
        }
    }

    /// Makes both. What the build left in its home (`pip install --user` puts
    /// programs there) is seen through links; caches are not.
    pub fn make(folder: &Path, image_home: Option<&Path>) -> io::Result<Self> {
        let scratch = Self::of(folder);
        make_private(&scratch.home)?;
        make_private(&scratch.temporary)?;
        let Some(Ok(entries)) = image_home.map(fs::read_dir) else {
            return Ok(scratch);
        };
        for entry in entries {
            let entry = entry?;
            let link = scratch.home.join(entry.file_name());
            if entry.file_name() != ".cache" && fs::symlink_metadata(&link).is_err() {
                std::os::unix::fs::symlink(entry.path(), link)?;
            }
        }
        Ok(scratch)
    }
}

/// How a program ended.
pub fn exit_of(status: ExitStatus) -> Exit {
    match (status.code(), status.signal()) {
        (Some(code), _) => Exit::Code { code },
        (None, Some(signal)) => Exit::Signal { signal },
        (None, None) => Exit::NotStarted,
    }
}
