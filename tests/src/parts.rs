//! What the tests need of the machine and of the build, and what is said when
//! it is not there.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;

/// The tags of the base images, shared with `cargo xtask demo`.
pub const STATIC_IMAGE: &str = "shipway-test/static:1";
pub const PYTHON_IMAGE: &str = "shipway-test/python:1";
pub const ALDRYN_IMAGE: &str = "shipway-test/aldryn:1";
pub const POSTGRES_IMAGE: &str = "shipway-test/postgres:15";

const IMAGES: [(&str, &str); 4] = [
    (STATIC_IMAGE, "static-image.sh"),
    (PYTHON_IMAGE, "python-image.sh"),
    (ALDRYN_IMAGE, "aldryn-image.sh"),
    (POSTGRES_IMAGE, "postgres-image.sh"),
];

/// The repository's own folder.
pub fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent()
        .expect("tests/ lies in the repository")
        .to_owned()
}

/// The `shipway` program beside the test binary.
pub fn shipway() -> PathBuf {
    let program = profile_folder().join("shipway");
    assert!(
        program.is_file(),
        "{} is not there: run `cargo xtask test`, which builds it",
        program.display()
    );
    program
}

/// A plugin that ships, built by `cargo xtask plugins`.
pub fn plugin(name: &str) -> Option<Vec<u8>> {
    component(&target_folder().join("plugins"), name)
}

/// A guest of the tests, built by `cargo xtask plugins`.
pub fn guest(name: &str) -> Option<Vec<u8>> {
    component(&target_folder().join("guests"), name)
}

fn component(folder: &Path, name: &str) -> Option<Vec<u8>> {
    let file = folder.join(format!("{name}.wasm"));
    match std::fs::read(&file) {
        Ok(bytes) => Some(bytes),
        Err(error) => lacking(&format!(
            "{}: {error}; run `cargo xtask plugins`",
            file.display()
        )),
    }
}

/// A program of the machine. Servers lie in `sbin`, which is not on everybody's
/// path.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .chain([PathBuf::from("/usr/sbin"), PathBuf::from("/usr/local/sbin")])
        .map(|folder| folder.join(name))
        .find(|file| file.is_file());
    found.or_else(|| lacking(&format!("the program `{name}` is not installed")))
}

/// The folder of a package of npm's, installed by `cargo xtask test`.
pub fn npm_package(name: &str) -> Option<PathBuf> {
    let folder = npm_packages().join(name);
    match folder.is_dir() {
        true => Some(folder),
        false => lacking(&format!(
            "the package {name} is not installed; run `cargo xtask test`"
        )),
    }
}

/// Where all of them lie.
pub fn npm_packages() -> PathBuf {
    target_folder().join("tools/npm/node_modules")
}

/// Where pictures of pages are written.
pub fn screenshots() -> PathBuf {
    target_folder().join("screenshots")
}

/// Whether a Docker engine answers and has this image; makes it when it has not.
pub fn image(tag: &str) -> Option<()> {
    // One at a time: the scripts wait for each other anyway.
    static MADE: Mutex<Vec<String>> = Mutex::new(Vec::new());
    let mut made = MADE.lock().expect("the images");
    if made.iter().any(|known| known == tag) {
        return Some(());
    }
    let (_, script) = IMAGES
        .iter()
        .find(|(known, _)| *known == tag)
        .expect("a known image");
    let cache = cache_folder();
    let outcome = run_script("engine.sh", &[cache.as_os_str()])
        .and_then(|()| run_script(script, &[tag.as_ref(), cache.as_os_str()]));
    match outcome {
        Ok(()) => {
            made.push(tag.to_owned());
            Some(())
        }
        Err(message) => lacking(&message),
    }
}

fn run_script(name: &str, arguments: &[&std::ffi::OsStr]) -> Result<(), String> {
    let script = root().join("tests/images").join(name);
    let output = Command::new(&script)
        .args(arguments)
        .output()
        .map_err(|error| format!("{}: {error}", script.display()))?;
    if output.status.success() {
        return Ok(());
    }
    Err(format!(
        "{name}: {}",
        String::from_utf8_lossy(&output.stderr).trim()
    ))
}

/// Where the base images are kept between runs.
fn cache_folder() -> PathBuf {
    match std::env::var_os("SHIPWAY_IMAGE_CACHE") {
        Some(folder) => PathBuf::from(folder),
        None => root().join(".cache/images"),
    }
}

/// Says aloud that a test does not run, and fails it where all parts were
/// promised.
pub fn lacking<T>(what: &str) -> Option<T> {
    assert!(
        std::env::var_os("SHIPWAY_REQUIRE_PARTS").is_none(),
        "a part is missing, and SHIPWAY_REQUIRE_PARTS is set: {what}"
    );
    let test = std::thread::current().name().unwrap_or("a test").to_owned();
    println!("not run: {test}: {what}");
    None
}

/// `target/PROFILE`: the test binary lies in its `deps`.
fn profile_folder() -> PathBuf {
    let this = std::env::current_exe().expect("the test binary's own path");
    let folder = this.parent().expect("a folder");
    match folder.ends_with("deps") {
        true => folder.parent().expect("a folder of the profile").to_owned(),
        false => folder.to_owned(),
    }
}

fn target_folder() -> PathBuf {
    profile_folder()
        .parent()
        .expect("the target folder")
        .to_owned()
}
