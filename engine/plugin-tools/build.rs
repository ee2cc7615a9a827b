//! Collects what the binary carries: the contract, and of each language its
//! `language.toml`, its templates, and the files that it names. Nothing else of
//! an SDK's folder (its tests, its caches) gets in.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

/// A new language gets its line here, in the order in which people see them.
const LANGUAGES: [&str; 5] = ["rust", "python", "js", "go", "c"];

/// What tools leave beside sources.
const LEFTOVERS: [&str; 5] = ["target", "node_modules", "build", "dist", "__pycache__"];

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let root = Path::new(&env::var("CARGO_MANIFEST_DIR")?)
        .ancestors()
        .nth(2)
        .ok_or("this crate lies two folders below the repository's root")?
        .to_owned();
    let mut files = Files::new(root);
    files.add("wit/shipway.wit")?;
    files.add("wit/deps")?;
    let mut languages = Vec::new();
    for name in LANGUAGES {
        let before = files.paths.len();
        match files.language(name) {
            Ok(()) => languages.push(name),
            // The tests hold what is embedded against what is there.
            Err(error) => {
                println!("cargo::warning=no plugins in {name}: {error}");
                files.paths.truncate(before);
            }
        }
    }
    println!("cargo::rerun-if-changed=build.rs");
    let into = Path::new(&env::var("OUT_DIR")?).join("embedded.rs");
    Ok(fs::write(into, files.source(&languages)?)?)
}

struct Files {
    root: PathBuf,
    /// Relative to the root.
    paths: Vec<String>,
}

impl Files {
    fn new(root: PathBuf) -> Self {
        Self {
            root,
            paths: Vec::new(),
        }
    }

    fn language(&mut self, name: &str) -> Outcome<()> {
        let description = format!("sdk/{name}/language.toml");
        self.add(&description)?;
        let text = fs::read_to_string(self.root.join(&description))?;
        let table: toml::Table = text
            .parse()
            .map_err(|error| format!("{description}: {error}"))?;
        let named = table
            .get("sdk")
            .and_then(|sdk| sdk.get("files"))
            .and_then(toml::Value::as_array)
            .ok_or_else(|| format!("{description} has no list sdk.files"))?;
        for file in named.iter().filter_map(toml::Value::as_str) {
            self.add(&format!("sdk/{name}/{file}"))?;
        }
        self.add(&format!("sdk/{name}/templates"))
    }

    /// A file, or a folder with everything in it.
    fn add(&mut self, path: &str) -> Outcome<()> {
        let full = self.root.join(path);
        println!("cargo::rerun-if-changed={}", full.display());
        self.collect(path, &full)
            .map_err(|error| format!("{path}: {error}").into())
    }

    fn collect(&mut self, path: &str, full: &Path) -> Outcome<()> {
        if !fs::metadata(full)?.is_dir() {
            self.paths.push(path.to_owned());
            return Ok(());
        }
        for entry in fs::read_dir(full)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_str().ok_or("a name that is not UTF-8")?;
            if !LEFTOVERS.contains(&name) && !name.ends_with("_cache") {
                self.collect(&format!("{path}/{name}"), &entry.path())?;
            }
        }
        Ok(())
    }

    fn source(mut self, languages: &[&str]) -> Outcome<String> {
        self.paths.sort();
        self.paths.dedup();
        let mut text = format!("pub const LANGUAGES: &[&str] = &{languages:?};\n");
        text.push_str("static FILES: &[(&str, &[u8])] = &[\n");
        for path in &self.paths {
            let full = self.root.join(path);
            writeln!(text, "    ({path:?}, include_bytes!({full:?})),")?;
        }
        text.push_str("];\n");
        Ok(text)
    }
}
