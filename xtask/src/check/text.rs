//! The repository is the same everywhere: no file of it names a package
//! registry's host or a path of somebody's machine.

use std::fs;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use crate::house::House;
use crate::run;

const GIT_LIMIT: Duration = Duration::from_secs(30);

/// Written by a tool that names its source in each line.
const WRITTEN_BY_TOOLS: [&str; 1] = ["Cargo.lock"];

/// Texts that look like a path of a machine and are none; in two parts, like
/// the rest, so that this file passes its own check.
const ALLOWED: [(&str, (&str, &str)); 1] = [
    // Inside the container that the script makes.
    ("tests/images/aldryn-image.sh", ("/ro", "ot/.cache")),
];

const HOSTS: [(&str, &str); 12] = [
    ("crates", ".io"),
    ("pypi", ".org"),
    ("pythonhosted", ".org"),
    ("npmjs", ".org"),
    ("registry-1.docker", ".io"),
    ("index.docker", ".io"),
    ("ghcr", ".io"),
    ("quay", ".io"),
    ("proxy.golang", ".org"),
    ("static.rust-lang", ".org"),
    ("deb.debian", ".org"),
    ("rubygems", ".org"),
];

/// Folders in which people's and machines' own files lie.
const FOLDERS: [(&str, &str); 4] = [
    ("/ho", "me/"),
    ("/Us", "ers/"),
    ("/ro", "ot/"),
    ("/wo", "rk/"),
];

pub fn check(house: &House) -> Result<()> {
    let mut git = Command::new("git");
    git.args([
        "ls-files",
        "-z",
        "--cached",
        "--others",
        "--exclude-standard",
    ])
    .current_dir(&house.root);
    let listed = run::output(&mut git, GIT_LIMIT).context("listing the repository's files")?;
    let files = listed.split('\0').filter(|file| !file.is_empty());
    let mut found = Vec::new();
    for file in files.filter(|file| !WRITTEN_BY_TOOLS.contains(file)) {
        // One that was deleted and not yet committed is not there to be read.
        if let Ok(text) = fs::read_to_string(house.path(file)) {
            found.extend(findings(file, &text));
        }
    }
    if found.is_empty() {
        return Ok(());
    }
    bail!("{}", found.join("\n"))
}

fn findings(file: &str, text: &str) -> Vec<String> {
    let lines = text.lines().enumerate();
    lines
        .filter_map(|(number, line)| {
            let what = host(line).or_else(|| folder(&without_allowed(file, line)))?;
            Some(format!("{file}:{}: {what}", number + 1))
        })
        .collect()
}

fn host(line: &str) -> Option<String> {
    let hosts = HOSTS.iter().map(|(one, two)| format!("{one}{two}"));
    let mut found = hosts.filter(|host| line.contains(host));
    Some(format!("names the registry {}", found.next()?))
}

/// An absolute path begins a word: `src/work/x` and `{state}/work/x` are none.
fn folder(line: &str) -> Option<String> {
    for (one, two) in FOLDERS {
        let folder = format!("{one}{two}");
        for (at, _) in line.match_indices(&folder) {
            let before = line[..at].chars().next_back();
            if before.is_none_or(|char| " \t\"'`=:(<[,".contains(char)) {
                return Some(format!("names a machine's own path below {folder}"));
            }
        }
    }
    None
}

fn without_allowed(file: &str, line: &str) -> String {
    let allowed = ALLOWED.iter().filter(|(where_to, _)| *where_to == file);
    allowed.fold(line.to_owned(), |line, (_, (one, two))| {
        line.replace(&format!("{one}{two}"), "")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registries_and_machines_paths_are_found_with_their_line() {
        let text = ["fine", &["see https://crates", ".io/x"].concat()].join("\n");
        let registry = ["notes.md:2: names the registry crates", ".io"].concat();
        assert_eq!(findings("notes.md", &text), [registry]);
        let path = ["cd \"/ho", "me/me/shipway\""].concat();
        assert_eq!(findings("a.sh", &path).len(), 1);
    }

    #[test]
    fn what_only_resembles_a_path_is_left_alone() {
        let harmless = [
            ["let work = state.join(\"work/", "x\");"].concat(),
            ["format!(\"{state}/wo", "rk/{id}\")"].concat(),
            ["src/ho", "me/page.rs"].concat(),
        ];
        for line in harmless {
            assert_eq!(findings("a.rs", &line), [] as [&str; 0]);
        }
    }

    #[test]
    fn an_exception_holds_in_its_file_only() {
        let line = ["rm -rf /ro", "ot/.cache"].concat();
        assert_eq!(
            findings("tests/images/aldryn-image.sh", &line),
            [] as [&str; 0]
        );
        assert_eq!(findings("other.sh", &line).len(), 1);
    }
}
