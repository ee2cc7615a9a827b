//! Memory and CPU limits, and the one sure way to kill all of a group of
//! processes. Linux has cgroups in two versions, on many machines both; what
//! can be used here is found by looking, at first use.
//!
//! Where a limit cannot be kept, that is said in the log of the instance or
//! the deployment; nothing fails for it.

use std::fs;
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde::{Deserialize, Serialize};
use shipway_core::environment::Limits;

use super::state::folders;

#[cfg(target_os = "linux")]
mod mounts;

/// All groups of ours are in a folder of this name.
#[cfg(target_os = "linux")]
const PARENT: &str = "shipway";
/// The length of a period in which a CPU limit holds, in microseconds.
const PERIOD: u64 = 100_000;
/// The kernel takes no shorter share of a period.
const SHORTEST_QUOTA: u64 = 1_000;
/// Killed processes leave their group a moment later; waited for this often.
const ROUNDS: u32 = 100;
const ROUND: Duration = Duration::from_millis(10);

/// What limits something, and where.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Controller {
    Memory,
    Cpu,
}

impl Controller {
    #[cfg(target_os = "linux")]
    const ALL: [Self; 2] = [Self::Memory, Self::Cpu];

    fn name(self) -> &'static str {
        match self {
            Self::Memory => "memory",
            Self::Cpu => "cpu",
        }
    }
}

/// A folder of cgroups in which ours may be made.
#[derive(Debug, Clone)]
struct Place {
    controller: Controller,
    version: Version,
    folder: PathBuf,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(
    not(target_os = "linux"),
    expect(dead_code, reason = "only Linux has cgroups")
)]
enum Version {
    One,
    Two,
}

/// The cgroups that this machine lets us use.
#[derive(Debug, Clone, Default)]
pub struct Cgroups {
    places: Vec<Place>,
}

/// One group of processes and its limits. It outlives the engine, so its
/// folders are written into records.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    folders: Vec<PathBuf>,
}

impl Cgroups {
    /// Looks, and makes the parents of all our groups.
    pub fn find() -> Self {
        #[cfg(target_os = "linux")]
        let places = Controller::ALL.into_iter().filter_map(place).collect();
        #[cfg(not(target_os = "linux"))]
        let places = Vec::new();
        Self { places }
    }

    /// The limits that cannot be kept here.
    pub fn lacking(&self) -> Vec<&'static str> {
        let all = [Controller::Memory, Controller::Cpu].into_iter();
        let has = |controller| self.places.iter().any(|p| p.controller == controller);
        all.filter(|controller| !has(*controller))
            .map(Controller::name)
            .collect()
    }

    /// Makes a group with limits. Also gives what of them cannot be kept, in
    /// words for a log.
    pub fn group(&self, name: &str, limits: Limits) -> (Group, Vec<String>) {
        let mut group = Group::default();
        let mut problems = Vec::new();
        for (controller, limit) in wanted(limits) {
            let place = self.places.iter().find(|p| p.controller == controller);
            let kept = place
                .ok_or_else(|| io::Error::from(io::ErrorKind::Unsupported))
                .and_then(|place| group.add(place, name)?.limit(place.version, limit));
            if kept.is_err() {
                let what = controller.name();
                problems.push(format!(
                    "the {what} limit is not kept: this machine gives the engine no {what} cgroup"
                ));
            }
        }
        // Without limits a group still finds every process again.
        if group.folders.is_empty()
            && let Some(place) = self.places.first()
        {
            let _ = group.add(place, name);
        }
        (group, problems)
    }
}

enum Limit {
    MemoryMib(u32),
    CpuMillis(u32),
}

fn wanted(limits: Limits) -> impl Iterator<Item = (Controller, Limit)> {
    let memory = limits
        .memory_mib
        .map(|mib| (Controller::Memory, Limit::MemoryMib(mib)));
    let cpu = limits
        .cpu_millis
        .map(|millis| (Controller::Cpu, Limit::CpuMillis(millis)));
    memory.into_iter().chain(cpu)
}

impl Group {
    /// Whether there is a group at all.
    pub fn is_some(&self) -> bool {
        !self.folders.is_empty()
    }

    fn add(&mut self, place: &Place, name: &str) -> io::Result<Folder> {
        let folder = place.folder.join(name);
        match fs::create_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            made => made?,
        }
        if !self.folders.contains(&folder) {
            self.folders.push(folder.clone());
        }
        Ok(Folder(folder))
    }

    /// The files that a new process writes to, to be in the group.
    pub fn doors(&self) -> io::Result<Vec<OwnedFd>> {
        let open = |folder: &PathBuf| {
            let door = folder.join("cgroup.procs");
            Ok(fs::OpenOptions::new().write(true).open(door)?.into())
        };
        self.folders.iter().map(open).collect()
    }

    /// A group within this one, under the same limits. It goes with this one.
    pub fn inner(&self, name: &str) -> io::Result<Self> {
        let make = |folder: &PathBuf| {
            let inner = folder.join(name);
            fs::create_dir(&inner)?;
            Ok(inner)
        };
        let folders: io::Result<Vec<_>> = self.folders.iter().map(make).collect();
        Ok(Self { folders: folders? })
    }

    /// Kills all that is in it, also what left its session, and removes it.
    /// Takes a second at most; call it off the async threads.
    pub fn remove(&self) {
        for folder in &self.folders {
            for _ in 0..ROUNDS {
                kill_all(folder);
                for inner in folders(folder).unwrap_or_default() {
                    // Busy like the outer one, and tried again with it.
                    let _ = fs::remove_dir(inner);
                }
                match fs::remove_dir(folder) {
                    Err(error) if error.kind() == io::ErrorKind::ResourceBusy => {
                        std::thread::sleep(ROUND);
                    }
                    _ => break,
                }
            }
        }
    }

    /// Kills all that is in it.
    pub fn kill(&self) {
        for folder in &self.folders {
            kill_all(folder);
        }
    }
}

fn kill_all(folder: &Path) {
    if fs::write(folder.join("cgroup.kill"), "1").is_ok() {
        return;
    }
    for inner in folders(folder).unwrap_or_default() {
        kill_all(&inner);
    }
    let listed = fs::read_to_string(folder.join("cgroup.procs")).unwrap_or_default();
    for pid in listed.lines().filter_map(|line| line.parse::<i32>().ok()) {
        if pid > 1 {
            let _ = kill(Pid::from_raw(pid), Signal::SIGKILL);
        }
    }
}

struct Folder(PathBuf);

impl Folder {
    fn limit(&self, version: Version, limit: Limit) -> io::Result<()> {
        match (limit, version) {
            (Limit::MemoryMib(mib), Version::Two) => {
                self.write("memory.max", &bytes(mib))?;
                // Not every kernel counts swap.
                let _ = self.write("memory.swap.max", "0");
                Ok(())
            }
            (Limit::MemoryMib(mib), Version::One) => {
                // Newer kernels count inner groups anyway and have no such file.
                let _ = self.write("memory.use_hierarchy", "1");
                self.write("memory.limit_in_bytes", &bytes(mib))?;
                let _ = self.write("memory.memsw.limit_in_bytes", &bytes(mib));
                Ok(())
            }
            (Limit::CpuMillis(millis), Version::Two) => {
                self.write("cpu.max", &format!("{} {PERIOD}", quota(millis)))
            }
            (Limit::CpuMillis(millis), Version::One) => {
                self.write("cpu.cfs_period_us", &PERIOD.to_string())?;
                self.write("cpu.cfs_quota_us", &quota(millis).to_string())
            }
        }
    }

    fn write(&self, file: &str, text: &str) -> io::Result<()> {
        fs::write(self.0.join(file), text)
    }
}

fn bytes(mib: u32) -> String {
    (u64::from(mib) * 1024 * 1024).to_string()
}

fn quota(millis: u32) -> u64 {
    (u64::from(millis) * PERIOD / 1000).max(SHORTEST_QUOTA)
}

/// Where groups with this controller can be made, version 2 before 1.
#[cfg(target_os = "linux")]
fn place(controller: Controller) -> Option<Place> {
    let two = mounts::version_two()
        .into_iter()
        .find_map(|base| in_version_two(&base, controller))
        .map(|folder| (Version::Two, folder));
    let (version, folder) = two.or_else(|| {
        mounts::version_one(controller.name())
            .into_iter()
            .find_map(|base| in_version_one(&base, controller))
            .map(|folder| (Version::One, folder))
    })?;
    Some(Place {
        controller,
        version,
        folder,
    })
}

/// Controllers are handed down a level at a time; a level with processes of
/// its own hands nothing down, which the write then says.
#[cfg(target_os = "linux")]
fn in_version_two(base: &Path, controller: Controller) -> Option<PathBuf> {
    let offered = fs::read_to_string(base.join("cgroup.controllers")).ok()?;
    let name = controller.name();
    offered.split_ascii_whitespace().find(|&one| one == name)?;
    let folder = base.join(PARENT);
    let enable = format!("+{name}");
    let _ = fs::write(base.join("cgroup.subtree_control"), &enable);
    let _ = fs::create_dir(&folder);
    fs::write(folder.join("cgroup.subtree_control"), &enable).ok()?;
    Some(folder)
}

#[cfg(target_os = "linux")]
fn in_version_one(base: &Path, controller: Controller) -> Option<PathBuf> {
    let folder = base.join(PARENT);
    let _ = fs::create_dir(&folder);
    let limit = match controller {
        Controller::Memory => "memory.limit_in_bytes",
        Controller::Cpu => "cpu.cfs_quota_us",
    };
    let writable = fs::OpenOptions::new().write(true).open(folder.join(limit));
    writable.ok().map(|_| folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_cgroups_the_limits_are_said_not_to_be_kept() {
        let limits = Limits {
            memory_mib: Some(64),
            cpu_millis: Some(500),
        };
        let (group, problems) = Cgroups::default().group("x", limits);
        assert!(!group.is_some());
        assert_eq!(problems.len(), 2);
        assert!(
            problems[0].contains("memory limit is not kept"),
            "{problems:?}"
        );
    }

    #[test]
    fn a_cpu_limit_is_a_share_of_a_period_and_never_too_short() {
        assert_eq!(quota(500), 50_000);
        assert_eq!(quota(2000), 200_000);
        assert_eq!(quota(1), SHORTEST_QUOTA);
    }
}
