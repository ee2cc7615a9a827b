//! Where the kernel shows cgroups on this machine, and which of them is ours.

use std::path::{Path, PathBuf};

/// Folders of version 2 in which a group may be made: the root, then our own.
pub fn version_two() -> Vec<PathBuf> {
    let read = Proc::read();
    read.folders(
        |mount| mount.kind == "cgroup2",
        |line| line.starts_with("0::"),
    )
}

/// Folders of version 1 for a controller: our own, then the root.
pub fn version_one(controller: &str) -> Vec<PathBuf> {
    let has = |list: &str| list.split(',').any(|one| one == controller);
    let mut folders = Proc::read().folders(
        |mount| mount.kind == "cgroup" && has(mount.options),
        |line| line.split(':').nth(1).is_some_and(has),
    );
    folders.reverse();
    folders
}

struct Proc {
    mounts: String,
    ours: String,
}

struct Mount<'a> {
    root: &'a str,
    point: &'a str,
    kind: &'a str,
    options: &'a str,
}

impl Proc {
    fn read() -> Self {
        let read = |path| std::fs::read_to_string(path).unwrap_or_default();
        Self {
            mounts: read("/proc/self/mountinfo"),
            ours: read("/proc/self/cgroup"),
        }
    }

    fn folders(
        &self,
        is_it: impl Fn(&Mount<'_>) -> bool,
        is_ours: impl Fn(&&str) -> bool,
    ) -> Vec<PathBuf> {
        let Some(mount) = self.mounts.lines().filter_map(mount).find(|m| is_it(m)) else {
            return Vec::new();
        };
        let point = Path::new(mount.point);
        let ours = self.ours.lines().find(is_ours);
        let path = ours.and_then(|line| line.splitn(3, ':').nth(2));
        let below = path.map(|path| {
            let below = path.strip_prefix(mount.root).unwrap_or(path);
            point.join(below.trim_start_matches('/'))
        });
        let mut folders = vec![point.to_owned()];
        folders.extend(below.filter(|below| below != point && below.is_dir()));
        folders
    }
}

/// `ID PARENT DEVICE ROOT POINT OPTIONS [FIELDS] - KIND SOURCE OPTIONS`
fn mount(line: &str) -> Option<Mount<'_>> {
    let (left, right) = line.split_once(" - ")?;
    let mut left = left.split(' ').skip(3);
    let mut right = right.split(' ');
    Some(Mount {
        root: left.next()?,
        point: left.next()?,
        kind: right.next()?,
        options: right.nth(1)?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_versions_are_found_on_a_machine_that_has_both() {
        let proc = Proc {
            mounts: "25 24 0:22 / / rw - tmpfs tmpfs rw\n\
                30 25 0:26 / /sys/fs/cgroup/cpu rw shared:9 - cgroup cgroup rw,cpu,cpuacct\n\
                31 25 0:27 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
                .to_owned(),
            ours: "3:cpu,cpuacct:/\n0::/no/such/slice\n".to_owned(),
        };
        let two = proc.folders(|m| m.kind == "cgroup2", |l| l.starts_with("0::"));
        assert_eq!(two, [Path::new("/sys/fs/cgroup/unified")]);
        let one = proc.folders(
            |m| m.kind == "cgroup" && m.options.split(',').any(|o| o == "cpu"),
            |l| l.contains("cpu"),
        );
        assert_eq!(one, [Path::new("/sys/fs/cgroup/cpu")]);
    }
}
