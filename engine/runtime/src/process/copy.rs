//! The checked-out commit, copied into an image.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

use shipway_core::ports::runtime::RuntimeError;

use super::state::failed;

/// Folders in folders beyond this are a mistake or an attack.
const DEEPEST: usize = 200;

/// The whole copy must end by then.
#[derive(Debug, Clone, Copy)]
pub struct Deadline {
    pub at: Instant,
    pub seconds: u64,
}

/// Copies files, folders and links, without `.git` anywhere (a submodule has
/// one too). Links stay as they are and are not followed; what is neither is
/// left out, because Git knows nothing else.
pub fn copy_commit(from: &Path, to: &Path, deadline: Deadline) -> Result<(), RuntimeError> {
    copy_folder(from, to, deadline, 0)
}

fn copy_folder(
    from: &Path,
    to: &Path,
    deadline: Deadline,
    depth: usize,
) -> Result<(), RuntimeError> {
    let what = || format!("copy the commit to {}", to.display());
    if Instant::now() > deadline.at {
        return Err(RuntimeError::Timeout {
            what: "copying the commit".to_owned(),
            seconds: deadline.seconds,
        });
    }
    if depth > DEEPEST {
        let error = io::Error::other(format!("more than {DEEPEST} folders in each other"));
        return Err(failed(what(), error));
    }
    fs::create_dir_all(to).map_err(|error| failed(what(), error))?;
    for entry in fs::read_dir(from).map_err(|error| failed(what(), error))? {
        let entry = entry.map_err(|error| failed(what(), error))?;
        if entry.file_name() == ".git" {
            continue;
        }
        let target = to.join(entry.file_name());
        let kind = entry.file_type().map_err(|error| failed(what(), error))?;
        if kind.is_dir() {
            copy_folder(&entry.path(), &target, deadline, depth + 1)?;
        } else {
            copy_one(&entry.path(), kind, &target).map_err(|error| failed(what(), error))?;
        }
    }
    Ok(())
}

fn copy_one(from: &Path, kind: fs::FileType, to: &Path) -> io::Result<()> {
    if kind.is_symlink() {
        return std::os::unix::fs::symlink(fs::read_link(from)?, to);
    }
    if kind.is_file() {
        fs::copy(from, to)?;
    }
    Ok(())
}

/// Takes the right to write from every file and folder, so that neither an
/// instance nor a release command changes an image. Root can write all the
/// same; nothing here keeps root from it.
pub fn make_read_only(path: &Path) -> io::Result<()> {
    let mut waiting: Vec<PathBuf> = vec![path.to_owned()];
    while let Some(next) = waiting.pop() {
        let metadata = fs::symlink_metadata(&next)?;
        if metadata.is_symlink() {
            continue;
        }
        if metadata.is_dir() {
            for entry in fs::read_dir(&next)? {
                waiting.push(entry?.path());
            }
        }
        let mode = metadata.permissions().mode() & !0o222;
        fs::set_permissions(&next, Permissions::from_mode(mode))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::process::state::remove_tree;

    fn soon() -> Deadline {
        Deadline {
            at: Instant::now() + Duration::from_secs(20),
            seconds: 20,
        }
    }

    #[test]
    fn links_stay_links_and_git_stays_behind() {
        let folder = tempfile::tempdir().unwrap();
        let (from, to) = (folder.path().join("from"), folder.path().join("to"));
        fs::create_dir_all(from.join("sub/.git/objects")).unwrap();
        fs::create_dir_all(from.join(".git")).unwrap();
        fs::write(from.join("sub/run.sh"), "#!/bin/sh\n").unwrap();
        fs::set_permissions(from.join("sub/run.sh"), Permissions::from_mode(0o755)).unwrap();
        std::os::unix::fs::symlink("/etc", from.join("out")).unwrap();
        copy_commit(&from, &to, soon()).unwrap();

        assert_eq!(fs::read_link(to.join("out")).unwrap(), Path::new("/etc"));
        assert!(!to.join(".git").exists() && !to.join("sub/.git").exists());
        let mode = fs::metadata(to.join("sub/run.sh")).unwrap().permissions();
        assert_eq!(mode.mode() & 0o111, 0o111);
    }

    #[test]
    fn a_read_only_tree_can_still_be_removed_and_what_its_links_point_to_stays() {
        let folder = tempfile::tempdir().unwrap();
        let (tree, outside) = (folder.path().join("tree"), folder.path().join("outside"));
        fs::create_dir_all(tree.join("a/b")).unwrap();
        fs::write(tree.join("a/b/file"), "x").unwrap();
        fs::write(&outside, "kept").unwrap();
        std::os::unix::fs::symlink(&outside, tree.join("a/link")).unwrap();
        make_read_only(&tree).unwrap();
        let mode = fs::metadata(tree.join("a/b/file")).unwrap().permissions();
        assert_eq!(mode.mode() & 0o222, 0);
        let mode = fs::metadata(&outside).unwrap().permissions();
        assert_ne!(mode.mode() & 0o222, 0);
        remove_tree(&tree).unwrap();
        assert!(!tree.exists() && outside.exists());
    }

    #[test]
    fn a_copy_keeps_to_its_time() {
        let folder = tempfile::tempdir().unwrap();
        let past = Deadline {
            at: Instant::now() - Duration::from_secs(1),
            seconds: 1,
        };
        let error = copy_commit(folder.path(), &folder.path().join("to"), past).unwrap_err();
        assert!(matches!(error, RuntimeError::Timeout { .. }), "{error}");
    }
}
