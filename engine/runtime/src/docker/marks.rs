//! Takes out of a container's output the markers that the driver writes between
//! the lines of two commands.

use shipway_core::ports::LineEnd;

use crate::lines::Lines;

/// One output of a container that may hold markers.
#[derive(Debug, Default)]
pub struct Marked {
    /// Begins a marker, which ends with its line.
    nonce: Option<String>,
    /// A marker whose end has not come yet, or what may be the beginning of one.
    held: Vec<u8>,
    lines: Lines,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    Line(String, LineEnd),
    /// What follows the nonce.
    Mark(String),
}

impl Marked {
    pub fn by(nonce: &str) -> Self {
        Self {
            nonce: Some(nonce.to_owned()),
            ..Self::default()
        }
    }

    /// For the other output of the same container.
    pub fn another(&self) -> Self {
        Self {
            nonce: self.nonce.clone(),
            ..Self::default()
        }
    }

    pub fn push(&mut self, bytes: &[u8]) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut give = |line: &str, end| pieces.push(Piece::Line(line.to_owned(), end));
        let Some(nonce) = &self.nonce else {
            self.lines.push(bytes, &mut give);
            return pieces;
        };
        self.held.extend_from_slice(bytes);
        while let Some(start) = find(&self.held, nonce.as_bytes()) {
            let mark = self.held.split_off(start);
            let mut give = |line: &str, end| pieces.push(Piece::Line(line.to_owned(), end));
            self.lines.push(&self.held, &mut give);
            // A line end may be missing before the marker.
            self.lines.finish(&mut give);
            self.held = mark;
            let Some(end) = self.held.iter().position(|&byte| byte == b'\n') else {
                return pieces;
            };
            let after = self.held.split_off(end + 1);
            let mark = std::mem::replace(&mut self.held, after);
            let text = mark.get(nonce.len()..).unwrap_or_default();
            pieces.push(Piece::Mark(String::from_utf8_lossy(text).trim().to_owned()));
        }
        let beginning = self.held.split_off(undecided(&self.held, nonce.as_bytes()));
        let mut give = |line: &str, end| pieces.push(Piece::Line(line.to_owned(), end));
        self.lines.push(&self.held, &mut give);
        self.held = beginning;
        pieces
    }

    /// What is left when the output ends without a line end.
    pub fn finish(&mut self) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut give = |line: &str, end| pieces.push(Piece::Line(line.to_owned(), end));
        self.lines.push(&std::mem::take(&mut self.held), &mut give);
        self.lines.finish(&mut give);
        pieces
    }
}

fn find(bytes: &[u8], nonce: &[u8]) -> Option<usize> {
    bytes
        .windows(nonce.len())
        .position(|window| window == nonce)
}

/// Where an ending begins that the next bytes may make a marker.
fn undecided(bytes: &[u8], nonce: &[u8]) -> usize {
    let first = bytes.len().saturating_sub(nonce.len().saturating_sub(1));
    (first..bytes.len())
        .find(|&at| bytes.get(at..).is_some_and(|end| nonce.starts_with(end)))
        .unwrap_or(bytes.len())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lines::LONGEST_LINE;

    const NONCE: &str = "0123456789abcdef";

    fn all(bytes: &[u8], chunk: usize) -> Vec<Piece> {
        let mut marked = Marked::by(NONCE);
        let mut pieces = Vec::new();
        for chunk in bytes.chunks(chunk) {
            pieces.extend(marked.push(chunk));
        }
        pieces.extend(marked.finish());
        pieces
    }

    fn line(text: &str) -> Piece {
        Piece::Line(text.into(), LineEnd::Newline)
    }

    #[test]
    fn markers_are_found_however_the_bytes_arrive() {
        let written = format!("one\r\n\npartial{NONCE} 0 3\n{NONCE} 1 0\n0123 last");
        for chunk in [1, 2, 7, 1000] {
            let expected = [
                line("one"),
                line(""),
                line("partial"),
                Piece::Mark("0 3".into()),
                Piece::Mark("1 0".into()),
                line("0123 last"),
            ];
            assert_eq!(all(written.as_bytes(), chunk), expected, "{chunk}");
        }
    }

    #[test]
    fn a_marker_after_a_long_line_is_found() {
        let written = format!("{}{NONCE} 2 0\n", "x".repeat(LONGEST_LINE + 100));
        let pieces = all(written.as_bytes(), 4096);
        assert_eq!(pieces.last(), Some(&Piece::Mark("2 0".into())));
        assert_eq!(pieces.len(), 3);
    }

    #[test]
    fn a_line_that_could_not_begin_a_marker_is_not_held_back() {
        let mut marked = Marked::by(NONCE);
        assert_eq!(marked.push(b"hello\n"), [line("hello")]);
        assert_eq!(marked.push(b"012"), []);
        assert_eq!(marked.push(b"\n"), [line("012")]);
    }
}
