//! The lines that a program writes: without their ends, at most 16 KiB each,
//! never waiting for a line end that does not come before that.

use tokio::io::{AsyncRead, AsyncReadExt};

/// A longer line is cut into several.
pub const LONGEST_LINE: usize = 16 * 1024;

/// Calls `take` with each line until the program closes its end.
pub async fn each_line(mut from: impl AsyncRead + Unpin, mut take: impl FnMut(&str)) {
    let mut lines = Lines::default();
    let mut buffer = vec![0; 8 * 1024];
    // A read error means that nothing more will come, as the end does.
    while let Ok(count @ 1..) = from.read(&mut buffer).await {
        lines.push(buffer.get(..count).unwrap_or_default(), &mut take);
    }
    lines.finish(&mut take);
}

/// Cuts bytes into lines of text.
#[derive(Debug, Default)]
pub struct Lines {
    open: Vec<u8>,
}

impl Lines {
    pub fn push(&mut self, bytes: &[u8], take: &mut impl FnMut(&str)) {
        let mut rest = bytes;
        while let Some(end) = rest.iter().position(|&byte| byte == b'\n') {
            let (line, after) = rest.split_at(end);
            self.open.extend_from_slice(line);
            self.close(take);
            rest = after.get(1..).unwrap_or_default();
        }
        self.open.extend_from_slice(rest);
        while self.open.len() > LONGEST_LINE {
            let at = char_boundary(&self.open, LONGEST_LINE);
            let after = self.open.split_off(at);
            give(&self.open, take);
            self.open = after;
        }
    }

    /// A last line without an end is a line too.
    pub fn finish(&mut self, take: &mut impl FnMut(&str)) {
        if !self.open.is_empty() {
            self.close(take);
        }
    }

    fn close(&mut self, take: &mut impl FnMut(&str)) {
        let line = self.open.strip_suffix(b"\r").unwrap_or(&self.open);
        give(line, take);
        self.open.clear();
    }
}

/// The bytes as text, in pieces that keep to the limit: what is no UTF-8 grows
/// when it is replaced.
fn give(bytes: &[u8], take: &mut impl FnMut(&str)) {
    let text = String::from_utf8_lossy(bytes);
    let mut rest: &str = &text;
    while rest.len() > LONGEST_LINE {
        let (piece, after) = rest.split_at(rest.floor_char_boundary(LONGEST_LINE));
        take(piece);
        rest = after;
    }
    take(rest);
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
        let mut take = |line: &str| all.push(line.to_owned());
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
    fn bytes_that_are_no_text_are_shown_as_such_and_stay_bounded() {
        let lines = lines_of(&[&[0xff; 16 * 1024], b"\n"]);
        assert!(lines.iter().all(|line| line.len() <= LONGEST_LINE));
        assert_eq!(lines.concat(), "\u{fffd}".repeat(16 * 1024));
    }
}
