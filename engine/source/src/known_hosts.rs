//! Whether an ssh server is the one that the app's `known_hosts` lines name.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};

/// Lines of a `known_hosts` file: plain, with wildcards, hashed or revoked.
/// Lines of certificate authorities are left out: libssh2 has no host
/// certificates.
#[derive(Debug)]
pub struct KnownHosts<'a>(pub &'a str);

/// Why a host's key is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    #[error("{host} is not among the app's known hosts; the key it showed is {key}")]
    UnknownHost { host: String, key: String },
    #[error(
        "{host} showed {key}, and the app's known hosts have another for it; if all of the \
         host's keys should be known, take them from `ssh-keyscan`"
    )]
    OtherKey { host: String, key: String },
    #[error("{host} showed {key}, which the app's known hosts list as revoked")]
    Revoked { host: String, key: String },
}

impl KnownHosts<'_> {
    /// `key` is the raw public key as the server showed it.
    pub fn check(&self, host: &str, port: u16, key: &[u8]) -> Result<(), Untrusted> {
        let name = name(host, port);
        let told = |make: fn(String, String) -> Untrusted| make(name.clone(), fingerprint(key));
        let lines: Vec<Line> = self
            .0
            .lines()
            .filter_map(Line::parse)
            .filter(|line| line.names(&name))
            .collect();
        let same = |line: &&Line| STANDARD.decode(line.key).is_ok_and(|known| known == key);
        let revoked = |line: &Line| line.marker == Some("@revoked");
        if lines.iter().filter(same).any(revoked) {
            return Err(told(|host, key| Untrusted::Revoked { host, key }));
        }
        if lines.iter().any(|line| same(&line)) {
            return Ok(());
        }
        match lines.is_empty() {
            true => Err(told(|host, key| Untrusted::UnknownHost { host, key })),
            false => Err(told(|host, key| Untrusted::OtherKey { host, key })),
        }
    }
}

struct Line<'a> {
    marker: Option<&'a str>,
    hosts: &'a str,
    key: &'a str,
}

impl<'a> Line<'a> {
    fn parse(text: &'a str) -> Option<Self> {
        let text = text.trim();
        if text.starts_with('#') {
            return None;
        }
        let mut words = text.split_ascii_whitespace().peekable();
        let marker = words.next_if(|word| word.starts_with('@'));
        if marker == Some("@cert-authority") {
            return None;
        }
        let hosts = words.next()?;
        let _kind = words.next()?;
        let key = words.next()?;
        Some(Self { marker, hosts, key })
    }

    fn names(&self, name: &str) -> bool {
        if let Some(hashed) = self.hosts.strip_prefix("|1|") {
            return hash_is(hashed, name).unwrap_or(false);
        }
        let patterns = || self.hosts.split(',');
        let refused = patterns()
            .filter_map(|pattern| pattern.strip_prefix('!'))
            .any(|pattern| matches(pattern, name));
        !refused && patterns().any(|pattern| matches(pattern, name))
    }
}

/// As `known_hosts` writes an address.
fn name(host: &str, port: u16) -> String {
    let host = host.to_ascii_lowercase();
    match port {
        22 => host,
        port => format!("[{host}]:{port}"),
    }
}

/// Salt and HMAC-SHA1 of the name, each in base64.
fn hash_is(hashed: &str, name: &str) -> Option<bool> {
    let (salt, hash) = hashed.split_once('|')?;
    let mut mac = Hmac::<Sha1>::new_from_slice(&STANDARD.decode(salt).ok()?).ok()?;
    mac.update(name.as_bytes());
    Some(mac.verify_slice(&STANDARD.decode(hash).ok()?).is_ok())
}

/// `*` stands for any characters, `?` for one.
fn matches(pattern: &str, name: &str) -> bool {
    let (Some(first), rest) = split_first(pattern) else {
        return name.is_empty();
    };
    match first {
        '*' => {
            matches(rest, name)
                || split_first(name).0.is_some() && matches(pattern, split_first(name).1)
        }
        '?' => split_first(name).0.is_some() && matches(rest, split_first(name).1),
        first => match split_first(name) {
            (Some(other), left) => first.eq_ignore_ascii_case(&other) && matches(rest, left),
            (None, _) => false,
        },
    }
}

fn split_first(text: &str) -> (Option<char>, &str) {
    let mut chars = text.chars();
    let first = chars.next();
    (first, chars.as_str())
}

/// `ssh-ed25519 SHA256:…`, as `ssh-keygen -l` shows it.
fn fingerprint(key: &[u8]) -> String {
    let hash = STANDARD_NO_PAD.encode(Sha256::digest(key));
    format!("{} SHA256:{hash}", kind(key).unwrap_or("a key"))
}

/// The key begins with the length and the name of its kind.
fn kind(key: &[u8]) -> Option<&str> {
    let (length, rest) = key.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    std::str::from_utf8(rest.get(..length)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &[u8] = b"\0\0\0\x0bssh-ed25519\0\0\0\x04abcd";

    fn check(lines: &str, host: &str, port: u16) -> Result<(), Untrusted> {
        let encoded = STANDARD.encode(KEY);
        let other = STANDARD.encode(b"\0\0\0\x0bssh-ed25519\0\0\0\x04efgh");
        let lines = lines.replace("KEY", &encoded).replace("OTHER", &other);
        KnownHosts(&lines).check(host, port, KEY)
    }

    #[test]
    fn hosts_are_found_as_ssh_finds_them() {
        for lines in [
            "git.example.com ssh-ed25519 KEY a comment",
            "# comment\n\n10.0.0.1,git.example.com ssh-ed25519 KEY",
            "git.example.com ssh-ed25519 OTHER\nGIT.example.com ssh-ed25519 KEY",
            "*.example.com ssh-ed25519 KEY",
            "gi?.*.com ssh-ed25519 KEY",
        ] {
            assert_eq!(check(lines, "git.example.com", 22), Ok(()), "{lines}");
        }
        let lines = "[git.example.com]:2222 ssh-ed25519 KEY";
        assert_eq!(check(lines, "git.example.com", 2222), Ok(()));
        assert!(check(lines, "git.example.com", 22).is_err());
    }

    #[test]
    fn hashed_hosts_are_found() {
        let mut mac = Hmac::<Sha1>::new_from_slice(b"salt").unwrap();
        mac.update(b"git.example.com");
        let hash = STANDARD.encode(mac.finalize().into_bytes());
        let lines = format!("|1|{}|{hash} ssh-ed25519 KEY", STANDARD.encode(b"salt"));
        assert_eq!(check(&lines, "git.example.com", 22), Ok(()));
        assert!(check(&lines, "example.com", 22).is_err());
    }

    #[test]
    fn everything_else_is_refused_with_its_reason() {
        for (lines, reason) in [
            ("", "is not among"),
            ("example.org ssh-ed25519 KEY", "is not among"),
            ("@cert-authority * ssh-ed25519 KEY", "is not among"),
            ("!git.example.com,* ssh-ed25519 KEY", "is not among"),
            ("|1|nonsense ssh-ed25519 KEY", "is not among"),
            ("git.example.com ssh-ed25519 OTHER", "another for it"),
            ("* ssh-ed25519 KEY\n@revoked * ssh-ed25519 KEY", "revoked"),
        ] {
            let error = check(lines, "git.example.com", 22).unwrap_err().to_string();
            assert!(error.contains(reason), "{lines}: {error}");
            assert!(error.contains("ssh-ed25519 SHA256:"), "{error}");
        }
    }
}
