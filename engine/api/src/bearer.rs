//! Bearer tokens: 256 random bits, shown once, kept as a SHA-256 digest. A
//! digest of so many random bits needs no salt and no slow hash, and looking it
//! up tells nobody how much of a wrong token was right.

use std::fmt::Write;

use sha2::{Digest as _, Sha256};
use shipway_core::name::{Digest, InvalidName};
use shipway_core::secret::Secret;

/// By it people and secret scanners know a token when they see one.
const PREFIX: &str = "shipway_";
/// Longer texts are no tokens and are not hashed.
const LONGEST: usize = 256;

/// A new token: the text to show once, and what to keep of it.
pub fn new_token() -> Result<(Secret, Digest), InvalidName> {
    let bits: [u8; 32] = rand::random();
    let text = format!("{PREFIX}{}", hex(&bits));
    let digest = digest_of(text.as_bytes())?;
    Ok((Secret::new(text), digest))
}

/// 256 random bits in hexadecimal, and what to keep of them.
pub(crate) fn new_random() -> Result<(Secret, Digest), InvalidName> {
    let bits: [u8; 32] = rand::random();
    let text = hex(&bits);
    let digest = digest_of(text.as_bytes())?;
    Ok((Secret::new(text), digest))
}

/// Whether a text has the form of a token, and must not be shown.
pub(crate) fn resembles(text: &str) -> bool {
    text.len() > PREFIX.len() + 16 && text.starts_with(PREFIX)
}

/// The digest of a text that has the form of a token.
pub(crate) fn digest_of_token(text: &str) -> Option<Digest> {
    let plausible = text.starts_with(PREFIX) && text.len() <= LONGEST;
    plausible.then(|| digest_of(text.as_bytes()).ok()).flatten()
}

pub(crate) fn digest_of(bytes: &[u8]) -> Result<Digest, InvalidName> {
    hex(&Sha256::digest(bytes)).parse()
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_known_by_its_digest() {
        let (token, digest) = new_token().unwrap();
        assert_eq!(token.reveal().len(), PREFIX.len() + 64);
        assert_eq!(digest_of_token(token.reveal()), Some(digest));
        let (other, _) = new_token().unwrap();
        assert_ne!(token.reveal(), other.reveal());
    }

    #[test]
    fn what_is_no_token_is_not_looked_up() {
        assert!(digest_of_token("").is_none());
        assert!(digest_of_token("ghp_abc").is_none());
        assert!(digest_of_token(&format!("shipway_{}", "a".repeat(5000))).is_none());
    }
}
