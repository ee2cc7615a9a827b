//! All that a command writes, in one file, both outputs in the order in which
//! they came: the durable record that an engine follows, from its beginning or
//! from where an engine before it had come to.
//!
//! A file of frames: one byte that tells the output, the number of bytes in four
//! (little-endian), the bytes. The supervisor writes a frame for each piece that
//! it reads, and then a byte into the named pipe beside the file, on which a
//! waiting engine wakes up.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use shipway_core::ports::Stream;

use super::app::Taker;

const NAME: &str = "output";
const BELL: &str = "bell";
const HEAD: usize = 5;
/// The bytes of one frame at most.
const PIECE: usize = 32 * 1024;
/// A full disk holds the command back; it is tried again this often.
const RETRY: Duration = Duration::from_millis(200);

pub fn path(folder: &Path) -> PathBuf {
    folder.join(NAME)
}

/// The named pipe.
pub fn bell(folder: &Path) -> PathBuf {
    folder.join(BELL)
}

/// Shared by the two threads that read a command's outputs.
#[derive(Clone)]
pub struct Recorder(Arc<Shared>);

struct Shared {
    record: Mutex<Record>,
    bell: Option<File>,
}

struct Record {
    file: File,
    size: u64,
    most: u64,
}

impl Recorder {
    /// Keeps `most` bytes in all.
    pub fn open(folder: &Path, most: u64) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        let file = options.create(true).write(true).truncate(false);
        let file = file.open(path(folder))?;
        // Opened for both, so that it neither waits nor fails where nobody reads.
        let flags = nix::fcntl::OFlag::O_NONBLOCK.bits();
        let mut options = OpenOptions::new();
        let bell = options.read(true).write(true).custom_flags(flags);
        let bell = bell.open(self::bell(folder)).ok();
        let size = 0;
        let record = Mutex::new(Record { file, size, most });
        Ok(Self(Arc::new(Shared { record, bell })))
    }

    /// Returns when it is written; what comes after `most` bytes is not kept,
    /// and the last that is says so.
    pub fn write(&self, from: Stream, bytes: &[u8]) {
        let mut record = self.0.record.lock().unwrap_or_else(PoisonError::into_inner);
        if record.size > record.most {
            return;
        }
        record.append(from, bytes);
        if record.size > record.most {
            let most = record.most / (1024 * 1024);
            let line = format!("\nThe command writes on; of its output {most} MiB are kept.\n");
            record.append(Stream::Stderr, line.as_bytes());
        }
        drop(record);
        self.ring();
    }

    /// Wakes whoever waits. Nobody may be there, or a full pipe wakes them too.
    pub fn ring(&self) {
        if let Some(mut bell) = self.0.bell.as_ref() {
            let _ = bell.write(b"\n");
        }
    }
}

impl Taker for Recorder {
    fn follow(
        &self,
        from: Stream,
        mut output: impl Read + Send + 'static,
        closing: Sender<()>,
    ) -> io::Result<()> {
        let recorder = self.clone();
        std::thread::Builder::new()
            .name("output".to_owned())
            .spawn(move || {
                let mut buffer = vec![0; PIECE];
                while let Ok(count @ 1..) = output.read(&mut buffer) {
                    recorder.write(from, buffer.get(..count).unwrap_or_default());
                }
                drop(closing);
            })?;
        Ok(())
    }
}

impl Record {
    fn append(&mut self, from: Stream, bytes: &[u8]) {
        let tag: u8 = match from {
            Stream::Stderr => 2,
            Stream::Stdout | Stream::Engine => 1,
        };
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        let mut frame = Vec::with_capacity(HEAD + bytes.len());
        frame.push(tag);
        frame.extend_from_slice(&length.to_le_bytes());
        frame.extend_from_slice(bytes);
        // At its place, so that a part that was written is written over.
        while self.file.write_all_at(&frame, self.size).is_err() {
            std::thread::sleep(RETRY);
        }
        self.size += frame.len() as u64;
    }
}

/// Takes frames out of the bytes of the file, whichever way these are cut.
#[derive(Debug, Default)]
pub struct Frames {
    held: Vec<u8>,
}

impl Frames {
    /// Gives each frame that is whole to `take`.
    pub fn push(&mut self, bytes: &[u8], mut take: impl FnMut(Stream, &[u8])) {
        self.held.extend_from_slice(bytes);
        let mut rest = self.held.as_slice();
        while let Some((from, frame, after)) = first_frame(rest) {
            take(from, frame);
            rest = after;
        }
        let taken = self.held.len() - rest.len();
        self.held.drain(..taken);
    }
}

fn first_frame(bytes: &[u8]) -> Option<(Stream, &[u8], &[u8])> {
    let (head, rest) = bytes.split_first_chunk::<HEAD>()?;
    let [tag, length @ ..] = *head;
    let length = usize::try_from(u32::from_le_bytes(length)).ok()?;
    let (frame, after) = rest.split_at_checked(length)?;
    let from = match tag {
        2 => Stream::Stderr,
        _ => Stream::Stdout,
    };
    Some((from, frame, after))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(folder: &Path, chunk: usize) -> Vec<(Stream, String)> {
        let mut frames = Frames::default();
        let mut all = Vec::new();
        for bytes in std::fs::read(path(folder)).unwrap().chunks(chunk) {
            frames.push(bytes, |from, frame| {
                all.push((from, String::from_utf8_lossy(frame).into_owned()));
            });
        }
        all
    }

    #[test]
    fn what_is_written_is_read_in_its_order() {
        let folder = tempfile::tempdir().unwrap();
        let recorder = Recorder::open(folder.path(), 1000).unwrap();
        recorder.write(Stream::Stdout, b"one\n");
        recorder.write(Stream::Stderr, b"two\n");
        recorder.write(Stream::Stdout, b"three");
        for chunk in [1, 3, 100] {
            assert_eq!(
                all(folder.path(), chunk),
                [
                    (Stream::Stdout, "one\n".to_owned()),
                    (Stream::Stderr, "two\n".to_owned()),
                    (Stream::Stdout, "three".to_owned()),
                ]
            );
        }
    }

    #[test]
    fn what_is_too_much_is_not_kept_and_that_is_said() {
        let folder = tempfile::tempdir().unwrap();
        let recorder = Recorder::open(folder.path(), 100).unwrap();
        for _ in 0..50 {
            recorder.write(Stream::Stdout, b"ten bytes\n");
        }
        let all = all(folder.path(), 100);
        let (from, last) = all.last().unwrap();
        assert_eq!(*from, Stream::Stderr);
        assert!(last.contains("are kept"), "{last}");
        assert!(std::fs::metadata(path(folder.path())).unwrap().len() < 250);
    }
}
