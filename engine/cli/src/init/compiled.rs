//! Go and Rust: one program is built, and that runs.

use toml::Table;

use super::{Found, Repository};

pub fn survey(repository: &Repository, found: &mut Found) {
    if repository.has("go.mod") {
        go(repository, found);
    }
    if let Some(text) = repository.read("Cargo.toml") {
        rust(repository, &text, found);
    }
}

fn go(repository: &Repository, found: &mut Found) {
    let commands = repository.folders("cmd");
    let package = match (repository.has("main.go"), commands.as_slice()) {
        (true, _) => ".".to_owned(),
        (false, [only]) => format!("./cmd/{only}"),
        (false, several) if several.iter().any(|name| name == "web") => "./cmd/web".to_owned(),
        (false, several) if several.iter().any(|name| name == "server") => {
            "./cmd/server".to_owned()
        }
        // A library, or several programs: nobody can say which is meant.
        _ => return,
    };
    found.saw("Go (go.mod)");
    found.build_with(
        format!("go build -o bin/app {package}"),
        "One program, built from go.mod. For `--runtime process`.",
    );
    found.run_with("bin/app", "What the build makes; it must listen on $PORT.");
}

fn rust(repository: &Repository, text: &str, found: &mut Found) {
    let Ok(manifest) = text.parse::<Table>() else {
        return;
    };
    let Some(name) = program(repository, &manifest) else {
        return;
    };
    found.saw("Rust (Cargo.toml)");
    let locked = match repository.has("Cargo.lock") {
        true => " --locked",
        false => "",
    };
    found.build_with(
        format!("cargo build --release{locked} --bin {name}"),
        "One program, built from Cargo.toml. For `--runtime process`.",
    );
    found.run_with(
        format!("target/release/{name}"),
        "What the build makes; it must listen on $PORT.",
    );
}

/// The one program of a package.
fn program(repository: &Repository, manifest: &Table) -> Option<String> {
    let named = |table: &Table| Some(table.get("name")?.as_str()?.to_owned());
    let binaries = manifest.get("bin").and_then(|bins| bins.as_array());
    match binaries.map(Vec::as_slice) {
        Some([only]) => named(only.as_table()?),
        Some([_, ..]) => None,
        _ if repository.has("src/main.rs") => named(manifest.get("package")?.as_table()?),
        _ => None,
    }
}
