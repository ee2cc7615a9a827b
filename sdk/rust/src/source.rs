//! The files of the commit that is deployed, as far as they are granted.
//!
//! Paths are relative, with `/`; `.git`, `.env` files and links that leave the
//! tree are never readable.

use crate::failure::{Code, Failure};
use crate::host;

/// The bytes of one file.
///
/// # Errors
/// `not-found`, `denied`, or `too-large` (over 1 MiB).
pub fn read(path: &str) -> Result<Vec<u8>, Failure> {
    host::read(path)
}

/// The text of one file, byte for byte.
///
/// # Errors
/// As [`read`], and `invalid` when it is not UTF-8.
pub fn read_text(path: &str) -> Result<String, Failure> {
    String::from_utf8(read(path)?)
        .map_err(|_| Failure::invalid(format!("`{path}` is not UTF-8 text; save it as UTF-8")))
}

/// The text of one file, or nothing when it is not there.
///
/// # Errors
/// As [`read_text`], but for `not-found`.
pub fn read_text_if_there(path: &str) -> Result<Option<String>, Failure> {
    match read_text(path) {
        Ok(text) => Ok(Some(text)),
        Err(failure) if failure.code == Code::NOT_FOUND => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// The paths of the files that match a glob, sorted. `*` and `?` stay within
/// one name, `**` goes through folders.
///
/// # Errors
/// `invalid` for a glob that is none, `limit` for more than 1,000 paths.
pub fn find(glob: &str) -> Result<Vec<String>, Failure> {
    host::find(glob)
}
