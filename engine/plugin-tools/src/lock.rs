//! One build at a time in a folder: two at once would undo each other's work.
//! The lock is a file's, so it ends with the process whatever becomes of it.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use crate::progress::{Listener, Progress};

/// The system tells nobody when a file's lock is free.
const LOOK_AGAIN: Duration = Duration::from_millis(100);

/// Held until it is dropped.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

/// Waits for the folder's lock, and says so when it has to.
pub async fn hold(folder: &Path, limit: Duration, listener: &mut Listener<'_>) -> io::Result<Lock> {
    fs::create_dir_all(folder)?;
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join(".lock"))?;
    if !try_hold(&file)? {
        listener(Progress::Line {
            text: &format!("waiting for another build in {}", folder.display()),
        });
        timeout(limit, until_held(&file)).await.map_err(|_| {
            let message = format!("another build has held it for {} s", limit.as_secs());
            io::Error::new(io::ErrorKind::TimedOut, message)
        })??;
    }
    Ok(Lock { _file: file })
}

async fn until_held(file: &File) -> io::Result<()> {
    while !try_hold(file)? {
        sleep(LOOK_AGAIN).await;
    }
    Ok(())
}

fn try_hold(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_second_build_waits_and_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let first = hold(folder.path(), Duration::ZERO, &mut |_| {})
            .await
            .unwrap();
        let mut said = Vec::new();
        let refused = hold(folder.path(), Duration::from_millis(50), &mut |progress| {
            said.push(format!("{progress:?}"));
        })
        .await;
        assert_eq!(refused.unwrap_err().kind(), io::ErrorKind::TimedOut);
        assert!(said[0].contains("waiting for another build"), "{said:?}");
        drop(first);
        hold(folder.path(), Duration::ZERO, &mut |_| {})
            .await
            .unwrap();
    }
}
