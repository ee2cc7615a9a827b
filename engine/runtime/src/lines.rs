//! The lines that a program writes: without their ends, at most 16 KiB each,
//! never waiting for a line end that does not come soon after that.
//!
//! The same bytes give the same lines, in whichever chunks they come: who goes on
//! with a log after a crash counts on it.

use shipway_core::ports::runtime::OpenCommand;
use shipway_core::ports::{LineEnd, Stream};
use tokio::io::{AsyncRead, AsyncReadExt};

/// A longer line is cut into several.
pub const LONGEST_LINE: usize = 16 * 1024;

/// Calls `take` with each line, in pieces where it is too long, until the program
/// closes its end.
pub async fn each_line(mut from: impl AsyncRead + Unpin, mut take: impl FnMut(&str, LineEnd)) {
    let mut lines = Lines::default();
    let mut buffer = vec![0; 8 * 1024];
    // A read error means that nothing more will come, as the end does.
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        lines.push(buffer.get(..count).unwrap_or_default(), &mut take);
    }
    lines.finish(&mut take);
}

/// Lines of a command that are in the log already, by output: they come again
/// where its output is read again from its beginning.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stored {
    pub stdout: u64,
    pub stderr: u64,
}

impl Stored {
    /// Whether the next line of this output is one of them; asked once a line.
    pub fn takes(&mut self, from: Stream) -> bool {
        let left = match from {
            Stream::Stderr => &mut self.stderr,
            Stream::Stdout | Stream::Engine => &mut self.stdout,
        };
        let takes = *left > 0;
        *left = left.saturating_sub(1);
        takes
    }
}

impl From<&OpenCommand> for Stored {
    fn from(open: &OpenCommand) -> Self {
        Self {
            stdout: open.stdout,
            stderr: open.stderr,
        }
    }
}

/// Cuts bytes into lines of text.
#[derive(Debug, Default)]
pub struct Lines {
    open: Vec<u8>,
}

impl Lines {
    /// Bytes that may wait for their line end: a longest line, the return that
    /// may belong to the end, and one more that shows whether it did.
    const MOST: usize = LONGEST_LINE + 2;

    pub fn push(&mut self, bytes: &[u8], take: &mut impl FnMut(&str, LineEnd)) {
        for piece in bytes.split_inclusive(|&byte| byte == b'\n') {
            match piece.strip_suffix(b"\n") {
                Some(line) => {
                    self.extend(line, take);
                    self.close(take);
                }
                None => self.extend(piece, take),
            }
        }
    }

    /// A last line without an end is a line too.
    pub fn finish(&mut self, take: &mut impl FnMut(&str, LineEnd)) {
        if !self.open.is_empty() {
            self.close(take);
        }
    }

    fn extend(&mut self, mut bytes: &[u8], take: &mut impl FnMut(&str, LineEnd)) {
        while !bytes.is_empty() {
            let room = Self::MOST.saturating_sub(self.open.len());
            let (now, later) = bytes.split_at(room.min(bytes.len()));
            self.open.extend_from_slice(now);
            if self.open.len() >= Self::MOST {
                self.cut(take);
            }
            bytes = later;
        }
    }

    /// Gives the first piece of a line that is too long.
    fn cut(&mut self, take: &mut impl FnMut(&str, LineEnd)) {
        let at = char_boundary(&self.open, LONGEST_LINE);
        let after = self.open.split_off(at);
        give(&self.open, LineEnd::Cut, take);
        self.open = after;
    }

    fn close(&mut self, take: &mut impl FnMut(&str, LineEnd)) {
        if self.open.last() == Some(&b'\r') {
            self.open.pop();
        }
        if self.open.len() > LONGEST_LINE {
            self.cut(take);
        }
        give(&self.open, LineEnd::Newline, take);
        self.open.clear();
    }
}

/// The bytes as text, in pieces that keep to the limit: what is no UTF-8 grows
/// when it is replaced.
fn give(bytes: &[u8], end: LineEnd, take: &mut impl FnMut(&str, LineEnd)) {
    let text = String::from_utf8_lossy(bytes);
    let mut rest: &str = &text;
    while rest.len() > LONGEST_LINE {
        let (piece, after) = rest.split_at(rest.floor_char_boundary(LONGEST_LINE));
        take(piece, LineEnd::Cut);
        rest = after;
    }
    take(rest, end);
}

/// Where to cut at or before `limit` without cutting a character.
fn char_boundary(bytes: &[u8], limit: usize) -> usize {
    let continues = |at: &usize| bytes.get(*at).is_some_and(|byte| byte & 0xC0 == 0x80);
    let begin = limit.saturating_sub(3);
    (begin..=limit)
        .rev()
        .find(|at| !continues(at))
        .unwrap_or(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines_of(chunks: &[&[u8]]) -> Vec<String> {
        let mut all = Vec::new();
        let mut take = |line: &str, _| all.push(line.to_owned());
        let mut lines = Lines::default();
        for chunk in chunks {
            lines.push(chunk, &mut take);
        }
        lines.finish(&mut take);
        all
    }

    #[test]
    fn lines_end_where_they_should() {
        assert_eq!(
            lines_of(&[b"a\nb", b"c\r\n", b"\nlast"]),
            ["a", "bc", "", "last"]
        );
        assert_eq!(lines_of(&[b""]), Vec::<String>::new());
    }

    #[test]
    fn long_lines_are_cut_between_characters() {
        let long = "é".repeat(20_000);
        let lines = lines_of(&[long.as_bytes(), b"\n"]);
        assert!(lines.iter().all(|line| line.len() <= LONGEST_LINE));
        assert_eq!(lines.concat(), long);
    }

    #[test]
    fn a_piece_says_whether_its_line_goes_on() {
        let long = format!("{}\nshort\nlast", "x".repeat(LONGEST_LINE * 2 + 1));
        let mut ends = Vec::new();
        let mut take = |_: &str, end| ends.push(end);
        let mut lines = Lines::default();
        lines.push(long.as_bytes(), &mut take);
        lines.finish(&mut take);
        let (cut, newline) = (LineEnd::Cut, LineEnd::Newline);
        assert_eq!(ends, [cut, cut, newline, newline, newline]);
    }

    #[test]
    fn the_chunks_do_not_matter() {
        let odd: Vec<u8> = (0..40_000_u32)
            .map(|n| {
                if n % 3 == 0 {
                    0xe2
                } else {
                    0x80 + (n % 64) as u8
                }
            })
            .collect();
        let exact = |length: usize, end: &str| [vec![b'x'; length], end.into()].concat();
        let texts = [
            exact(LONGEST_LINE, "\r\n"),
            exact(LONGEST_LINE, "\ry\n"),
            exact(LONGEST_LINE + 1, "\n"),
            exact(LONGEST_LINE * 2, "\r"),
            [
                "é".repeat(20_000).as_bytes(),
                b"\n".as_slice(),
                odd.as_slice(),
                b"\n\xff".as_slice(),
            ]
            .concat(),
        ];
        for text in &texts {
            let whole = lines_of(&[text]);
            for size in [1, 7, 4096, LONGEST_LINE, LONGEST_LINE + 1] {
                let chunks: Vec<&[u8]> = text.chunks(size).collect();
                assert!(lines_of(&chunks) == whole, "{size}");
            }
        }
        assert_eq!(lines_of(&[&texts[0]]).len(), 1);
        assert_eq!(lines_of(&[&texts[2]]).len(), 2);
    }

    #[test]
    fn bytes_that_are_no_text_are_shown_as_such_and_stay_bounded() {
        let lines = lines_of(&[&[0xff; 16 * 1024], b"\n"]);
        assert!(lines.iter().all(|line| line.len() <= LONGEST_LINE));
        assert_eq!(lines.concat(), "\u{fffd}".repeat(16 * 1024));
    }
}
