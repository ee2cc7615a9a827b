//! `shipway-plugins.lock`: which component of each plugin is meant, so that
//! another engine gets the same bytes.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use anyhow::Context;
use serde::{Deserialize, Serialize};
use shipway_core::name::PluginName;
use shipway_core::plugin::Description;

use super::source::{self, Source};
use crate::failure::Failure;

pub const FILE: &str = "shipway-plugins.lock";
const HEADING: &str = "\
# The plugins that are meant, pinned by digest. `shipway plugin add --lock` writes
# this file, `shipway plugin sync` installs what stands in it.
";
/// Of the file's form; another one is not read.
const VERSION: u32 = 1;
/// Thousands of plugins.
const LARGEST: u64 = 4 * 1024 * 1024;

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Content {
    version: u32,
    #[serde(default, rename = "plugin")]
    plugins: Vec<Pin>,
}

/// One plugin, pinned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pin {
    pub name: PluginName,
    pub version: String,
    /// `sha256:` of the component's bytes.
    pub digest: String,
    /// A registry's address with its digest, or a file beside the lock file.
    pub source: String,
    /// The signature that it was added with, and the key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// A lock file, read.
#[derive(Debug)]
pub struct Lock {
    path: PathBuf,
    pub pins: Vec<Pin>,
}

impl Lock {
    /// One that is there.
    pub fn open(path: &Path) -> Result<Self, Failure> {
        let lock = Self::open_or_new(path)?;
        lock.ok_or_else(|| {
            Failure::usage(format!("there is no lock file {}", path.display()))
                .with_hint("`shipway plugin add FILE --lock` begins one")
        })
    }

    fn open_or_new(path: &Path) -> Result<Option<Self>, Failure> {
        match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            _ => {}
        }
        let text = source::read_text(path, LARGEST)?;
        let broken = || format!("{} is no lock file of plugins", path.display());
        let content: Content = toml::from_str(&text).with_context(broken)?;
        if content.version != VERSION {
            return Err(Failure::usage(format!(
                "{} is of version {}, and this program knows {VERSION}",
                path.display(),
                content.version
            ))
            .with_hint("use the newest shipway"));
        }
        Ok(Some(Self {
            path: path.to_owned(),
            pins: content.plugins,
        }))
    }

    /// Pins one plugin in a file, in place of what was pinned of it before.
    pub fn pin(path: &Path, pin: Pin) -> Result<(), Failure> {
        let mut lock = Self::open_or_new(path)?.unwrap_or_else(|| Self {
            path: path.to_owned(),
            pins: Vec::new(),
        });
        lock.pins.retain(|other| other.name != pin.name);
        lock.pins.push(pin);
        lock.pins.sort_by(|one, other| one.name.cmp(&other.name));
        lock.write()
    }

    /// Whole or not at all.
    fn write(&self) -> Result<(), Failure> {
        let content = Content {
            version: VERSION,
            plugins: self.pins.clone(),
        };
        let text = toml::to_string_pretty(&content).context("could not write the lock file")?;
        let beside = self.path.with_added_extension("new");
        let problem = || format!("could not write {}", self.path.display());
        fs::write(&beside, format!("{HEADING}{text}")).with_context(problem)?;
        Ok(fs::rename(&beside, &self.path).with_context(problem)?)
    }

    /// Refuses a component that is not the pinned one.
    pub fn check(&self, seen: &Description) -> Result<(), Failure> {
        let file = self.path.display();
        let Some(pin) = self.pins.iter().find(|pin| pin.name == seen.name) else {
            return Err(Failure::new(format!("{} is not in {file}", seen.name))
                .with_hint("nothing was changed; to pin it, say --lock instead of --locked"));
        };
        let digest = digest(seen);
        if pin.digest == digest {
            return Ok(());
        }
        let mut failure = Failure::new(format!(
            "{} {} is not what {file} pins",
            seen.name, seen.version
        ));
        failure.causes = vec![format!(
            "it is {digest}, and {} {} is {}",
            pin.name, pin.version, pin.digest
        )];
        Err(failure.with_hint(
            "nothing was changed; `shipway plugin sync` installs the pinned one, --lock instead \
             of --locked pins this one",
        ))
    }

    /// Where a pinned component is to be had: a file is beside the lock file.
    pub fn source(&self, pin: &Pin) -> Result<Source, Failure> {
        let found = source::source(&pin.source).map_err(Failure::usage)?;
        Ok(match found {
            Source::File(path) => Source::File(self.folder().join(path)),
            source => source,
        })
    }

    fn folder(&self) -> &Path {
        folder(&self.path)
    }
}

pub fn digest(description: &Description) -> String {
    format!("sha256:{}", description.digest)
}

/// A source as it stands in a lock file: a file from the lock file's folder,
/// if it lies below, and from the root otherwise.
pub fn told(source: &Source, lock: &Path) -> String {
    let Source::File(path) = source else {
        return source.to_string();
    };
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let (path, folder) = (absolute(path), absolute(folder(lock)));
    let below = path.strip_prefix(&folder).unwrap_or(&path);
    below.display().to_string()
}

fn folder(lock: &Path) -> &Path {
    lock.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pin(name: &str, letter: &str) -> Pin {
        Pin {
            name: name.parse().unwrap(),
            version: "1.0.0".into(),
            digest: format!("sha256:{}", letter.repeat(64)),
            source: format!("{name}.wasm"),
            signature: None,
            key: None,
        }
    }

    fn seen(name: &str, letter: &str) -> Description {
        Description {
            name: name.parse().unwrap(),
            version: "1.0.0".into(),
            summary: String::new(),
            digest: letter.repeat(64).parse().unwrap(),
            size: 1,
            roles: vec![],
            settings: vec![],
            requests: vec![],
        }
    }

    fn folder_of_test(name: &str) -> PathBuf {
        let folder =
            std::env::temp_dir().join(format!("shipway-lock-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    #[test]
    fn plugins_are_pinned_by_name_and_in_order() {
        let folder = folder_of_test("order");
        let path = folder.join(FILE);
        let signed = Pin {
            signature: Some("untrusted comment: x\nRUQ=\n".into()),
            ..pin("hook", "b")
        };
        Lock::pin(&path, pin("hook", "a")).unwrap();
        Lock::pin(&path, pin("aldryn", "c")).unwrap();
        Lock::pin(&path, signed.clone()).unwrap();
        let lock = Lock::open(&path).unwrap();
        assert_eq!(lock.pins, [pin("aldryn", "c"), signed]);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("# The plugins that are meant"), "{text}");
        let source = lock.source(&lock.pins[0]).unwrap();
        assert_eq!(source, Source::File(folder.join("aldryn.wasm")));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn another_component_and_an_unknown_plugin_do_not_pass() {
        let lock = Lock {
            path: FILE.into(),
            pins: vec![pin("hook", "a")],
        };
        lock.check(&seen("hook", "a")).unwrap();
        let other = lock.check(&seen("hook", "b")).unwrap_err().to_string();
        assert!(
            other.contains("is not what") && other.contains("sha256:aaa"),
            "{other}"
        );
        let unknown = lock.check(&seen("bell", "a")).unwrap_err().to_string();
        assert!(unknown.contains("bell is not in"), "{unknown}");
    }

    #[test]
    fn a_lock_file_of_tomorrow_or_of_another_kind_is_refused() {
        let folder = folder_of_test("kind");
        for (text, words) in [
            ("version = 2\n", "version 2"),
            ("[package]\n", "no lock file"),
        ] {
            let path = folder.join(FILE);
            fs::write(&path, text).unwrap();
            let error = Lock::open(&path).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        }
        let missing = Lock::open(&folder.join("nothing")).unwrap_err().to_string();
        assert!(missing.contains("--lock"), "{missing}");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_file_is_told_from_where_the_lock_file_is() {
        let file = |path: &str| Source::File(path.into());
        let lock = Path::new("/srv/app/shipway-plugins.lock");
        assert_eq!(told(&file("/srv/app/build/a.wasm"), lock), "build/a.wasm");
        assert_eq!(told(&file("/srv/b.wasm"), lock), "/srv/b.wasm");
        assert_eq!(told(&file("c.wasm"), Path::new(FILE)), "c.wasm");
    }
}
