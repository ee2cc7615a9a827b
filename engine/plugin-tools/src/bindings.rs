//! Bindings for the languages whose toolchains generate none themselves.

use std::error::Error;
use std::path::{Path, PathBuf};
use std::{fs, io};

use wit_bindgen_core::{Files, WorldGenerator};

use crate::contract::Contract;
use crate::language::Bindings;

#[derive(Debug, thiserror::Error)]
pub enum BindingsError {
    #[error("could not generate bindings")]
    Generate {
        source: Box<dyn Error + Send + Sync>,
    },
    #[error("could not write bindings to {path}")]
    Write { path: PathBuf, source: io::Error },
}

/// Generates bindings into a folder that holds nothing else.
pub fn write(kind: Bindings, contract: &Contract, into: &Path) -> Result<(), BindingsError> {
    let mut files = Files::default();
    // Generating may change what was parsed.
    let mut resolve = contract.resolve.clone();
    generator(kind)
        .generate(&mut resolve, contract.world, &mut files)
        .map_err(|error| BindingsError::Generate {
            source: error.into(),
        })?;
    let problem = |path: &Path| {
        let path = path.to_owned();
        move |source| BindingsError::Write { path, source }
    };
    if into.exists() {
        fs::remove_dir_all(into).map_err(problem(into))?;
    }
    for (name, bytes) in files.iter() {
        let path = into.join(name);
        let folder = path.parent().unwrap_or(into);
        fs::create_dir_all(folder).map_err(problem(folder))?;
        fs::write(&path, bytes).map_err(problem(&path))?;
    }
    Ok(())
}

fn generator(kind: Bindings) -> Box<dyn WorldGenerator> {
    match kind {
        Bindings::C => wit_bindgen_c::Opts::default().build(),
    }
}

#[cfg(test)]
mod tests {
    use shipway_core::plugin::Role;

    use super::*;

    fn generated(kind: Bindings) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        let wit = folder.path().join("wit");
        let contract = crate::contract::write(folder.path(), &wit, &[Role::Notifier]).unwrap();
        let into = folder.path().join("bindings");
        write(kind, &contract, &into).unwrap();
        // A second time replaces the first.
        fs::write(into.join("stale"), "").unwrap();
        write(kind, &contract, &into).unwrap();
        let mut names: Vec<String> = fs::read_dir(into)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn c_gets_a_header_a_source_and_the_worlds_metadata() {
        assert_eq!(
            generated(Bindings::C),
            ["plugin.c", "plugin.h", "plugin_component_type.o"]
        );
    }
}
