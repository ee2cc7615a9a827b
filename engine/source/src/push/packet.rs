//! Git's lines with their length in front of them.

use std::io::{self, Read, Write};

/// The longest that Git writes, with its length.
const LONGEST: usize = 65_520;
const HEAD: usize = 4;
/// What separates the parts of a conversation.
pub const FLUSH: &[u8] = b"0000";

/// A line, or none where a part ends.
pub fn read(from: &mut impl Read) -> io::Result<Option<Vec<u8>>> {
    let mut head = [0; HEAD];
    from.read_exact(&mut head)?;
    let wrong = || io::Error::new(io::ErrorKind::InvalidData, "no length of a packet line");
    let length = std::str::from_utf8(&head).map_err(|_| wrong())?;
    let length = usize::from_str_radix(length, 16).map_err(|_| wrong())?;
    if length == 0 {
        return Ok(None);
    }
    if !(HEAD..=LONGEST).contains(&length) {
        return Err(wrong());
    }
    let mut line = vec![0; length - HEAD];
    from.read_exact(&mut line)?;
    Ok(Some(line))
}

/// The lines of one part.
pub fn read_all(from: &mut impl Read) -> io::Result<Vec<Vec<u8>>> {
    let mut lines = Vec::new();
    while let Some(line) = read(from)? {
        lines.push(line);
    }
    Ok(lines)
}

pub fn write(to: &mut impl Write, line: &[u8]) -> io::Result<()> {
    let line = line.get(..LONGEST - HEAD).unwrap_or(line);
    write!(to, "{:04x}", line.len() + HEAD)?;
    to.write_all(line)
}

pub fn flush(to: &mut impl Write) -> io::Result<()> {
    to.write_all(FLUSH)?;
    to.flush()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut bytes = Vec::new();
        write(&mut bytes, b"version=1\n").unwrap();
        write(&mut bytes, b"").unwrap();
        flush(&mut bytes).unwrap();
        assert_eq!(bytes, b"000eversion=1\n00040000");
        let lines = read_all(&mut bytes.as_slice()).unwrap();
        assert_eq!(lines, [b"version=1\n".to_vec(), vec![]]);
    }

    #[test]
    fn what_is_no_packet_is_an_error() {
        for wrong in ["", "00", "zzzz", "0001", "0003", "fff1", "0008abc"] {
            assert!(read(&mut wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
