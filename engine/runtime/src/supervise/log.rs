//! An instance's log: what it printed on both outputs, in lines, in two files
//! of bounded size.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};

use shipway_core::ports::Stream;

use super::app::Taker;
use crate::lines::Lines;

const NAME: &str = "output.log";
const OLDER: &str = "output.log.1";
/// Only the end of a log is ever shown.
const TAIL: u64 = 256 * 1024;

/// Shared by the two threads that read an instance's outputs.
#[derive(Clone)]
pub struct Log(Arc<Mutex<Files>>);

struct Files {
    path: PathBuf,
    older: PathBuf,
    file: File,
    size: u64,
    most: u64,
}

impl Log {
    /// In the instance's folder; each of the two files takes `most` bytes.
    pub fn open(folder: &Path, most: u64) -> io::Result<Self> {
        let path = folder.join(NAME);
        let file = OpenOptions::new().create(true).append(true).open(&path)?;
        let size = file.metadata()?.len();
        Ok(Self(Arc::new(Mutex::new(Files {
            older: folder.join(OLDER),
            path,
            file,
            size,
            most,
        }))))
    }

    /// A line that cannot be written is lost: an app does not stop for its log.
    pub fn line(&self, line: &[u8]) {
        let mut files = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let _ = files.write(line);
    }
}

impl Taker for Log {
    fn follow(
        &self,
        _both_alike: Stream,
        mut output: impl Read + Send + 'static,
        closing: Sender<()>,
    ) -> io::Result<()> {
        let log = self.clone();
        std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || {
                let mut lines = Lines::default();
                let mut take = |line: &str, _| log.line(line.as_bytes());
                let mut buffer = vec![0; 8 * 1024];
                while let Ok(count @ 1..) = output.read(&mut buffer) {
                    lines.push(buffer.get(..count).unwrap_or_default(), &mut take);
                }
                lines.finish(&mut take);
                drop(closing);
            })?;
        Ok(())
    }
}

impl Files {
    fn write(&mut self, line: &[u8]) -> io::Result<()> {
        let size = line.len() as u64 + 1;
        if self.size > 0 && self.size + size > self.most {
            fs::rename(&self.path, &self.older)?;
            self.file = File::create(&self.path)?;
            self.size = 0;
        }
        let mut whole = Vec::with_capacity(line.len() + 1);
        whole.extend_from_slice(line);
        whole.push(b'\n');
        self.file.write_all(&whole)?;
        self.size += size;
        Ok(())
    }
}

/// The last lines of both files together, oldest first.
pub fn last_lines(folder: &Path, count: usize) -> io::Result<Vec<String>> {
    let mut text = tail(&folder.join(OLDER))?;
    text.extend(tail(&folder.join(NAME))?);
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().collect();
    let from = lines.len().saturating_sub(count);
    Ok(lines.into_iter().skip(from).map(str::to_owned).collect())
}

fn tail(path: &Path) -> io::Result<Vec<u8>> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        opened => opened?,
    };
    let size = file.metadata()?.len();
    file.seek(SeekFrom::Start(size.saturating_sub(TAIL)))?;
    let mut end = Vec::new();
    file.take(TAIL).read_to_end(&mut end)?;
    Ok(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_is_bounded_and_its_end_is_kept() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::open(folder.path(), 100).unwrap();
        for number in 0..50 {
            log.line(format!("line {number:02}").as_bytes());
        }
        let last = last_lines(folder.path(), 3).unwrap();
        assert_eq!(last, ["line 47", "line 48", "line 49"]);
        for name in [NAME, OLDER] {
            assert!(fs::metadata(folder.path().join(name)).unwrap().len() <= 100);
        }
    }

    #[test]
    fn a_log_that_was_just_rotated_still_shows_its_older_lines() {
        let folder = tempfile::tempdir().unwrap();
        let log = Log::open(folder.path(), 16).unwrap();
        for line in ["one-two", "three-f", "five-si"] {
            log.line(line.as_bytes());
        }
        assert_eq!(
            last_lines(folder.path(), 2).unwrap(),
            ["three-f", "five-si"]
        );
        assert_eq!(
            last_lines(Path::new("/no/such/folder"), 2).unwrap(),
            [""; 0]
        );
    }
}
