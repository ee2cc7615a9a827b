//! The keys by which settings that may hold secrets are sealed before they are
//! written, so that a copy of the database alone gives nothing away.
//!
//! A key file has one key a line: its id, a space, 32 bytes in base64. The first
//! seals; all of them open. To rotate is to put a new one before the others: the
//! store seals everything anew when it is opened, and the old line may go.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::digest::{SHA256, digest};
use ring::rand::{SecureRandom, SystemRandom};

const KEY_LEN: usize = 32;
/// What a sealed text begins with; JSON never does.
const SEALED: &str = "sealed:";

/// Why a key file cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum KeyringError {
    #[error("the key file {} cannot be read", path.display())]
    Read {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("the key file {} cannot be written", path.display())]
    Write {
        path: PathBuf,
        #[source]
        source: io::Error,
    },
    #[error("line {line} of the key file {} is no key: an id, a space, 32 bytes in base64", path.display())]
    Line { path: PathBuf, line: usize },
    #[error("the key file {} holds no key", path.display())]
    Empty { path: PathBuf },
    #[error("the machine gives no random numbers")]
    NoRandomness,
}

/// Why a sealed text cannot be opened, or a text not be sealed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error("it is sealed by key {0}, which is not in the key file; bring that line back")]
    UnknownKey(String),
    #[error("it was changed by hand, or moved from elsewhere")]
    Broken,
    #[error("the machine gives no random numbers")]
    NoRandomness,
}

/// At least one key; the first seals.
#[derive(Debug)]
pub struct Keyring {
    first: Key,
    others: Vec<Key>,
}

#[derive(Debug)]
struct Key {
    id: String,
    key: LessSafeKey,
}

impl Keyring {
    /// None where there is no such file.
    pub fn read(path: &Path) -> Result<Option<Self>, KeyringError> {
        let text = match fs::read_to_string(path) {
            Ok(text) => text,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => {
                let path = path.to_owned();
                return Err(KeyringError::Read { path, source });
            }
        };
        let lines = (1..).zip(text.lines().map(str::trim));
        let mut keys = lines
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
            .map(|(line, text)| {
                let path = path.to_owned();
                Key::parse(text).ok_or(KeyringError::Line { path, line })
            })
            .collect::<Result<Vec<_>, _>>()?
            .into_iter();
        let path = path.to_owned();
        let first = keys.next().ok_or(KeyringError::Empty { path })?;
        let others = keys.collect();
        Ok(Some(Self { first, others }))
    }

    /// Makes a file with one new key; one that somebody else makes meanwhile is
    /// taken as it is.
    pub fn make(path: &Path) -> Result<Self, KeyringError> {
        if let Some(there) = Self::read(path)? {
            return Ok(there);
        }
        let (_id, line) = new_key()?;
        write(path, &line, Before::Leave)?;
        Self::read(path)?.ok_or_else(|| KeyringError::Empty {
            path: path.to_owned(),
        })
    }

    /// Puts a new key before those of the file and gives its id.
    pub fn rotate(path: &Path) -> Result<String, KeyringError> {
        let before = fs::read_to_string(path).map_err(|source| KeyringError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::read(path)?;
        let (id, line) = new_key()?;
        write(path, &format!("{line}{before}"), Before::Replace)?;
        Ok(id)
    }

    /// The id of the key that seals.
    pub fn id(&self) -> &str {
        &self.first.id
    }

    /// Seals a text for a place; it opens nowhere else.
    pub fn seal(&self, place: &str, text: &str) -> Result<String, SealError> {
        let mut nonce = [0; NONCE_LEN];
        let random = SystemRandom::new().fill(&mut nonce);
        random.map_err(|_unspecified| SealError::NoRandomness)?;
        let mut bytes = text.as_bytes().to_vec();
        self.first
            .key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(place.as_bytes()),
                &mut bytes,
            )
            .map_err(|_unspecified| SealError::Broken)?;
        let sealed = BASE64.encode([&nonce[..], &bytes].concat());
        Ok(format!("{SEALED}{}:{sealed}", self.first.id))
    }

    /// Opens what was sealed for a place. A text that is not sealed was written
    /// before there were keys, and is itself.
    pub fn open(&self, place: &str, text: &str) -> Result<String, SealError> {
        let Some((id, sealed)) = parts(text) else {
            return Ok(text.to_owned());
        };
        let mut keys = std::iter::once(&self.first).chain(&self.others);
        let key = keys
            .find(|key| key.id == id)
            .ok_or_else(|| SealError::UnknownKey(id.to_owned()))?;
        key.open(place, sealed).ok_or(SealError::Broken)
    }
}

impl Key {
    fn of(bytes: &[u8]) -> Option<Self> {
        let key = UnboundKey::new(&CHACHA20_POLY1305, bytes).ok()?;
        Some(Self {
            id: id_of(bytes),
            key: LessSafeKey::new(key),
        })
    }

    fn parse(line: &str) -> Option<Self> {
        let (id, encoded) = line.split_once(' ')?;
        let key = Self::of(&BASE64.decode(encoded.trim()).ok()?)?;
        (key.id == id).then_some(key)
    }

    fn open(&self, place: &str, sealed: &str) -> Option<String> {
        let mut bytes = BASE64.decode(sealed).ok()?;
        let (nonce, text) = bytes.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let aad = Aad::from(place.as_bytes());
        let text = self.key.open_in_place(nonce, aad, text).ok()?;
        String::from_utf8(text.to_vec()).ok()
    }
}

/// The key that sealed a text, and the rest; none for a text that is not sealed.
fn parts(text: &str) -> Option<(&str, &str)> {
    text.strip_prefix(SEALED)?.split_once(':')
}

/// The id of the key that sealed a text.
pub fn sealed_by(text: &str) -> Option<&str> {
    parts(text).map(|(id, _)| id)
}

/// By which a key is named without being told.
fn id_of(bytes: &[u8]) -> String {
    let digest = digest(&SHA256, bytes);
    let start = digest.as_ref().iter().take(4);
    start.map(|byte| format!("{byte:02x}")).collect()
}

/// A new key's id, and its line.
fn new_key() -> Result<(String, String), KeyringError> {
    let mut bytes = [0; KEY_LEN];
    let random = SystemRandom::new().fill(&mut bytes);
    random.map_err(|_unspecified| KeyringError::NoRandomness)?;
    let id = id_of(&bytes);
    let line = format!("{id} {}\n", BASE64.encode(bytes));
    Ok((id, line))
}

/// Written beside and moved into place, so that no crash leaves half a file.
fn write(path: &Path, text: &str, there: Before) -> Result<(), KeyringError> {
    let beside = path.with_extension(format!("{}.new", std::process::id()));
    let write = || {
        let mut options = OpenOptions::new();
        let options = options.write(true).create(true).truncate(true).mode(0o600);
        let mut file = options.open(&beside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        match there {
            Before::Replace => fs::rename(&beside, path),
            Before::Leave => fs::hard_link(&beside, path).or_else(|error| match error.kind() {
                io::ErrorKind::AlreadyExists => Ok(()),
                _ => Err(error),
            }),
        }
    };
    let written = write();
    let _gone_when_renamed = fs::remove_file(&beside);
    written.map_err(|source| KeyringError::Write {
        path: path.to_owned(),
        source,
    })
}

/// What becomes of a file that is there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    Replace,
    Leave,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keyring() -> (tempfile::TempDir, PathBuf, Keyring) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secrets.key");
        let keyring = Keyring::make(&path).unwrap();
        (folder, path, keyring)
    }

    #[test]
    fn what_is_sealed_for_a_place_opens_there_only() {
        let (_folder, _path, keyring) = keyring();
        let sealed = keyring
            .seal("environments shop/live", "{\"a\": 1}")
            .unwrap();
        assert!(!sealed.contains('{') && sealed != keyring.seal("x", "{}").unwrap());
        assert_eq!(sealed_by(&sealed), Some(keyring.id()));
        let opened = keyring.open("environments shop/live", &sealed);
        assert_eq!(opened.as_deref(), Ok("{\"a\": 1}"));
        let elsewhere = keyring.open("environments shop/test", &sealed);
        assert_eq!(elsewhere, Err(SealError::Broken));
        let cut = keyring.open("environments shop/live", &sealed[..sealed.len() - 4]);
        assert_eq!(cut, Err(SealError::Broken));
    }

    #[test]
    fn a_text_from_before_there_were_keys_is_itself() {
        let (_folder, _path, keyring) = keyring();
        assert_eq!(keyring.open("apps shop", "{}").as_deref(), Ok("{}"));
    }

    #[test]
    fn after_a_rotation_the_new_key_seals_and_both_open() {
        let (_folder, path, old) = keyring();
        let sealed = old.seal("here", "text").unwrap();
        let id = Keyring::rotate(&path).unwrap();
        let new = Keyring::read(&path).unwrap().unwrap();
        assert_eq!(new.id(), id);
        assert_eq!(new.open("here", &sealed).as_deref(), Ok("text"));
        let anew = new.seal("here", "text").unwrap();
        let unknown = old.open("here", &anew);
        assert_eq!(unknown, Err(SealError::UnknownKey(id)));
    }

    #[test]
    fn a_file_is_its_owners_alone_and_is_never_made_twice() {
        use std::os::unix::fs::PermissionsExt;
        let (_folder, path, keyring) = keyring();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        assert_eq!(Keyring::make(&path).unwrap().id(), keyring.id());
    }

    #[test]
    fn a_line_that_is_no_key_is_named() {
        let (_folder, path, _keyring) = keyring();
        let whole = fs::read_to_string(&path).unwrap();
        for broken in ["nothing", "00000000 AAAA", &whole[..20]] {
            fs::write(&path, format!("# ours\n{broken}\n")).unwrap();
            let error = Keyring::read(&path).unwrap_err();
            assert!(
                matches!(error, KeyringError::Line { line: 2, .. }),
                "{error}"
            );
        }
        fs::write(&path, "# nothing\n").unwrap();
        let error = Keyring::read(&path).unwrap_err();
        assert!(matches!(error, KeyringError::Empty { .. }), "{error}");
    }
}
