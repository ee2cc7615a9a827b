//! `shipway init`: a `shipway.toml` from what is in the repository.

use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use shipway_core::file::{FILE_NAME, File};

use crate::failure::Failure;
use crate::init::{self, Found, Repository};
use crate::output::{note, say};

/// Write a shipway.toml from what is in the repository
///
/// Looks at the Procfile, the Dockerfile, Django's manage.py, requirements.txt,
/// pyproject.toml, package.json, go.mod, Cargo.toml, the Gemfile, and the services
/// of docker compose. Nothing is run. Every line says why it is there.
#[derive(Debug, Args)]
#[command(verbatim_doc_comment, after_help = EXAMPLES)]
pub struct Arguments {
    /// The repository's folder
    #[arg(value_name = "DIR", default_value = ".")]
    folder: PathBuf,
    /// Print it, and write nothing
    #[arg(long)]
    dry_run: bool,
    /// Write over a shipway.toml that is there
    #[arg(long, conflicts_with = "dry_run")]
    force: bool,
}

const EXAMPLES: &str = "Examples:
  shipway init
  shipway init --dry-run
  shipway init path/to/repository --force";

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let folder = &arguments.folder;
    if !folder.is_dir() {
        let heading = format!("{} is no folder", folder.display());
        return Err(Failure::usage(heading).with_hint("name the folder of a repository"));
    }
    let found = init::survey(&Repository::at(folder));
    let text = init::write::file(&found);
    // What we write, the engine must be able to read.
    File::parse(&text).map_err(|error| {
        Failure::new("what was found cannot be written down")
            .because(&error)
            .with_hint("that is a mistake in `shipway init`; please report it")
    })?;
    if arguments.dry_run {
        return Ok(say(text)?);
    }
    let path = folder.join(FILE_NAME);
    write(&path, &text, arguments.force)?;
    note(seen(&found))?;
    Ok(say(format!(
        "wrote {}; look it over and commit it",
        path.display()
    ))?)
}

fn seen(found: &Found) -> String {
    match found.what.is_empty() {
        true => {
            "found nothing that is known; the command of the web process is yours to say".into()
        }
        false => format!("found {}", found.what.join("; ")),
    }
}

fn write(path: &Path, text: &str, force: bool) -> Result<(), Failure> {
    let mut options = OpenOptions::new();
    options.write(true);
    match force {
        true => options.create(true).truncate(true),
        false => options.create_new(true),
    };
    let mut file = match options.open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            return Err(
                Failure::usage(format!("{} is there already", path.display()))
                    .with_hint("--dry-run prints what would be written, --force writes over it"),
            );
        }
        Err(error) => return Err(cannot_write(path, error)),
    };
    file.write_all(text.as_bytes())
        .map_err(|error| cannot_write(path, error))
}

fn cannot_write(path: &Path, error: std::io::Error) -> Failure {
    Failure::new(format!("could not write {}", path.display())).because(&error)
}
