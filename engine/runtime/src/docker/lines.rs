//! Bytes into lines, with the markers that the driver writes between the
//! outputs of two commands taken out.

/// The port's limit for one line, in bytes.
const LONGEST: usize = 16 * 1024;
/// More than any marker is long: nonce, index and status.
const MARKER_ROOM: usize = 128;

/// Turns what one output says into [`Piece`]s.
#[derive(Debug, Default)]
pub struct Lines {
    held: Vec<u8>,
    /// Begins a marker, which ends with its line.
    nonce: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Without its line end; bytes that are no UTF-8 are replaced.
    Line(String),
    /// What follows the nonce.
    Mark(String),
}

impl Lines {
    pub fn with_marks(nonce: &str) -> Self {
        Self {
            held: Vec::new(),
            nonce: Some(nonce.to_owned()),
        }
    }

    /// For the other output of the same program.
    pub fn another(&self) -> Self {
        Self {
            held: Vec::new(),
            nonce: self.nonce.clone(),
        }
    }

    pub fn push(&mut self, bytes: &[u8]) -> Vec<Piece> {
        self.held.extend_from_slice(bytes);
        let mut pieces = Vec::new();
        while let Some(piece) = self.next_piece() {
            pieces.push(piece);
        }
        pieces
    }

    /// What is left when the output ends without a line end.
    pub fn finish(&mut self) -> Option<Piece> {
        let rest = std::mem::take(&mut self.held);
        (!rest.is_empty()).then(|| Piece::Line(text(&rest)))
    }

    /// `None` when more bytes are needed.
    fn next_piece(&mut self) -> Option<Piece> {
        let end = self.held.iter().position(|&byte| byte == b'\n');
        let longest = self.held.len().min(LONGEST + MARKER_ROOM);
        let mark = self.find_mark(end.unwrap_or(longest));
        match (mark, end) {
            // A line end was missing before the marker.
            (Some(start), _) if start > 0 => Some(self.take_line(start.min(LONGEST), 0)),
            (Some(_), Some(end)) => Some(self.take_mark(end)),
            (None, Some(end)) if end <= LONGEST => Some(self.take_line(end, 1)),
            (None, Some(_)) => Some(self.take_line(LONGEST, 0)),
            (None, None) if self.held.len() >= LONGEST + MARKER_ROOM => {
                Some(self.take_line(LONGEST, 0))
            }
            _ => None,
        }
    }

    fn find_mark(&self, end: usize) -> Option<usize> {
        let nonce = self.nonce.as_ref()?.as_bytes();
        self.held
            .get(..end)?
            .windows(nonce.len())
            .position(|window| window == nonce)
    }

    /// The first `length` bytes, or a little less so that no character is cut.
    fn take_line(&mut self, length: usize, line_end: usize) -> Piece {
        let length = match line_end {
            0 => boundary(&self.held, length),
            _ => length,
        };
        let line: Vec<u8> = self.held.drain(..length + line_end).take(length).collect();
        Piece::Line(text(line.strip_suffix(b"\r").unwrap_or(&line)))
    }

    fn take_mark(&mut self, end: usize) -> Piece {
        let line: Vec<u8> = self.held.drain(..=end).collect();
        let nonce = self.nonce.as_ref().map_or(0, String::len);
        let rest = line.get(nonce..end).unwrap_or_default();
        Piece::Mark(text(rest).trim().to_owned())
    }
}

/// The start of the character that `length` would cut, if it would.
fn boundary(bytes: &[u8], length: usize) -> usize {
    let continues = |at: usize| bytes.get(at).is_some_and(|byte| byte & 0xC0 == 0x80);
    (length.saturating_sub(3)..=length)
        .rev()
        .find(|&at| at > 0 && !continues(at))
        .unwrap_or(length)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONCE: &str = "0123456789abcdef";

    fn all(lines: &mut Lines, bytes: &[u8], chunk: usize) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for chunk in bytes.chunks(chunk) {
            pieces.extend(lines.push(chunk));
        }
        pieces.extend(lines.finish());
        pieces
    }

    fn line(text: &str) -> Piece {
        Piece::Line(text.into())
    }

    #[test]
    fn markers_are_found_however_the_bytes_arrive() {
        let written = format!("one\r\n\npartial{NONCE} 0 3\n{NONCE} 1 0\nlast");
        for chunk in [1, 2, 7, 1000] {
            let pieces = all(&mut Lines::with_marks(NONCE), written.as_bytes(), chunk);
            let expected = [
                line("one"),
                line(""),
                line("partial"),
                Piece::Mark("0 3".into()),
                Piece::Mark("1 0".into()),
                line("last"),
            ];
            assert_eq!(pieces, expected, "in chunks of {chunk}");
        }
    }

    #[test]
    fn long_lines_are_cut_between_characters() {
        let long = "é".repeat(LONGEST);
        for chunk in [1000, 100_000] {
            let pieces = all(&mut Lines::default(), format!("{long}\n").as_bytes(), chunk);
            let texts: Vec<String> = pieces
                .into_iter()
                .map(|piece| match piece {
                    Piece::Line(text) => text,
                    Piece::Mark(mark) => panic!("{mark}"),
                })
                .collect();
            assert!(texts.iter().all(|text| text.len() <= LONGEST));
            assert_eq!(texts.concat(), long);
        }
    }

    #[test]
    fn a_marker_after_a_long_line_is_found() {
        let written = format!("{}{NONCE} 2 0\n", "x".repeat(LONGEST + 100));
        let pieces = all(&mut Lines::with_marks(NONCE), written.as_bytes(), 4096);
        assert_eq!(pieces.last(), Some(&Piece::Mark("2 0".into())));
        assert_eq!(pieces.len(), 3);
    }

    #[test]
    fn bytes_that_are_no_text_are_replaced() {
        assert_eq!(
            all(&mut Lines::default(), b"a\xffb\n", 1),
            [line("a\u{fffd}b")]
        );
    }
}
