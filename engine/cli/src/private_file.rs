//! Small files of settings for their user alone, and where they are.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// `~/.config/shipway`, or on macOS `~/Library/Application Support/shipway`;
/// XDG_CONFIG_HOME wins on both.
pub fn folder() -> anyhow::Result<PathBuf> {
    let given = std::env::var_os("XDG_CONFIG_HOME").filter(|path| !path.is_empty());
    let config = given.map(PathBuf::from).or_else(|| {
        let home = std::env::var_os("HOME").filter(|path| !path.is_empty())?;
        Some(PathBuf::from(home).join(match cfg!(target_os = "macos") {
            true => "Library/Application Support",
            false => ".config",
        }))
    });
    let config = config.ok_or_else(|| {
        anyhow!("neither HOME nor XDG_CONFIG_HOME is set; use --credentials FILE, or --server URL with SHIPWAY_TOKEN")
    })?;
    Ok(config.join("shipway"))
}

/// What a file holds, if there is one.
pub fn read<T: DeserializeOwned>(path: &Path) -> anyhow::Result<Option<T>> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => {
            return Err(error).with_context(|| format!("could not read {}", path.display()));
        }
    };
    // The reader's own words would quote the line, and a token may be in it.
    let read = toml::from_str(&text).map_err(|error| {
        let line = error.span().map_or(1, |span| line_of(&text, span.start));
        anyhow!("line {line} is not as `shipway` writes it")
    });
    read.map(Some)
        .with_context(|| format!("{} is not understood", path.display()))
}

fn line_of(text: &str, at: usize) -> usize {
    text.bytes().take(at).filter(|byte| *byte == b'\n').count() + 1
}

/// Writes beside and renames, so that a reader never sees half a file.
pub fn write(path: &Path, value: &impl Serialize) -> anyhow::Result<()> {
    let problem = || format!("could not write {}", path.display());
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).with_context(problem)?;
    }
    let text = toml::to_string(value)?;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".new-{}", std::process::id()));
    let beside = path.with_file_name(name);
    let written = write_new(&beside, &text).and_then(|()| fs::rename(&beside, path));
    if written.is_err() {
        let _ = fs::remove_file(&beside);
    }
    written.with_context(problem)
}

fn write_new(path: &Path, text: &str) -> std::io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}
